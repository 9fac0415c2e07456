"""How right a batch is on synthetic people whom the weights were not trained on."""

from collections import defaultdict
from pathlib import Path

import msgspec
import pytest

from kintung.identity.linkage.batch import Batch
from kintung.identity.matching import clusters
from kintung.synth import appearances, people, seeded
from tests.scale import counts, seed

OF_NUMBERS = frozenset(
    {"family-card", "identifier-typo", "permit-reissued", "old-record-number", "identifier-absent"}
)


@pytest.mark.parametrize(
    ("rates", "without", "most_false", "least_recall"),
    [(1.0, OF_NUMBERS, 0.0, 0.97), (0.5, frozenset[str](), 1e-5, 0.97), (1.0, frozenset[str](), 1e-5, 0.97)],
    ids=["numbers-right", "half-the-rates", "the-rates"],
)
def test_certain_links_are_true_and_few_true_ones_are_missed(
    tmp_path: Path, rates: float, without: frozenset[str], most_false: float, least_recall: float
) -> None:
    chance = seeded(f"appearances of {seed()}")
    truth: dict[str, str] = {}
    lines: list[bytes] = []
    for person in people(seed() % 2**62, counts(250, 100_000)):
        for each in appearances(person, chance, rates=rates):
            if without.isdisjoint(each.corruptions):
                truth[each.patient["id"]] = each.person
                lines.append(msgspec.json.encode(each.patient))
    batch = Batch(tmp_path, bytes(32), processes=1)
    batch.run(lines)
    links = list(batch.links())
    batch.close()

    certain = [link for link in links if link.is_certain]
    probable = [link for link in links if not link.is_certain]
    false = sum(truth[link.one] != truth[link.other] for link in certain)
    assert false <= most_false * len(certain)
    true = [(link.one, link.other) for link in links if truth[link.one] == truth[link.other]]
    assert _pairs(clusters(true)) >= least_recall * _pairs(truth)
    assert sum(truth[link.one] == truth[link.other] for link in probable) >= len(probable) / 2


def _pairs(of: dict[str, str]) -> int:
    held: dict[str, int] = defaultdict(int)
    for each in of.values():
        held[each] += 1
    return sum(count * (count - 1) // 2 for count in held.values())
