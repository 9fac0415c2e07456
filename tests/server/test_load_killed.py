"""A load that is killed with all its processes, again and again, and resumed, is one load."""

import signal
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from random import Random

import pytest

from tests import synthea
from tests.commands import done, kill_group, kintung, sqlite_url, started, until_group_is_gone
from tests.databases import KINDS, fresh, looking
from tests.scale import counts, seeded
from tests.waiting import until

STORED = "SELECT count(*) FROM log"
MOST_RECORDS = 10
"""Records that are filled until enough loads were killed."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_load_killed_at_random_points_and_resumed(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """So many kills of a load at work; one that is whole too soon is proved, and another is begun."""
    bundles, kills = counts(8, synthea.BUNDLES), counts(2, 20)
    draw = seeded(f"kills {kind}")
    whole = set(accumulate(synthea.sizes(bundles), initial=1))
    file = synthea.first(bundles, tmp_path)
    stopped: list[int] = []
    records = 0
    while len(stopped) < kills:
        assert records < MOST_RECORDS, f"killed at {stopped} only"
        home = tmp_path / f"record-{records}"
        home.mkdir()
        records += 1
        url = fresh(kind, home, request)
        # The schema is made first, so that every kill falls into the load itself.
        done(kintung(home, "load", one_line(home), "--database", url))
        load = ("load", file, "--database", url, "--processes", "2")
        points = sorted(draw.randrange(max(whole)) for _ in range(kills - len(stopped)))
        for stored in killed(home, load, url, points, max(whole), draw):
            assert stored in whole, "a Bundle is half loaded"
            stopped.append(stored)
        done(kintung(home, *load, seconds=600))
        done(kintung(home, "check", "--database", url, seconds=600))
        done(kintung(home, "export", home / "out", "--database", url))
        found = [each for each in synthea.exported(home / "out") if each["resourceType"] != "Basic"]
        synthea.assert_is_them(found, bundles)
    assert len(stopped) == kills
    assert all(1 < stored < max(whole) for stored in stopped)
    print(f"{kind}: {kills} loads killed at work with {stopped} of {max(whole)} stored, in {records} records")


def killed(
    home: Path, load: tuple[str | Path, ...], url: str, points: list[int], whole: int, draw: Random
) -> Iterator[int]:
    """Begin a load for each point and kill it there; what is stored then. Ends with a load that ended.

    Each is killed when it has stored something and the point is passed, still alive and with
    more to store.
    """
    with looking(url) as look:

        def stored() -> int:
            return look(STORED)[0][0]

        for point in points:
            before = stored()
            process = started(home, *load)
            while stored() <= max(point, before) and process.poll() is None:
                time.sleep(draw.random() * 0.02)
            kill_group(process)
            until_group_is_gone(process)
            if process.returncode != -signal.SIGKILL or stored() == whole:
                return
            yield stored()


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
        until(lambda: look(STORED)[0][0] >= 2 or process.poll() is not None, "the load to store something")
    process.kill()
    until_group_is_gone(process)
    kill_group(process)
