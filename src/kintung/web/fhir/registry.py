"""The registry: every interaction and operation, said once.

Routing, the CapabilityStatement and the OpenAPI document are made from it, and a test walks
it. An interaction or a search parameter that does not declare how it keeps to consent does not load.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kintung.consent import Policy, Right, Undeclared, require_answered, require_policy
from kintung.definitions import ownership_rules
from kintung.errors import NotFound
from kintung.fhir.search import Parameter, parameters
from kintung.store.port import Unit, View
from kintung.store.writes import AuditRecord, Receipt
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.request import Request
from kintung.web.outcomes import MethodNotAllowed
from kintung.web.site import Site

# --- How an interaction works --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reads:
    """Answers from one view. ``by_id`` reads so little that no thread is needed."""

    answer: Callable[[Site, Request, View], Answer]
    by_id: bool = False


class Submission(NamedTuple):
    """A unit to commit, and the answer its receipt leads to."""

    unit: Unit
    answer: Callable[[Receipt], Answer]


@dataclass(frozen=True, slots=True)
class Writes:
    """Commits a unit."""

    submission: Callable[[Site, Request], Submission]


@dataclass(frozen=True, slots=True)
class Recordless:
    """Answers without the record: from the definitions, or from what was sent."""

    answer: Callable[[Site, Request], Answer]


@dataclass(frozen=True, slots=True)
class Carries:
    """Carries other requests in a Bundle; ``kintung.web.fhir.batch_or_transaction`` does them."""


@dataclass(frozen=True, slots=True)
class Later:
    """Tells of a request that is answered later, and what is to be on record before the answer leaves."""

    answer: Callable[[Site, Request], tuple[Answer, AuditRecord | None]]


Action = Reads | Writes | Recordless | Carries | Later
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Interaction:
    """One interaction or operation.

    Attributes:
        name: as the API page and the audit call it.
        path: under the base; ``{type}``, ``{id}``, ``{version}`` and ``{member}`` (the type searched in a
            compartment) stand for one segment each.
        right: what the caller must hold; None only where the policy asks for none.
        codes: of ``type-restful-interaction`` or ``system-restful-interaction``, for the
            CapabilityStatement; none for operations.
        operation: canonical of the OperationDefinition, for operations; ``{type}`` stands for the type.
        also: a second right the caller must hold.
        types: the resource types ``{type}`` may be; none named when any.
        may_be_later: answered later where the caller prefers it.
    """

    name: str
    method: Method
    path: str
    action: Action
    right: Right | None
    policy: Policy
    description: str
    codes: tuple[str, ...] = ()
    operation: str = ""
    also: Right | None = None
    types: tuple[str, ...] = ()
    may_be_later: bool = False


_FITTING: Mapping[type[Action], tuple[Policy, ...]] = {
    Reads: (Policy.DISCLOSES,),
    Writes: (Policy.DEPOSITS,),
    Recordless: (Policy.OPEN,),
    Carries: (Policy.CARRIES,),
    Later: (Policy.CARRIES,),
}
"""The policies that cover what an action does to the record."""


class Found(NamedTuple):
    """The interaction an address leads to, and what stands in the address."""

    interaction: Interaction
    parameters: Mapping[str, str]


RESOURCE_TYPES = tuple(rule.type for rule in ownership_rules())
"""The resource types a node holds: those with a rule that says whose they are."""


def searched_by() -> Iterator[Parameter]:
    """Every search parameter of every type a node holds."""
    for type in RESOURCE_TYPES:
        yield from parameters(type).values()


TYPES = frozenset(RESOURCE_TYPES)


class _Node:
    """One segment of the tree of addresses."""

    __slots__ = ("fixed", "interactions", "parameter", "variable")

    def __init__(self) -> None:
        self.interactions: dict[str, Interaction] = {}
        self.fixed: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.parameter = ""


class Registry:
    """Entries by address and method."""

    def __init__(self, interactions: Iterable[Interaction], searched: Iterable[Parameter] = ()) -> None:
        """Load the interactions, and let the parameters be ``searched`` by.

        Raises:
            Undeclared: an interaction has no policy, or one that contradicts its right or its action;
                a search parameter does not declare what answers it.
        """
        for parameter in searched:
            require_answered(parameter)
        self.interactions = tuple(interactions)
        self._root = _Node()
        for interaction in self.interactions:
            require_policy(interaction.name, interaction.right, interaction.policy)
            if interaction.policy not in _FITTING[type(interaction.action)]:
                raise Undeclared(f"{interaction.name} does more than its policy {interaction.policy} says.")
            self._add(interaction)

    def find(self, method: str, path: str) -> Found:
        """The interaction of a method and an address under the base (``Patient/1``). HEAD is GET.

        What begins with ``$`` or ``_`` is the name of an operation or interaction, never an id.

        Raises:
            NotFound: no such address, or no such resource type.
            MethodNotAllowed: the address does not take this method.
        """
        node, parameters = self._walk(path)
        interaction = node.interactions.get("GET" if method == "HEAD" else method)
        if interaction is None:
            raise MethodNotAllowed(f"{method} is not offered here.", self._allowed(node))
        return Found(interaction, parameters)

    def methods(self, path: str) -> list[str]:
        """The methods of an address, OPTIONS too; raises NotFound where there is none."""
        return self._allowed(self._walk(path)[0])

    def _walk(self, path: str) -> tuple["_Node", dict[str, str]]:
        """The end of an address in the tree, where something is; and what stands in the address."""
        if not path.isprintable():
            raise _unknown_address()  # no text of a database holds U+0000
        node = self._root
        parameters: dict[str, str] = {}
        for segment in path.split("/") if path else ():
            fixed = node.fixed.get(segment)
            if fixed is not None:
                node = fixed
            elif node.variable is not None and segment and segment[0] not in "$_":
                parameters[node.parameter] = segment
                node = node.variable
            else:
                raise _unknown_address()
        named = (parameters[name] for name in ("type", "member") if name in parameters)
        offered = (parameters["type"] in each.types for each in node.interactions.values() if each.types)
        if not node.interactions or not TYPES.issuperset(named) or not all(offered):
            raise _unknown_address()
        return node, parameters

    def _add(self, interaction: Interaction) -> None:
        node = self._root
        for segment in interaction.path.strip("/").split("/") if interaction.path else ():
            if segment.startswith("{"):
                if node.variable is None:
                    node.variable, node.parameter = _Node(), segment.strip("{}")
                node = node.variable
            else:
                node = node.fixed.setdefault(segment, _Node())
        address = f"{interaction.method} {interaction.path}"
        assert interaction.method not in node.interactions, f"{address} is registered twice"
        node.interactions[interaction.method] = interaction

    def _allowed(self, node: _Node) -> list[str]:
        heads = ["HEAD"] if "GET" in node.interactions else []
        return sorted([*node.interactions, *heads, "OPTIONS"])


def _unknown_address() -> NotFound:
    return NotFound("There is nothing at this address; see the CapabilityStatement at /metadata.")
