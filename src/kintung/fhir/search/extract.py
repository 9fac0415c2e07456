"""From a resource to its index rows.

``resource`` has passed structure validation: elements have the shapes of their definitions.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from kintung.errors import BadInput, ValueInvalid
from kintung.fhir.search import convert
from kintung.fhir.search.atoms import Atom, Pair
from kintung.fhir.search.catalogue import resource_types, type_catalogue
from kintung.fhir.search.dates import OFFSET_MINUTES, span
from kintung.fhir.search.generate import source
from kintung.fhir.search.rows import Composite, Date, Extracted, Quantity, Reference, String, Target, Token
from kintung.fhir.search.text import folded

Rows = tuple[list[Token], list[Reference], list[Date], list[String], list[Quantity], list[Composite]]
Extractor = Callable[[dict[str, Any], int], Rows]
Row = TypeVar("Row")


def extract(resource: dict[str, Any], *, offset_minutes: int = OFFSET_MINUTES) -> Extracted:
    """Return the index rows of a valid resource.

    Args:
        resource: as ``kintung.fhir.json.parse`` gives it, decimals as Decimal or int.
        offset_minutes: zone of dates without one, minutes east of UTC.

    Raises:
        BadInput: the resource is of no R4 type.
        ValueInvalid: a date names a day or time that does not exist.
    """
    type: str = resource["resourceType"]
    try:
        rows = extractor(type)(resource, offset_minutes)
    except ValueError as refusal:
        raise ValueInvalid(str(refusal), path=type) from refusal
    tokens, references, dates, strings, quantities, composites = rows
    return Extracted(
        _distinct(tokens),
        _distinct(references),
        _distinct(dates),
        _distinct(strings),
        _distinct(quantities),
        _distinct(composites),
    )


@cache
def extractor(type: str) -> Extractor:
    """Return the compiled extractor of a resource type; its rows may repeat."""
    if type not in resource_types():
        raise BadInput(f"{type!r} is not a resource type of FHIR R4", path="resourceType")
    found = type_catalogue(type)
    return compiled(found.atoms, found.pairs, type)


def compiled(atoms: tuple[Atom, ...], pairs: tuple[Pair, ...], name: str) -> Extractor:
    """Return the extractor of some atoms; ``name`` shows in tracebacks."""
    names: dict[str, Any] = {**vars(convert), "span": span, "folded": folded, "Target": Target}
    code = compile(source("extractor", atoms, pairs), f"<extractor of {name}>", "exec")
    exec(code, names)  # noqa: S102 - the source is made from the packaged artefact alone
    return names["extractor"]


def _distinct(rows: list[Row]) -> list[Row]:
    return list(dict.fromkeys(rows)) if len(rows) > 1 else rows
