"""The settings of Splink, made of the same comparisons and weights as a single comparison.

Splink turns them into SQL for the engine it is given: DuckDB here, Spark where there are more
records. A weight in them is the logarithm of ``m/u`` of the definition, so the score of a pair
is that of :func:`kintung.identity.matching.match`.
"""

from typing import Any

from kintung.definitions.matching import MatchingWeights
from kintung.identity.matching.conditions import Dialect
from kintung.identity.matching.levels import COMPARISONS, Comparison

FREQUENCY = "surname_term"
"""The column whose frequency adjusts weights; the frequency itself is in the column ``tf_surname_term``."""

EVEN = 0.5
"""Prior that adds nothing to a score."""


def settings(weights: MatchingWeights | None, dialect: Dialect = "duckdb", **further: Any) -> dict[str, Any]:
    """Return the settings as a dict, with the weights or, for training, without.

    Args:
        further: members that Splink's settings have besides.
    """
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record",
        "probability_two_random_records_match": EVEN,
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": False,
        "comparisons": [_comparison(each, weights, dialect) for each in COMPARISONS],
        "blocking_rules_to_generate_predictions": [],
        **further,
    }


def _comparison(comparison: Comparison, weights: MatchingWeights | None, dialect: Dialect) -> dict[str, Any]:
    unknown = {
        "sql_condition": f"not {comparison.comparable.sql(dialect)}",
        "label_for_charts": "unknown",
        "is_null_level": True,
    }
    found: list[dict[str, Any]] = [unknown]
    for level in comparison.levels:
        sql = level.condition.sql(dialect) if level.condition else "ELSE"
        written: dict[str, Any] = {"sql_condition": sql, "label_for_charts": level.name}
        if weights is not None:
            of_level = weights.comparisons[comparison.name][level.name]
            written |= {"m_probability": float(of_level.m), "u_probability": float(of_level.u)}
            if level.by_frequency:
                written |= {"tf_adjustment_column": FREQUENCY, "disable_tf_exact_match_detection": True}
        found.append(written)
    return {"output_column_name": column(comparison), "comparison_levels": found}


def column(comparison: Comparison) -> str:
    """The name of a comparison as a column."""
    return comparison.name.replace("-", "_")


def level_of(comparison: Comparison, gamma: int) -> str | None:
    """The level that Splink's number of it stands for: -1 unknown, 0 the last, and so on upwards."""
    return None if gamma < 0 else comparison.levels[len(comparison.levels) - 1 - gamma].name
