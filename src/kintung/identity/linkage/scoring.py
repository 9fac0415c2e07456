"""Scores of pairs as SQL: Splink's own, made of its settings.

Splink writes each step of a prediction as a query; here they are put together as one statement,
so that nothing but levels and scores is kept of a pair.
"""

from importlib import import_module
from typing import Any

from kintung.definitions.matching import MatchingWeights
from kintung.identity.linkage.settings import settings
from kintung.identity.matching.conditions import Dialect


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
