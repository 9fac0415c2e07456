"""FHIR R4 search: parameters, index rows, and the grammar of queries.

One search parameter is a few **atoms**; a resource yields index rows that name their atom
(:func:`extract`); a query is parsed once (:func:`parse_query`) and each store interprets the
same frozen :class:`Query`. Whether a resource meets a criterion is said by :func:`holds`.
"""

from kintung.fhir.search.asked import common
from kintung.fhir.search.care_dates import care_between
from kintung.fhir.search.catalogue import fingerprint, resource_types
from kintung.fhir.search.compartments import compartment, compartment_types, in_compartment, members
from kintung.fhir.search.conditions import OtherForms, no_others
from kintung.fhir.search.criteria import (
    AllOf,
    AnyOf,
    Care,
    Chain,
    Compartment,
    Condition,
    Criterion,
    Everything,
    Has,
    Include,
    Query,
    Sort,
    is_of_itself,
    query_pairs,
)
from kintung.fhir.search.dates import OFFSET_MINUTES, span
from kintung.fhir.search.decimals import bound_keys
from kintung.fhir.search.extract import extract
from kintung.fhir.search.inclusion import includes_of, revincludes_of
from kintung.fhir.search.limits import SEARCH_LIMITS, SearchLimits
from kintung.fhir.search.match import holds
from kintung.fhir.search.parameters import Answered, Branch, Parameter, parameters
from kintung.fhir.search.query import count_of, parse_query
from kintung.fhir.search.rows import Composite, Extracted, OfType, String, Target, Token
from kintung.fhir.search.value_grammar import escape, token_of
from kintung.fhir.search.values import (
    CompositeValue,
    DateValue,
    Missing,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriBelow,
    UriValue,
    Value,
)

__all__ = [
    "OFFSET_MINUTES",
    "SEARCH_LIMITS",
    "AllOf",
    "Answered",
    "AnyOf",
    "Branch",
    "Care",
    "Chain",
    "Compartment",
    "Composite",
    "CompositeValue",
    "Condition",
    "Criterion",
    "DateValue",
    "Everything",
    "Extracted",
    "Has",
    "Include",
    "Missing",
    "NumberValue",
    "OfType",
    "OtherForms",
    "Parameter",
    "QuantityValue",
    "Query",
    "ReferenceValue",
    "SearchLimits",
    "Sort",
    "String",
    "StringValue",
    "Target",
    "Token",
    "TokenValue",
    "UriBelow",
    "UriValue",
    "Value",
    "bound_keys",
    "care_between",
    "common",
    "compartment",
    "compartment_types",
    "count_of",
    "escape",
    "extract",
    "fingerprint",
    "holds",
    "in_compartment",
    "includes_of",
    "is_of_itself",
    "members",
    "no_others",
    "parameters",
    "parse_query",
    "query_pairs",
    "resource_types",
    "revincludes_of",
    "span",
    "token_of",
]
