"""The grammar of a search: from name and value pairs to a Query.

Source: http://hl7.org/fhir/R4/search.html, sections 3.1.1.4 and 3.1.1.5.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kintung.fhir.search.criteria import Query


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """Bounds on what one search may ask."""

    parameters: int = 100
    values: int = 500
    value_length: int = 4_096
    """Characters of the whole right side of one parameter are bounded by the web layer's URL
    or body limit; this bounds one alternative."""
    count: int = 1_000
    default_count: int = 20


SEARCH_LIMITS = SearchLimits()


def parse_query(  # noqa: PLR0913 - what a search depends on
    type: str | None,
    pairs: Sequence[tuple[str, str]],
    *,
    now_micros: int,
    offset_minutes: int = 480,
    limits: SearchLimits = SEARCH_LIMITS,
    lenient: bool = False,
    ignore: Collection[str] = (),
) -> Query:
    """Parse the decoded pairs of a search.

    Args:
        type: the resource type searched, None at system level (``_type`` may narrow it).
        pairs: names and values, percent-decoded, in the order sent.
        now_micros: for the ``ap`` prefix of dates, microseconds since 1970 UTC.
        offset_minutes: zone of dates without one, minutes east of UTC.
        lenient: leave out parameters that are not known, saying so in ``Query.ignored``.
        ignore: names that are the caller's own business (``_format``, cursors).

    Raises:
        NotSupported: a parameter, modifier or sort key is not offered here.
        ValueInvalid: a value is not of the kind its parameter takes.
        TooLong: over one of the limits.
        BadInput: anything else that cannot be understood. ``path`` is the parameter's name.
    """
    raise NotImplementedError
