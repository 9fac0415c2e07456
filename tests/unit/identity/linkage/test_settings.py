"""What Splink is told: for DuckDB it gives the scores of ``match``, and for Spark SQL that Spark reads."""

import duckdb
import msgspec
import pytest
import sqlglot
from splink import DuckDBAPI, Linker, SettingsCreator

from kintung.definitions.matching import matching_weights
from kintung.identity.linkage.bounds import KINDS, bound, may_ask, signatures, signed
from kintung.identity.linkage.scoring import scored
from kintung.identity.linkage.settings import column, level_of, settings
from kintung.identity.linkage.tables import features
from kintung.identity.matching import match, record
from kintung.identity.matching.levels import COMPARISONS
from tests.scale import counts
from tests.unit.identity.linkage.drawn import drawn


def test_splink_gives_every_pair_the_levels_and_the_score_of_match() -> None:
    records = drawn(counts(40, 400))
    database = duckdb.connect()
    table = features(records, range(len(records)), bytes(32))
    database.register("made", table)
    database.execute("create table records as select * from made")
    database.execute(
        "create table pairs as select a.record as join_key_l, b.record as join_key_r, '0' as match_key "
        "from records a join records b on a.record < b.record"
    )
    api = DuckDBAPI(database)
    linker = Linker(
        api.register("records"), SettingsCreator(**settings(matching_weights())), log_level="ERROR"
    )
    linker.table_management.register_blocked_pairs_for_predict(api.register("pairs"))
    scored = database.sql(f"select * from {linker.inference.predict().physical_name}")

    seen = 0
    for row in scored.fetchall():
        found = dict(zip(scored.columns, row, strict=True))
        expected = match(records[found["record_l"]], records[found["record_r"]])
        levels = tuple(level_of(each, found[f"gamma_{column(each)}"]) for each in COMPARISONS)
        assert (levels, found["match_weight"]) == (expected.levels, pytest.approx(expected.score))
        seen += 1
    assert seen == len(records) * (len(records) - 1) // 2


def test_the_statement_of_a_batch_gives_the_same_and_no_score_exceeds_its_bound() -> None:
    records = drawn(counts(40, 400))
    database = duckdb.connect()
    weights = matching_weights()
    database.register("records", features(records, range(len(records)), bytes(32)))
    database.execute(f"create table signatures as {signatures(weights)}")
    database.execute(
        "create table pairs as select a.record as join_key_l, b.record as join_key_r, '0' as match_key "
        "from records a join records b on a.record < b.record"
    )
    gammas = ", ".join(f"gamma_{column(each)}" for each in COMPARISONS)
    two = ", ".join(f"l.{each} as {each}_l, r.{each} as {each}_r" for each in signed(weights))
    found = database.execute(
        f"""select record_l, record_r, match_weight, most, asked, [{gammas}]
        from ({scored(weights, "pairs")}) join (
            select one, other, {bound(weights)} as most, {may_ask(weights)} as asked from (
                select join_key_l as one, join_key_r as other, {two} from pairs
                join signatures l on l.record = join_key_l join signatures r on r.record = join_key_r
            )
        ) on one = record_l and other = record_r"""
    ).fetchall()
    assert len(found) == len(records) * (len(records) - 1) // 2
    for one, other, score, most, asked, levels in found:
        expected = match(records[one], records[other])
        assert score == pytest.approx(expected.score)
        assert tuple(map(level_of, COMPARISONS, levels)) == expected.levels
        assert most >= score
        least = weights.probable if expected.levels[0] == "same" else weights.queue
        assert asked or score < float(least)
    assert {asked for *_, asked, _ in found} == {True, False}


def test_each_kind_of_number_has_a_bit_of_its_own_in_a_signature() -> None:
    assert len(KINDS) < 64
    records = [record({"resourceType": "Patient", "id": kind}) for kind in KINDS]
    alone = [msgspec.structs.replace(each, number_kinds=frozenset({each.id})) for each in records]
    database = duckdb.connect()
    database.register("records", features(alone, range(len(alone)), bytes(32)))
    signed = database.execute(f"select number_kinds from ({signatures(matching_weights())})").fetchall()
    assert len({bits for (bits,) in signed} - {0}) == len(KINDS)


def test_the_same_settings_are_sql_of_spark() -> None:
    for comparison in settings(matching_weights(), "spark")["comparisons"]:
        for level in comparison["comparison_levels"]:
            condition: str = level["sql_condition"]
            if condition != "ELSE":
                parsed = sqlglot.parse_one(condition, dialect="spark")
                assert "list_has" not in parsed.sql(dialect="spark")
    statement = scored(matching_weights(), "pairs", "spark")
    assert "float8" not in statement  # a type that Spark does not know
    assert "list_has" not in sqlglot.parse_one(statement, dialect="spark").sql(dialect="spark")
    creator = SettingsCreator(**settings(matching_weights(), "spark"))
    assert len(creator.get_settings("spark").comparisons) == len(COMPARISONS)
