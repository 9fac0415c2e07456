"""How much ``_include`` and ``_revinclude`` may give: bounds and refusals of every store.

What is over a bound is refused and not cut: a page of which something is left out would look
whole. Only what the reader may see is counted. Source: http://hl7.org/fhir/R4/search.html#include.
"""

from collections.abc import Iterable

from kintung.errors import TooCostly
from kintung.fhir.search import Include

MOST_INCLUDED = 1_000
"""Resources included with one page."""
INCLUDED_BYTES = 32 * 1024 * 1024
"""Bodies of what is included with one page."""
MOST_ROUNDS = 8
"""Steps from a match that ``:iterate`` goes."""

_ADVICE = "ask for fewer by _count, name one type as in Observation:subject:Patient, or search it by itself"


def too_many(includes: Iterable[Include]) -> TooCostly:
    """The refusal of more than ``MOST_INCLUDED``."""
    return TooCostly(
        f"more than {MOST_INCLUDED:,} resources would be included in a page; {_ADVICE}", path=_name(includes)
    )


def too_large(includes: Iterable[Include]) -> TooCostly:
    """The refusal of more than ``INCLUDED_BYTES``."""
    megabytes = INCLUDED_BYTES // (1024 * 1024)
    return TooCostly(
        f"what would be included in a page has more than {megabytes} MB; {_ADVICE}", path=_name(includes)
    )


def too_far(includes: Iterable[Include]) -> TooCostly:
    """The refusal of what leads on after ``MOST_ROUNDS``."""
    return TooCostly(
        f":iterate goes at most {MOST_ROUNDS} steps, and here it leads further;"
        " follow fewer references, or search from where it ends",
        path=_name(includes),
    )


def _name(includes: Iterable[Include]) -> str:
    return "_revinclude" if all(include.reverse for include in includes) else "_include"
