"""A parsed search, read alike by every store.

Criteria are ANDed, the values of one criterion ORed. Source:
http://hl7.org/fhir/R4/search.html and ``docs/explanation/spec-readings.md``.
"""

from dataclasses import dataclass
from typing import Literal

from kintung.errors import Issue
from kintung.fhir.search.in_bodies import InBody
from kintung.fhir.search.parameters import Parameter
from kintung.fhir.search.values import Value
from kintung.fhir.subset import Subset

Modifier = Literal["missing", "exact", "contains", "not"]
Total = Literal["none", "estimate", "accurate"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """``parameter:modifier=value,value``.

    With ``missing`` there is one value, a Missing. With ``not`` no row may match any value.
    A ``:Type`` modifier is folded into the types of the values.
    """

    parameter: Parameter
    modifier: Modifier | None
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """``reference.inner=value``: some reference of the parameter leads to a current resource,
    visible to the reader, of one of the ``targets`` and meeting the condition of that type."""

    parameter: Parameter
    inner: tuple[tuple[str, "Condition"], ...]
    """(target type, what must hold of it), for each target type that has the inner parameter."""

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(type for type, _ in self.inner)


@dataclass(frozen=True, slots=True)
class Has:
    """``_has:Type:reference:inner=value``: some current resource of the type, visible to the
    reader, leads here by the parameter and meets the inner condition."""

    type: str
    parameter: Parameter
    inner: "Condition"


@dataclass(frozen=True, slots=True)
class Compartment:
    """In the compartment of a resource of the type that has one of the ids: a reference of the
    parameter leads there, whatever became of it; or, with ``itself``, it is that resource."""

    type: str
    ids: tuple[str, ...]
    parameter: Parameter
    itself: bool


@dataclass(frozen=True, slots=True)
class Care:
    """The time of care from ``low`` to ``high`` (UTC microseconds, half-open), by the dates of a parameter.

    A resource is within when one of its dates overlaps it, or when it has none.
    """

    parameter: Parameter
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Everything:
    """In the compartment, current, visible to the reader and within the time of care; or what a
    reference of such a resource leads to, but for other resources of the type ``apart``."""

    compartment: Compartment
    care: Care | None = None
    apart: str = ""


@dataclass(frozen=True, slots=True)
class AllOf:
    """Each of the conditions holds of the resource; they are of itself alone."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of the conditions holds of the resource; they are of itself alone."""

    conditions: tuple["Condition", ...]


Condition = Criterion | Chain | Has | Compartment | Everything | AllOf | AnyOf
"""What may be asked of a resource: of itself, of what it leads to, of what leads to it."""


def is_of_itself(condition: Condition) -> bool:
    """Does the resource alone decide it, whatever else there is?"""
    return isinstance(condition, Criterion | AllOf | AnyOf)


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of ``_sort``. Resources without a value come last in both directions."""

    parameter: Parameter
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """``_include=type:parameter:target``, or ``_revinclude`` when ``reverse``.

    Each of the ``parameters`` is of the one type (``Parameter.type``) whose references are
    followed, those to a resource of the type ``target`` alone unless it is None. ``iterate``:
    not from the matches of a page only, but from all that was included as well.
    """

    parameters: tuple[Parameter, ...]
    target: str | None = None
    reverse: bool = False
    iterate: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A search of one type, of several (system level), or of all (``types == ()``).

    ``used`` are the name and value pairs that were understood, as sent, for the self link;
    ``ignored`` says what a lenient reading left out. ``subset`` is the part of each resource
    that is shown: stores give whole ones. ``in_bodies`` are the conditions that are read in the
    bodies of what meets the criteria, of which at most ``most_bodies`` are opened. A total is
    counted up to ``most_counted``, and is that when there are as many or more; None has no end.
    """

    types: tuple[str, ...] = ()
    criteria: tuple[Condition, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int = 20
    total: Total = "none"
    includes: tuple[Include, ...] = ()
    subset: Subset | None = None
    used: tuple[tuple[str, str], ...] = ()
    ignored: tuple[Issue, ...] = ()
    in_bodies: tuple[InBody, ...] = ()
    most_bodies: int = 5_000
    most_counted: int | None = None

    def counted(self, total: int) -> int:
        """The total that is given for so many matches."""
        return total if self.most_counted is None else min(total, self.most_counted)


def query_pairs(query: Query) -> tuple[tuple[str, str], ...]:
    """Return the name and value pairs of the self link: those understood, in the order sent."""
    return query.used
