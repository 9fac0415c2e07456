"""Train the weights of matching with Splink, on synthetic people, and write them as a definition.

    train_matching_weights.py [--people N] [--seed S] [--rates R] [--start DAY]

People, seed and rates are other than those that figures are taken from: the seed here is never
used elsewhere, and the rates are half as much again as those defined. ``m`` comes from the pairs
of one person, which the truth tells, ``u`` from random pairs of all. Shares of surnames are
those of the people it was trained on. Run ``scripts/compile_definitions.py`` afterwards.
"""

import argparse
import secrets
from collections import Counter
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker, SettingsCreator

from kintung.identity.linkage.settings import settings
from kintung.identity.linkage.tables import features
from kintung.identity.matching import Record, record
from kintung.identity.matching.levels import COMPARISONS, Comparison
from kintung.synth import appearances, people, seeded

FOLDER = Path(__file__).parents[1] / "src/kintung/definitions/matching"
PAIRS = 1e7
"""Random pairs that ``u`` is taken from."""
LEAST_M, LEAST_U = 1e-5, 1e-7
"""Of a level that hardly ever was seen; the numbers of pairs do not bear less."""
CERTAIN, PROBABLE, QUEUE, BORNE_OUT = "32", "22", "47", "54"
"""Certain: the number with a whole name or birth date besides. Probable: of a million people, two that
agree so are one more often than not. Queue: so that a steward can bear it. Borne out: the number with a
whole name, a whole birth date and a telephone or an address."""
SURNAMES = 200
ASSUMED = {("address", "nearly"): 0.02}
"""``m`` of levels that cannot be trained: the addresses of synthetic people are always written one way."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the weights of matching.")
    parser.add_argument("--people", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=19780912)
    parser.add_argument("--rates", default="1.5")
    parser.add_argument("--start", type=date.fromisoformat, default=date(2026, 11, 22))
    arguments = parser.parse_args()
    records, truth = made(arguments.seed, arguments.people, float(arguments.rates))
    shares = trained(records, truth, arguments.seed)
    path = FOLDER / f"fellegi_sunter_{arguments.start.year}.yaml"
    path.write_text("\n".join(definition(arguments, shares, surnames(records))) + "\n", "utf-8")


def made(seed: int, count: int, rates: float) -> tuple[list[Record], list[str]]:
    """Records of synthetic people, three a person, and who each is of."""
    chance = seeded(f"appearances of {seed}")
    records: list[Record] = []
    truth: list[str] = []
    for person in people(seed, count):
        for appearance in appearances(person, chance, count=3, rates=rates):
            records.append(record(appearance.patient))
            truth.append(appearance.person)
    return records, truth


def trained(records: list[Record], truth: list[str], seed: int) -> dict[str, dict[str, tuple[float, float]]]:
    """``m`` and ``u`` of each level of each comparison."""
    table = features(records, range(len(records)), secrets.token_bytes(32)).append_column("person", [truth])
    database = duckdb.connect()
    database.register("made", table)
    database.execute("create table everything as select * from made")
    # Of each person one record, so that no two of them are of one: else u would hold some of m.
    database.execute(
        "create table one_each as select * from everything "
        "qualify row_number() over (partition by person order by hash(record)) = 1"
    )
    of_two, of_one = (_linker(database, name) for name in ("one_each", "everything"))
    of_two.training.estimate_u_using_random_sampling(max_pairs=PAIRS, seed=seed)
    of_one.training.estimate_m_from_label_column("person")
    u, m = _shares(of_two, "u_probability"), _shares(of_one, "m_probability")
    found = {
        comparison.name: {
            level.name: (
                max(LEAST_M, m[comparison.name, level.name]),
                max(LEAST_U, u[comparison.name, level.name]),
            )
            for level in comparison.levels
        }
        for comparison in COMPARISONS
    }
    return {
        comparison.name: _not_above_same(comparison, _with_assumed(comparison, found[comparison.name]))
        for comparison in COMPARISONS
    }


def _with_assumed(
    comparison: Comparison, shares: dict[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Put what is assumed in place of what was found; of the others as much less."""
    assumed = {level: m for (name, level), m in ASSUMED.items() if name == comparison.name}
    rest = 1 - sum(assumed.values())
    return {level: (assumed.get(level, m * rest), u) for level, (m, u) in shares.items()}


def _not_above_same(
    comparison: Comparison, shares: dict[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Let no level weigh more than being the same: what agrees in part is rare and its ``u`` is of few pairs.

    Not of surnames, which weigh by their frequency.
    """
    if any(level.by_frequency for level in comparison.levels):
        return shares
    most = shares["same"][0] / shares["same"][1]
    return {name: (m, max(u, m / most)) for name, (m, u) in shares.items()}


def _linker(database: Any, table: str) -> Linker:
    return Linker(DuckDBAPI(database).register(table), SettingsCreator(**settings(None)), log_level="ERROR")


def _shares(linker: Linker, which: str) -> dict[tuple[str, str], float]:
    model: Any = linker.misc.save_model_to_json()
    found: dict[tuple[str, str], float] = {}
    for comparison, of_model in zip(COMPARISONS, model["comparisons"], strict=True):
        written = [level for level in of_model["comparison_levels"] if not level.get("is_null_level")]
        for level, level_of_model in zip(comparison.levels, written, strict=True):
            found[comparison.name, level.name] = level_of_model.get(which) or 0.0
    return found


def surnames(records: list[Record]) -> dict[str, str]:
    """The commonest surnames in folded characters, and the share of those with one who bear it."""
    borne = Counter(each.surname_term for each in records if each.surname_folded)
    most = sorted(borne.items(), key=lambda item: (-item[1], item[0] or ""))[:SURNAMES]
    return {surname: f"{count / borne.total():.5f}" for surname, count in most if surname}


def definition(
    arguments: argparse.Namespace, shares: dict[str, dict[str, tuple[float, float]]], borne: dict[str, str]
) -> list[str]:
    """The lines of the YAML file."""
    lines = [
        "# Written by scripts/train_matching_weights.py. m: share of pairs of one person that agree so;",
        "# u: of two people; both of the pairs that can be compared.",
        f"id: fellegi-sunter-{arguments.start.year}",
        "label: {en: Weights of matching, zh-HK: 配對權重}",
        f"start: {arguments.start}",
        "source: >-",
        "  Model of Fellegi and Sunter 1969 with the levels of kintung.identity.matching; trained on",
        "  synthetic people, so what is assumed of them is assumed here. Assumed too: m of "
        + ", ".join(" ".join(level) for level in ASSUMED)
        + ".",
        f'training: {{people: {arguments.people}, seed: {arguments.seed}, rates: "{arguments.rates}", '
        f"version: Splink {version('splink')}}}",
        "# Least scores, in bits: of a certain link (with a number), of a probable one, of what a batch asks",
        "# a steward. Of a million people two taken at random need 20 to be as likely one as two.",
        f'certain: "{CERTAIN}"',
        f'probable: "{PROBABLE}"',
        f'queue: "{QUEUE}"',
        "# Of a certain link: the number was seen at the counters of both sources; or of one, and what is on",
        "# no card bears it out, with this score at least; or of one.",
        "verified: borne-out",
        f'borne_out: "{BORNE_OUT}"',
        "comparisons:",
    ]
    for comparison, levels in shares.items():
        lines.append(f"  {comparison}:")
        lines += [f'    {level}: {{m: "{m:.7f}", u: "{u:.10f}"}}' for level, (m, u) in levels.items()]
    lines.append("surnames: {")
    row: list[str] = []
    for surname, share in borne.items():
        row.append(f'{surname}: "{share}"')
        if len(row) == 8:
            lines.append(f"  {', '.join(row)},")
            row = []
    if row:
        lines.append(f"  {', '.join(row)},")
    return [*lines, "}"]


if __name__ == "__main__":
    main()
