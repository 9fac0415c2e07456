"""What is doubtful about the numbers of a resource that says who somebody is.

A record keeps what a source says, so nothing here refuses anything: these are warnings, for who
wrote the resource to look at. What they name is no evidence of who somebody is (``is_valid``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, cast

from kintung.errors import Issue, KintungError
from kintung.identity.identifiers.documents import parse

PEOPLE = frozenset(("Patient", "Person", "RelatedPerson"))
"""Types whose identifiers are those of somebody."""


def warnings(resource: Mapping[str, Any], on: date) -> list[Issue]:
    """A warning, with its path, for each identifier that is not a number of a system known here.

    Args:
        resource: of any type and shape; only the ``identifier`` of ``PEOPLE`` is looked at.
        on: today; a birth date inside a number that is later is impossible.
    """
    type = resource.get("resourceType")
    if not isinstance(type, str) or type not in PEOPLE:
        return []
    return [replace(issue, severity="warning") for issue in _found(resource, type, on)]


def _found(resource: Mapping[str, Any], type: str, on: date) -> Iterator[Issue]:
    listed = resource.get("identifier")
    for place, sent in enumerate(cast("list[object]", listed) if isinstance(listed, list) else ()):
        identifier = cast("dict[str, object]", sent) if isinstance(sent, dict) else {}
        system, value = identifier.get("system"), identifier.get("value")
        if not isinstance(value, str):
            continue
        path = f"{type}.identifier[{place}]"
        try:
            parse(system if isinstance(system, str) else "", value, path=path, on=on)
        except KintungError as error:
            yield from error.issues
