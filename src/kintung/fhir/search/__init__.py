"""FHIR R4 search: parameters, index rows, and the grammar of queries.

One search parameter is a few **atoms**; a resource yields index rows that name their atom
(:func:`extract`); a query is parsed once (:func:`parse_query`) and each store interprets the
same frozen :class:`Query`. What each value means on one row is said by :func:`matches`.
"""

from kintung.fhir.search.atoms import Kind
from kintung.fhir.search.catalogue import fingerprint, resource_types
from kintung.fhir.search.composites import extract_composites
from kintung.fhir.search.criteria import Chain, Criterion, Modifier, Query, Sort, Total, query_pairs
from kintung.fhir.search.dates import MAX_MICROS, MIN_MICROS, OFFSET_MINUTES, span
from kintung.fhir.search.decimals import GREATEST_KEY, LEAST_KEY, bound_keys, decimal_key
from kintung.fhir.search.extract import extract
from kintung.fhir.search.match import holds, matches, rows_of, sort_value
from kintung.fhir.search.parameters import Answered, Branch, Parameter, parameter, parameters
from kintung.fhir.search.query import SEARCH_LIMITS, SearchLimits, count_of, parse_query
from kintung.fhir.search.rows import Date, Extracted, Quantity, Reference, String, Token
from kintung.fhir.search.text import fold
from kintung.fhir.search.values import (
    DateValue,
    Missing,
    NumberValue,
    Prefix,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    Value,
)

__all__ = [
    "GREATEST_KEY",
    "LEAST_KEY",
    "MAX_MICROS",
    "MIN_MICROS",
    "OFFSET_MINUTES",
    "SEARCH_LIMITS",
    "Answered",
    "Branch",
    "Chain",
    "Criterion",
    "Date",
    "DateValue",
    "Extracted",
    "Kind",
    "Missing",
    "Modifier",
    "NumberValue",
    "Parameter",
    "Prefix",
    "Quantity",
    "QuantityValue",
    "Query",
    "Reference",
    "ReferenceValue",
    "SearchLimits",
    "Sort",
    "String",
    "StringValue",
    "Token",
    "TokenValue",
    "Total",
    "UriValue",
    "Value",
    "bound_keys",
    "count_of",
    "decimal_key",
    "extract",
    "extract_composites",
    "fingerprint",
    "fold",
    "holds",
    "matches",
    "parameter",
    "parameters",
    "parse_query",
    "query_pairs",
    "resource_types",
    "rows_of",
    "sort_value",
    "span",
]
