"""A load that is killed with all its processes, again and again, and resumed, is one load."""

import time
from itertools import accumulate
from pathlib import Path

import pytest

from tests import synthea
from tests.commands import done, group_gone, kill_group, kintung, sqlite_url, started
from tests.databases import KINDS, fresh, looking
from tests.scale import counts, seeded

STORED = "SELECT count(*) FROM log"


@pytest.mark.parametrize("kind", KINDS)
def test_a_load_killed_at_random_points_and_resumed(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    bundles, kills = counts(8, synthea.BUNDLES), counts(4, 20)
    url = fresh(kind, tmp_path, request)
    load = ("load", synthea.first(bundles, tmp_path), "--database", url, "--processes", "2")
    # The schema is made first, so that every kill falls into the load itself.
    done(kintung(tmp_path, "load", one_line(tmp_path), "--database", url))
    whole = set(accumulate(synthea.sizes(bundles), initial=1))
    draw = seeded(f"kills {kind}")
    points = sorted(draw.randrange(max(whole)) for _ in range(kills))
    stopped: list[int] = []
    with looking(url) as look:
        for point in points:
            process = started(tmp_path, *load)
            while look(STORED)[0][0] <= point and process.poll() is None:
                time.sleep(draw.random() * 0.02)
            kill_group(process)
            assert group_gone(process)
            stopped.append(look(STORED)[0][0])
            assert stopped[-1] in whole, "a Bundle is half loaded"
    print(f"{kind}: killed at {points}, with {stopped} of {max(whole)} stored")
    assert stopped[0] < max(whole)
    done(kintung(tmp_path, *load, seconds=600))
    done(kintung(tmp_path, "check", "--database", url, seconds=600))
    done(kintung(tmp_path, "export", tmp_path / "out", "--database", url))
    stored = [each for each in synthea.exported(tmp_path / "out") if each["resourceType"] != "Basic"]
    synthea.assert_is_them(stored, bundles)


def one_line(folder: Path) -> Path:
    file = folder / "first.json"
    file.write_text('{"resourceType":"Basic","id":"first","code":{"text":"first"}}')
    return file


def test_processes_of_a_load_do_not_outlive_it(tmp_path: Path) -> None:
    """The one that commits is killed alone; those that prepare for it end by themselves."""
    url = sqlite_url(tmp_path / "record.db")
    done(kintung(tmp_path, "load", one_line(tmp_path), "--database", url))
    process = started(tmp_path, "load", synthea.whole_file(), "--database", url, "--processes", "2")
    with looking(url) as look:
        while look(STORED)[0][0] < 2:
            assert process.poll() is None
            time.sleep(0.01)
    process.kill()
    assert group_gone(process)
    kill_group(process)
