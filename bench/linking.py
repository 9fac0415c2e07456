"""Linkage measured against the truth: ours, and plain Splink on what everybody has.

Plain Splink gets the name in Latin letters, birth date, sex, telephone and identity number as
columns, read by DuckDB; with ``folded`` also the characters of the name in simplified space. It is
trained on the data themselves, without the truth, by the steps of its own guide, and judged at the
threshold that is best for it. Ours is judged at the thresholds of the definition.
"""

import csv
import gzip
import logging
import resource
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import combinations, groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from kintung.definitions.matching import matching_weights
from kintung.identity.linkage.batch import Batch
from kintung.identity.matching import blocking_keys, clusters, match, record
from kintung.identity.names import folded
from kintung.synth import appearances, people, seeded

FEBRL = Path(__file__).parents[2] / "shared/data/record-linkage-febrl"
SEED = 20221019
"""Of the people that figures are taken from; the weights were trained on another."""
ENOUGH = 0.05
"""Probability from which on plain Splink keeps a pair; the best threshold is looked for above it."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What links are worth: shares of true pairs, of links, of records."""

    records: int
    certain: int
    certain_false: int
    probable: int
    probable_true: int
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a run in a process of its own, with its helpers.

    Attributes:
        seconds: by the clock.
        processor: seconds of all processors together.
        memory: the most that was held, in MB.
    """

    seconds: float
    processor: float
    memory: float


def write(folder: Path, count: int, rates: float, *, without: frozenset[str] = frozenset()) -> dict[str, str]:
    """Write the Patients of synthetic people, three each, as NDJSON; give the person of each.

    Those of one person lie far from each other, so that nothing that was just made serves again.

    Args:
        without: Patients with one of these corruptions are left out.
    """
    chance = seeded(f"appearances of {SEED}")
    truth: dict[str, str] = {}
    parts = [folder / f"{turn}.ndjson" for turn in range(3)]
    with ExitStack() as stack:
        files = [stack.enter_context(part.open("wb")) for part in parts]
        for person in people(SEED, count):
            for file, each in zip(files, appearances(person, chance, rates=rates), strict=True):
                if without.isdisjoint(each.corruptions):
                    truth[each.patient["id"]] = each.person
                    file.write(msgspec.json.encode(each.patient) + b"\n")
    with (folder / "Patient.ndjson").open("wb") as whole:
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole)
            part.unlink()
    return truth


def apart(run: Callable[..., Any], *arguments: Any) -> tuple[Any, Cost]:
    """Run a function in a process of its own and measure it."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_measured, run, arguments).result()


def _measured(run: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, Cost]:
    began = time.perf_counter()
    found = run(*arguments)
    seconds = time.perf_counter() - began
    own, helper = (resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    processor = sum(each.ru_utime + each.ru_stime for each in (own, helper))
    return found, Cost(seconds, processor, (own.ru_maxrss + PROCESSES * helper.ru_maxrss) / 1024)


PROCESSES = 2


def ours(folder: Path, verified: str = "") -> list[tuple[str, str, bool, float]]:
    """Links of the Patients of a folder: two ids, whether it is certain, the score."""
    weights = matching_weights()
    if verified:
        weights = msgspec.structs.replace(weights, verified=verified)
    with tempfile.TemporaryDirectory() as place, (folder / "Patient.ndjson").open("rb") as lines:
        batch = Batch(Path(place), bytes(32), processes=PROCESSES, weights=weights)
        batch.run(lines)
        links = [(link.one, link.other, link.is_certain, link.score) for link in batch.links()]
        batch.close()
    return links


def plain(folder: Path, with_folded: bool, most: float | None = None) -> list[tuple[str, str, float]]:
    """Pairs that plain Splink finds and their match weights, with Latin names alone or folded ones too.

    Args:
        most: pairs that each step of its training is given; None, as in its guide: all it would take.
    """
    logging.disable(logging.WARNING)
    database = duckdb.connect()
    database.execute(f"create table people as {_columns(folder)}")
    if with_folded:
        _add_folded(database)
    return _splink(database, with_folded, most)


def _add_folded(database: Any) -> None:
    """Add the characters of names in simplified space."""
    found = database.execute("select distinct unnest([han_surname, han_given]) from people").fetchall()
    texts = [text for (text,) in found if text]
    database.register("folds", pa.table({"text": texts, "plain": list(map(folded, texts))}))
    database.execute(
        "create or replace table people as "
        "select people.* replace (s.plain as han_surname, g.plain as han_given) from people "
        "left join folds s on s.text = han_surname left join folds g on g.text = han_given"
    )


_HAN = r"^[\p{Han}\x{E000}-\x{F8FF}]"
"""Of a surname in characters, those for private use too."""


def _columns(folder: Path) -> str:
    """The query that reads what everybody has out of the Patients of a folder, and names in characters."""
    return f"""
    with read as (
        select id, birthDate, gender, telecom[1].value as phone, address[1] as address,
            list_filter(name, lambda each: not regexp_matches(each.family, '{_HAN}'))[-1] as latin,
            list_filter(name, lambda each: regexp_matches(each.family, '{_HAN}'))[-1] as han,
            list_filter(
                identifier, lambda each: not regexp_matches(each.system, '(sample-patient|ehr-number)$')
            )[1].value as number
        from read_json('{folder}/Patient.ndjson', format = 'newline_delimited', columns = {{
            id: 'varchar', birthDate: 'varchar', gender: 'varchar',
            name: 'struct(family varchar, given varchar[])[]',
            identifier: 'struct(system varchar, "value" varchar)[]',
            telecom: 'struct("value" varchar)[]',
            address: 'struct(district varchar, city varchar)[]'
        }})
    )
    select id as unique_id, lower(latin.family) as surname,
        nullif(lower(array_to_string(latin.given, ' ')), '') as given,
        birthDate as birth, gender as sex,
        nullif(right(regexp_replace(phone, '[^0-9]', '', 'g'), 8), '') as phone,
        upper(regexp_replace(number, '[^0-9A-Za-z]', '', 'g')) as number,
        coalesce(address.district, address.city) as place,
        han.family as han_surname, nullif(array_to_string(han.given, ''), '') as han_given
    from read"""


def _splink(database: Any, with_folded: bool, most: float | None = None) -> list[tuple[str, str, float]]:
    """Link the table ``people``."""
    names = [("surname", "given"), *([("han_surname", "han_given")] if with_folded else [])]
    comparisons = [
        *(
            cl.JaroWinklerAtThresholds(part, [0.92, 0.8]).configure(term_frequency_adjustments=True)
            for pair in names
            for part in pair
        ),
        cl.LevenshteinAtThresholds("birth", [1, 2]),
        *(cl.ExactMatch(column) for column in ("sex", "phone", "number", "place")),
    ]
    rules: list[Any] = [
        block_on("number"),
        block_on("phone"),
        *(block_on("birth", pair[0]) for pair in names),
        *(block_on(*pair) for pair in names),
        block_on("birth", "place"),
    ]
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[each for each in comparisons if _present(database, each)],
        blocking_rules_to_generate_predictions=rules,
        retain_matching_columns=False,
    )
    linker = Linker(DuckDBAPI(database).register("people"), settings, log_level="ERROR")
    exact: list[Any] = [block_on("number"), block_on("birth", "surname", "given")]
    linker.training.estimate_probability_two_random_records_match(exact, recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for rule in (block_on("birth"), block_on("surname", "given")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule, max_pairs=most)
    found = linker.inference.predict(threshold_match_probability=ENOUGH)
    rows = database.sql(f"select unique_id_l, unique_id_r, match_weight from {found.physical_name}")
    return [(one, other, weight) for one, other, weight in rows.fetchall()]


def _present(database: Any, comparison: Any) -> bool:
    """Whether a column says anything at all."""
    column = comparison.create_comparison_dict("duckdb")["output_column_name"]
    return bool(database.execute(f"select count({column}) from people").fetchall()[0][0])


def quality(links: Iterable[tuple[str, str, bool, float]], truth: dict[str, str]) -> Quality:
    """What certain and probable links are worth, and the persons that both together make."""
    counted = Counter((certain, truth[one] == truth[other]) for one, other, certain, _ in links)
    listed = list(links)
    true = [(one, other) for one, other, _, _ in listed if truth[one] == truth[other]]
    return Quality(
        records=len(truth),
        certain=counted[True, True] + counted[True, False],
        certain_false=counted[True, False],
        probable=counted[False, True] + counted[False, False],
        probable_true=counted[False, True],
        recall=_pairs(true, truth)[0] / max(1, _true(truth)),
        f1=_f1([(one, other) for one, other, _, _ in listed], truth),
    )


def best(pairs: list[tuple[str, str, float]], truth: dict[str, str]) -> tuple[float, float]:
    """The best F1 over all thresholds, and the threshold: pairs are joined from the highest weight down."""
    highest, least = 0.0, 0.0
    joined, whole = _Joined(truth), _true(truth)
    for weight, equal in groupby(sorted(pairs, key=_weight, reverse=True), _weight):
        for one, other, _ in equal:
            joined.join(one, other)
        reached = 2 * joined.right / max(1, joined.found + whole)
        if reached > highest:
            highest, least = reached, weight
    return highest, least


def _weight(pair: tuple[str, str, float]) -> float:
    return pair[2]


def _true(truth: dict[str, str]) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(truth.values()).values())


def _f1(links: list[tuple[str, str]], truth: dict[str, str]) -> float:
    right, found = _pairs(links, truth)
    return 2 * right / max(1, found + _true(truth))


def _pairs(links: list[tuple[str, str]], truth: dict[str, str]) -> tuple[int, int]:
    """Pairs within the clusters of links: true ones, and all."""
    persons: dict[str, Counter[str]] = defaultdict(Counter)
    for each, person in clusters(links).items():
        persons[person][truth[each]] += 1
    right = sum(n * (n - 1) // 2 for person in persons.values() for n in person.values())
    found = sum(person.total() * (person.total() - 1) // 2 for person in persons.values())
    return right, found


class _Joined:
    """Records that links join, and the pairs within: ``right`` are of one person, ``found`` are all."""

    def __init__(self, truth: dict[str, str]) -> None:
        self.right = self.found = 0
        self._truth = truth
        self._parent: dict[str, str] = {}
        self._members: dict[str, Counter[str]] = {}

    def join(self, one: str, other: str) -> None:
        less, more = sorted((self._root(one), self._root(other)), key=lambda each: len(self._of(each)))
        if less == more:
            return
        fewer, held = self._of(less), self._of(more)
        self.found += fewer.total() * held.total()
        self.right += sum(count * held[person] for person, count in fewer.items())
        held.update(fewer)
        self._parent[less] = more
        del self._members[less]

    def _of(self, root: str) -> Counter[str]:
        return self._members.setdefault(root, Counter((self._truth[root],)))

    def _root(self, each: str) -> str:
        parent = self._parent
        while parent.setdefault(each, each) != each:
            parent[each] = each = parent[parent[each]]
        return each


def febrl(number: int) -> Iterator[dict[str, str]]:
    """The rows of a FEBRL data set; ``rec_id`` holds who it is."""
    with gzip.open(FEBRL / f"dataset{number}.csv.gz", "rt") as file:
        for row in csv.DictReader(file, skipinitialspace=True):
            yield {name.strip(): (value or "").strip() for name, value in row.items()}


def febrl_ours(rows: list[dict[str, str]]) -> list[tuple[str, str, float]]:
    """Pairs of FEBRL rows that share a key, with their scores."""
    records = [record(_febrl_patient(row)) for row in rows]
    by_key: dict[str, list[int]] = defaultdict(list)
    for index, each in enumerate(records):
        for key in blocking_keys(each):
            by_key[key].append(index)
    pairs = {pair for found in by_key.values() if len(found) <= 100 for pair in combinations(found, 2)}
    return [(rows[a]["rec_id"], rows[b]["rec_id"], match(records[a], records[b]).score) for a, b in pairs]


def _febrl_patient(row: dict[str, str]) -> dict[str, Any]:
    born = row["date_of_birth"]
    return {
        "resourceType": "Patient",
        "id": row["rec_id"],
        "name": [{"family": row["surname"], "given": [row["given_name"]]}],
        "birthDate": f"{born[:4]}-{born[4:6]}-{born[6:]}" if len(born) == 8 else None,
        "identifier": [{"system": "urn:febrl:soc_sec_id", "value": row["soc_sec_id"]}],
        "address": [
            {
                "line": [row["street_number"], row["address_1"]],
                "city": row["suburb"],
                "postalCode": row["postcode"],
            }
        ],
    }


def febrl_plain(rows: list[dict[str, str]]) -> list[tuple[str, str, float]]:
    """What plain Splink finds in the same columns."""
    logging.disable(logging.WARNING)
    database = duckdb.connect()
    made = pa.Table.from_pylist(
        [
            {
                "unique_id": row["rec_id"],
                "surname": row["surname"] or None,
                "given": row["given_name"] or None,
                "birth": row["date_of_birth"] or None,
                "sex": None,
                "phone": row["address_1"] or None,
                "number": row["soc_sec_id"] or None,
                "place": row["postcode"] or None,
            }
            for row in rows
        ],
        schema=pa.schema([(name, pa.string()) for name in _COLUMNS]),
    )
    database.register("made", made)
    database.execute("create table people as select * from made")
    return _splink(database, with_folded=False)


_COLUMNS = ("unique_id", "surname", "given", "birth", "sex", "phone", "number", "place")
