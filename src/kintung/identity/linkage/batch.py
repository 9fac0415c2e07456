"""Linking very many records at once: numbers that agree first, then names and dates by Splink on DuckDB.

Features of every record are computed by the code that compares two records, and become a table.
Pairs that share a verified identity number are scored, and the certain ones make persons.
Then the pairs that share a key and are not of one person yet, where a bound lets them reach enough;
those that reach ``queue``, or share a number and are probable, are for a steward, the best pair for
each two persons. Scores are those of
:func:`kintung.identity.matching.match`, and nothing depends on the order of the records.
"""

import gc
import os
from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from kintung.definitions.matching import MatchingWeights, matching_weights
from kintung.errors import BadInput
from kintung.identity.linkage.bounds import may_ask, signatures, signed
from kintung.identity.linkage.keys import keys
from kintung.identity.linkage.scoring import scored
from kintung.identity.linkage.settings import column, level_of
from kintung.identity.linkage.tables import write_part
from kintung.identity.matching.levels import COMPARISONS, CONTRADICTIONS, HALVES, NOT_ON_CARD, WHOLE, Levels

LINES = 5_000
"""Of the input that one process is given at once."""
AT_ONCE = 500_000
"""Pairs that are scored at once; what is in memory for a pair is a few kilobytes."""
SHARES = 8
"""Of the keys: pairs are looked for in one share of them after another, so that less is in memory."""
MOST_OF_A_KEY = 60
"""Records that may share a key; a key of more says too little. A number of more is nobody's."""


_SAME = len(COMPARISONS[0].levels) - 1
"""Splink's number of the level that is the same identity number."""
_SEEN_AT_BOTH = "list_has_any(l.verified, r.verified)"
_SEEN_AT_ONE = "list_has_any(l.verified, r.numbers) or list_has_any(l.numbers, r.verified)"
"""Whether a number that two records share was seen at the counters of both, or of one at least."""


@dataclass(frozen=True, slots=True)
class Link:
    """Two records and their result; ``one`` is the lesser id."""

    one: str
    other: str
    is_certain: bool
    score: float
    levels: Levels


@dataclass(frozen=True, slots=True)
class Counts:
    """What a run did: pairs that were scored for their numbers, and by their keys."""

    records: int
    refused: int
    by_number: int
    by_key: int


@dataclass(frozen=True, slots=True)
class Results:
    """What a run found: links by result, and persons of more than one record."""

    certain: int
    probable: int
    persons: int


class Batch:
    """One run over a temporary ``folder``, which is the caller's to remove.

    Args:
        secret: 32 random bytes, the key of the hashes of this run.
        since: a record is new whose ``meta.lastUpdated`` is this instant or later. Only pairs of two
            persons of whom one has a new record are compared by their keys; all are by their numbers.
        new: ids of the records that are new, of them; None: nothing more is asked.
        processes: that compute features.
        memory: of DuckDB, in MB.
        weights: others than those in force.
    """

    def __init__(
        self,
        folder: Path,
        secret: bytes,
        *,
        since: str = "",
        new: Collection[str] | None = None,
        processes: int | None = None,
        memory: int = 1024,
        weights: MatchingWeights | None = None,
    ) -> None:
        duckdb: Any = import_module("duckdb")
        self._folder, self._secret, self._since, self._new = folder, secret, since, new
        self._processes = processes or os.cpu_count() or 1
        self._weights = weights or matching_weights()
        self._database: Any = duckdb.connect(str(folder / "link.duckdb"))
        self._database.execute(f"set memory_limit = '{memory}MB'")
        self._database.execute(f"set temp_directory = '{folder}'")
        self._database.execute("set preserve_insertion_order = false")
        self._read = self._refused = self._by_number = self._by_key = 0

    def run(self, lines: Iterable[bytes], *, seen: Callable[[int], object] = lambda _: None) -> Counts:
        """Link the Patients among the lines of NDJSON.

        Args:
            seen: is told how many records were read, now and then.

        Raises:
            BadInput: an id stands twice.
        """
        self._prepare(lines, seen)
        self._link_by_number()
        self._link_by_key()
        return Counts(self._read, self._refused, self._by_number, self._by_key)

    def links(self, *, new: bool = False) -> Iterator[Link]:
        """Certain links, then probable ones, each by ids.

        Args:
            new: only those of persons with a new record.
        """
        levels = ", ".join(column(comparison) for comparison in COMPARISONS)
        asked = "where one in (from fresh) or other in (from fresh)" if new else ""
        self._database.execute("create or replace view fresh as select id from persons where is_new")
        for table, is_certain in (("certain", True), ("queue", False)):
            rows = self._database.execute(
                f"select one, other, score, {levels} from {table} {asked} order by one, other"
            )
            while found := rows.fetchmany(10_000):
                for one, other, score, *gammas in found:
                    yield Link(one, other, is_certain, score, _levels(gammas))

    def results(self) -> Results:
        """How much was found."""
        found = self._database.execute(
            "select (select count(*) from certain), (select count(*) from queue), (select count(*) from "
            "(select person from persons group by person having count(*) > 1))"
        ).fetchone()
        return Results(*found)

    def persons(self) -> Iterator[tuple[str, list[str]]]:
        """Each person of more than one record: the least id and all ids."""
        rows = self._database.execute(
            "select min(id), list(id order by id) from persons group by person having count(*) > 1 order by 1"
        )
        while found := rows.fetchmany(10_000):
            yield from found

    def close(self) -> None:
        self._database.close()

    def _prepare(self, lines: Iterable[bytes], seen: Callable[[int], object]) -> None:
        if self._processes == 1:
            for part, first in _parts(lines):
                self._written(write_part(part, first, *self._place), seen)
        else:
            self._prepare_together(lines, seen)
        parts = f"{self._folder}/records-*.parquet"
        self._database.execute(f"create table records as select * from read_parquet('{parts}')")
        self._database.execute(f"create table keys as {keys()}")
        twice = self._database.execute("select count(*) - count(distinct id) from records").fetchone()
        if twice[0]:
            raise BadInput(f"{twice[0]} records have an id that another has; give each its own.")

    @property
    def _place(self) -> tuple[str, bytes, str]:
        return str(self._folder), self._secret, self._since

    def _prepare_together(self, lines: Iterable[bytes], seen: Callable[[int], object]) -> None:
        waiting: deque[Future[tuple[int, int]]] = deque()
        # no cycle is made there, and looking for one takes a fifth of the time
        with ProcessPoolExecutor(self._processes, get_context("spawn"), gc.disable) as pool:
            for part, first in _parts(lines):
                waiting.append(pool.submit(write_part, part, first, *self._place))
                if len(waiting) > 2 * self._processes:
                    self._written(waiting.popleft().result(), seen)
            for each in waiting:
                self._written(each.result(), seen)

    def _written(self, counted: tuple[int, int], seen: Callable[[int], object]) -> None:
        self._read += counted[0]
        self._refused += counted[1]
        seen(self._read)

    def _link_by_number(self) -> None:
        """Score the pairs whose number was seen, and make persons of the certain ones."""
        execute, used = self._database.execute, self._weights
        execute(
            f"""create table pairs as
            with numbered as (select record, unnest(numbers) as number from records),
            few as (
                select number from numbered group by number having count(*) between 2 and {MOST_OF_A_KEY}
            ),
            held as (select record, number from numbered semi join few using (number))
            select distinct a.record as join_key_l, b.record as join_key_r, '0' as match_key
            from held a join held b on a.number = b.number and a.record < b.record
            join records l on l.record = a.record join records r on r.record = b.record
            where {_SEEN_AT_BOTH if used.verified == "both" else _SEEN_AT_ONE}"""
        )
        self._by_number = self._score("shared", None)
        execute(
            f"""create table settled as select shared.* from shared
            join records l on l.record = record_l join records r on r.record = record_r
            where {_SEEN_AT_ONE if used.verified == "one" else _SEEN_AT_BOTH}"""
        )
        execute(
            "create table certain as select * from settled "
            f"where score >= {used.certain} and {_not_contradicted()}"
        )
        if used.verified == "borne-out":
            execute(
                f"""insert into certain select * from shared anti join settled using (record_l, record_r)
                where score >= {used.borne_out} and {_borne_out()}"""
            )
        self._persons()

    def _persons(self) -> None:
        pa: Any = import_module("pyarrow")
        (count,) = self._database.execute("select coalesce(max(record), -1) + 1 from records").fetchone()
        parent = array("q", range(count))

        def root(each: int) -> int:
            while parent[each] != each:
                parent[each] = each = parent[parent[each]]
            return each

        rows = self._database.execute("select record_l, record_r from certain")
        while found := rows.fetchmany(10_000):
            for one, other in found:
                first, second = sorted((root(one), root(other)))
                parent[second] = first
        for each in range(count):
            parent[each] = root(each)
        of_record = pa.table(
            {"record": pa.array(range(count), pa.int64()), "person": pa.array(parent, pa.int64())}
        )
        self._database.register("of_record", of_record)
        self._database.register("given", pa.table({"id": pa.array(self._new or (), pa.string())}))
        is_new = "is_new" if self._new is None else "is_new and id in (from given)"
        of_person = f"bool_or({is_new}) over (partition by person)" if self._since or self._new else is_new
        self._database.execute(
            f"create table persons as select record, id, person, {of_person} as is_new "
            "from records join of_record using (record)"
        )
        self._database.unregister("of_record")
        self._database.unregister("given")

    def _link_by_key(self) -> None:
        """Score the pairs that share a key and are of two persons; keep the best for each two."""
        execute = self._database.execute
        levels = ", ".join(column(comparison) for comparison in COMPARISONS)
        execute("drop table pairs")
        execute(f"create table signatures as {signatures(self._weights)}")
        execute("create table found (join_key_l bigint, join_key_r bigint)")
        for share in range(SHARES):
            self._find(share)
        execute("create table pairs as select distinct *, '0' as match_key from found")
        execute("drop table found")
        self._by_key = self._score("probable", self._weights.probable)
        execute(
            f"""create table queue as
            select one, other, score, {levels} from (
                select *, row_number() over (
                    partition by least(l.person, r.person), greatest(l.person, r.person)
                    order by score desc, one, other
                ) as place
                from (
                    select * from probable
                    where score >= {self._weights.queue} or {column(COMPARISONS[0])} = {_SAME}
                    union select * from settled
                ) join persons l on l.record = record_l join persons r on r.record = record_r
                where l.person <> r.person
            ) where place = 1"""
        )

    def _find(self, share: int) -> None:
        """Find pairs by a share of the keys; keep those that may be put before a steward."""
        execute = self._database.execute
        execute(
            f"""create or replace table by_key as
            with keyed as (
                select record, person, is_new, key from keys join persons using (record)
                where key % {SHARES} = {share}
            ),
            few as (
                select key from keyed group by key
                having count(*) between 2 and {MOST_OF_A_KEY} and min(person) < max(person)
                    and bool_or(is_new)
            ),
            held as (select record, person, is_new, key from keyed semi join few using (key))
            select distinct a.record as one, b.record as other
            from held a join held b
                on a.key = b.key and a.record < b.record and a.person <> b.person
                and (a.is_new or b.is_new)"""
        )
        two = ", ".join(f"l.{each} as {each}_l, r.{each} as {each}_r" for each in signed(self._weights))
        execute(
            f"""insert into found select one, other from (
                select one, other, {two} from by_key
                join signatures l on l.record = one join signatures r on r.record = other
            ) where {may_ask(self._weights)}"""
        )

    def _score(self, into: str, least: str | None) -> int:
        """Score the pairs of ``pairs`` and keep those that reach ``least``; give their count."""
        execute = self._database.execute
        levels = [column(comparison) for comparison in COMPARISONS]
        execute(
            f"create table {into} (record_l bigint, record_r bigint, one varchar, other varchar, "
            f"score double, {', '.join(f'{level} tinyint' for level in levels)})"
        )
        (count,) = execute("select count(*) from pairs").fetchone()
        query = scored(self._weights, "chunk")
        for start in range(0, count, AT_ONCE):
            execute(
                "create or replace view chunk as "
                f"select * from pairs where rowid >= {start} and rowid < {start + AT_ONCE}"
            )
            execute(
                f"""insert into {into}
                select record_l, record_r, least(l.id, r.id), greatest(l.id, r.id), match_weight,
                    {", ".join(f"gamma_{level}" for level in levels)}
                from ({query}) join records l on l.record = record_l join records r on r.record = record_r
                {f"where match_weight >= {least}" if least else ""}"""
            )
        return count


def _parts(lines: Iterable[bytes]) -> Iterator[tuple[list[bytes], int]]:
    source = iter(lines)
    first = 0
    while part := list(islice(source, LINES)):
        yield part, first
        first += len(part)


def _levels(gammas: list[int]) -> Levels:
    return tuple(level_of(comparison, gamma) for comparison, gamma in zip(COMPARISONS, gammas, strict=True))


def _not_contradicted() -> str:
    both = " and ".join(_one_of(half) for half in HALVES)
    return f"not ({_one_of(CONTRADICTIONS)} or ({both}))"


def _borne_out() -> str:
    return " and ".join(_one_of(part) for part in (*WHOLE, NOT_ON_CARD))


def _one_of(levels: frozenset[tuple[str, str]]) -> str:
    numbered = [
        f"{column(comparison)} = {len(comparison.levels) - 1 - index}"
        for comparison in COMPARISONS
        for index, level in enumerate(comparison.levels)
        if (comparison.name, level.name) in levels
    ]
    return f"({' or '.join(numbered)})"
