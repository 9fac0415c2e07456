"""A database makes the keys that are made of one record."""

from itertools import combinations

import duckdb

from kintung.identity.linkage.keys import keys
from kintung.identity.linkage.tables import features
from kintung.identity.matching import blocking_keys
from tests.scale import counts
from tests.unit.identity.linkage.drawn import drawn


def test_records_share_as_many_keys_in_a_database_as_one_by_one() -> None:
    records = drawn(counts(60, 500))
    database = duckdb.connect()
    database.register("records", features(records, range(len(records)), bytes(32)))
    database.execute(f"create table keys as {keys()}")
    of_each = dict(database.execute("select record, count(*) from keys group by record").fetchall())
    shared = {
        (one, other): count
        for one, other, count in database.execute(
            "select a.record, b.record, count(*) from keys a join keys b using (key) "
            "where a.record < b.record group by all"
        ).fetchall()
    }
    expected = list(map(blocking_keys, records))
    assert [of_each.get(number, 0) for number in range(len(records))] == list(map(len, expected))
    for (one, keys_of_one), (other, keys_of_other) in combinations(enumerate(expected), 2):
        assert shared.get((one, other), 0) == len(keys_of_one & keys_of_other)
    assert len(shared) > len(records)
