"""Which part of a resource is asked for, where no search is: ``_summary`` and ``_elements``.

Source: http://hl7.org/fhir/R4/http.html#parameters.
"""

from collections.abc import Mapping

from kintung.errors import NotSupported, ValueInvalid
from kintung.fhir.subset import Subset, Summary, elements_of, subset, summary_of
from kintung.web.fhir.request import HOW, Request, not_offered

PART = ("_summary", "_elements")


def part_of(values: Mapping[str, str], type: str) -> tuple[Subset | None, Summary | None]:
    """The part that parameters ask for of resources of ``type``, "" for any; and their summary."""
    summary = summary_of(values["_summary"]) if "_summary" in values else None
    types = (type,) if type else ()
    elements = elements_of(values["_elements"], types) if "_elements" in values else None
    return subset(summary, elements), summary


def part_alone(request: Request) -> Subset | None:
    """The part of one resource, where nothing else is asked.

    Raises:
        BadInput: there is another parameter, or one comes twice.
        NotSupported: a count is asked for: there is one.
    """
    values: dict[str, str] = {}
    for name, value in request.pairs:
        if name in HOW:
            continue
        if name not in PART:
            raise not_offered(name)
        if name in values:
            raise ValueInvalid(f"{name} is given once.", path=name)
        values[name] = value
    part, summary = part_of(values, request.type)
    if summary == "count":
        raise NotSupported("_summary=count is for searches and histories.", path="_summary")
    return part
