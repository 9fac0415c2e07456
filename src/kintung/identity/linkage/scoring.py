"""Scores of pairs as SQL: Splink's own, made of its settings, and a bound that is cheap to have.

Splink writes each step of a prediction as a query; here they are put together as one statement,
so that nothing but levels and scores is kept of a pair. Few pairs can reach what is asked of them:
the bound takes what two records share of numbers, telephones and addresses as it is, and of the
rest the most that could be said, with surnames by how frequent they are.
"""

import re
from importlib import import_module
from math import log2
from typing import Any

from kintung.definitions.matching import MatchingWeights
from kintung.identity.linkage.settings import FREQUENCY, settings
from kintung.identity.matching.conditions import Dialect
from kintung.identity.matching.levels import COMPARISONS, Comparison, Level

EXACT = ("number", "phone", "address")
"""Comparisons whose level the bound knows."""
SLACK = 1e-6
"""Bits that sums in another order may differ by."""


def scored(weights: MatchingWeights, pairs: str, dialect: Dialect = "duckdb") -> str:
    """The query for ``record_l``, ``record_r``, ``match_weight`` and each ``gamma_``.

    Args:
        pairs: a table with the records of each pair, ``join_key_l`` and ``join_key_r``, and ``match_key``.
    """
    internals = "splink.internals"
    creator: Any = import_module("splink").SettingsCreator
    predict: Any = import_module(f"{internals}.predict").predict_from_comparison_vectors_sqls
    compare: Any = import_module(
        f"{internals}.comparison_vector_values"
    ).compute_comparison_vector_values_from_id_pairs_sqls
    splink_dialect: Any = import_module(f"{internals}.dialects").SplinkDialect
    made = creator(**settings(weights, dialect, retain_matching_columns=False)).get_settings(dialect)
    steps = [
        {"output_table_name": "__splink__blocked_id_pairs", "sql": f"select * from {pairs}"},
        *compare(
            made._columns_to_select_for_blocking,
            made._columns_to_select_for_comparison_vector_values,
            input_tablename_l="records",
            input_tablename_r="records",
            source_dataset_input_column=None,
            unique_id_input_column=made.column_info_settings.unique_id_input_column,
            link_type="dedupe_only",
            sql_dialect_str=dialect,
        ),
        *predict(
            unique_id_input_columns=made.column_info_settings.unique_id_input_columns,
            core_model_settings=made.core_model_settings,
            sql_dialect=splink_dialect.from_string(dialect),
            training_mode=True,  # keeps the levels
        ),
    ]
    named = ", ".join(f"{step['output_table_name']} as ({step['sql']})" for step in steps[:-1])
    statement = f"with {named} {steps[-1]['sql']}"
    return statement.replace("float8", "double") if dialect == "spark" else statement


def bound(weights: MatchingWeights) -> str:
    """An expression of the features of two records, as ``needed`` names them: no score is more.

    Of the ways to compare a name, and of the two to compare a date, one is used of a pair.
    """
    groups: dict[str, list[str]] = {}
    for comparison in COMPARISONS:
        bits = _exact(comparison, weights) if comparison.name in EXACT else _most(comparison, weights)
        groups.setdefault(comparison.name.partition("-")[0], []).append(bits)
    most = (
        each[0] if name in EXACT else f"greatest(0.0, {', '.join(each)})" for name, each in groups.items()
    )
    return f"{SLACK} + {' + '.join(most)}"


def may_ask(weights: MatchingWeights) -> str:
    """Whether the bound lets two records come before a steward: what fails this never does."""
    number = COMPARISONS[0].levels[0].condition
    assert number is not None
    least = f"case when {number.sql('duckdb')} then {weights.probable} else {weights.queue} end"
    return f"{bound(weights)} >= {least}"


def needed(weights: MatchingWeights) -> list[str]:
    """The features that the bound is of; each is a column with ``_l`` and one with ``_r``."""
    return sorted(set(re.findall(r"\b([a-z_]+)_l\b", may_ask(weights))))


def _exact(comparison: Comparison, weights: MatchingWeights) -> str:
    bits = {level.name: _bits(comparison, level, weights) for level in comparison.levels}
    steps = " ".join(
        f"when {level.condition.sql('duckdb')} then {bits[level.name]}"
        for level in comparison.levels
        if level.condition
    )
    last = bits[comparison.levels[-1].name]
    return f"case when not {comparison.comparable.sql('duckdb')} then 0.0 {steps} else {last} end"


def _most(comparison: Comparison, weights: MatchingWeights) -> str:
    frequency = f"log2(coalesce(greatest(tf_{FREQUENCY}_l, tf_{FREQUENCY}_r), 1.0))"
    return ", ".join(
        f"{log2(float(weights.comparisons[comparison.name][level.name].m))} - {frequency}"
        if level.by_frequency
        else str(_bits(comparison, level, weights))
        for level in comparison.levels
    )


def _bits(comparison: Comparison, level: Level, weights: MatchingWeights) -> float:
    of_level = weights.comparisons[comparison.name][level.name]
    return log2(float(of_level.m) / float(of_level.u))
