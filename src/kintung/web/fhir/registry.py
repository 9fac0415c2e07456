"""The registry: every interaction and operation, said once.

Routing, the CapabilityStatement and the OpenAPI document are made from it, and a test walks
it. An entry or a search parameter that does not declare how it keeps to consent does not load.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kintung.consent import Policy, Right, Undeclared, require_answered, require_policy
from kintung.definitions import ownership_rules
from kintung.errors import NotFound
from kintung.fhir.search import Parameter, parameters
from kintung.store.port import Receipt, Unit, View
from kintung.web.fhir.exchange import Answer, Request
from kintung.web.outcomes import MethodNotAllowed
from kintung.web.site import Site

# --- How an interaction works --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """Answers from one view. ``by_id`` reads so little that no thread is needed."""

    answer: Callable[[Site, Request, View], Answer]
    by_id: bool = False


class Submission(NamedTuple):
    """A unit to commit, and the answer its receipt leads to."""

    unit: Unit
    answer: Callable[[Receipt], Answer]


@dataclass(frozen=True, slots=True)
class Deposit:
    """Commits a unit."""

    submission: Callable[[Site, Request], Submission]


@dataclass(frozen=True, slots=True)
class Say:
    """Answers without the record: from the definitions, or from what was sent."""

    answer: Callable[[Site, Request], Answer]


@dataclass(frozen=True, slots=True)
class Carry:
    """Carries other requests in a Bundle; ``kintung.web.fhir.bundle`` does the work."""


Action = Look | Deposit | Say | Carry
Method = Literal["GET", "POST", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One interaction or operation.

    Attributes:
        name: as the API page and the audit call it.
        path: under the base; ``{type}``, ``{id}`` and ``{version}`` stand for one segment each.
        right: what the caller must hold; None only where the policy asks for none.
        codes: of ``type-restful-interaction`` or ``system-restful-interaction``, for the
            CapabilityStatement; none for operations.
        operation: canonical of the OperationDefinition, for operations.
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


_FITTING: Mapping[type[Action], tuple[Policy, ...]] = {
    Look: (Policy.DISCLOSES,),
    Deposit: (Policy.DEPOSITS,),
    Say: (Policy.OPEN,),
    Carry: (Policy.CARRIES,),
}
"""The policies that cover what an action does to the record."""


class Found(NamedTuple):
    """The entry an address leads to, and what stands in the address."""

    entry: Entry
    parameters: Mapping[str, str]


RESOURCE_TYPES = tuple(rule.type for rule in ownership_rules())
"""The resource types a node holds: those with a rule that says whose they are."""


def searched_by() -> Iterator[Parameter]:
    """Every search parameter of every type a node holds."""
    for type in RESOURCE_TYPES:
        yield from parameters(type).values()


_TYPES = frozenset(RESOURCE_TYPES)
_Leaf = dict[str, Entry]
_NO_PARAMETERS: Mapping[str, str] = {}


class _Node:
    """One segment of the tree of addresses."""

    __slots__ = ("entries", "fixed", "parameter", "variable")

    def __init__(self) -> None:
        self.entries: _Leaf = {}
        self.fixed: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.parameter = ""


class Registry:
    """Entries by address and method."""

    def __init__(self, entries: Iterable[Entry], searched: Iterable[Parameter] = ()) -> None:
        """Load the entries, and let the parameters be ``searched`` by.

        Raises:
            Undeclared: an entry has no policy, or one that contradicts its right or its action;
                a search parameter does not declare what answers it.
        """
        for parameter in searched:
            require_answered(parameter)
        self.entries = tuple(entries)
        self._root = _Node()
        for entry in self.entries:
            require_policy(entry.name, entry.right, entry.policy)
            if entry.policy not in _FITTING[type(entry.action)]:
                raise Undeclared(f"{entry.name} does more than its policy {entry.policy} says.")
            self._add(entry)

    def find(self, method: str, path: str) -> Found:
        """The entry of a method and an address under the base (``Patient/1``). HEAD is GET.

        What begins with ``$`` or ``_`` is the name of an operation or interaction, never an id.

        Raises:
            NotFound: no such address, or no such resource type.
            MethodNotAllowed: the address does not take this method.
        """
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
        entry = node.entries.get("GET" if method == "HEAD" else method)
        if not node.entries or ("type" in parameters and parameters["type"] not in _TYPES):
            raise _unknown_address()
        if entry is None:
            raise MethodNotAllowed(f"{method} is not offered here.", self._allowed(node))
        return Found(entry, parameters)

    def _add(self, entry: Entry) -> None:
        node = self._root
        for segment in entry.path.strip("/").split("/") if entry.path else ():
            if segment.startswith("{"):
                if node.variable is None:
                    node.variable, node.parameter = _Node(), segment.strip("{}")
                node = node.variable
            else:
                node = node.fixed.setdefault(segment, _Node())
        assert entry.method not in node.entries, f"{entry.method} {entry.path} is registered twice"
        node.entries[entry.method] = entry

    def _allowed(self, node: _Node) -> list[str]:
        return [*node.entries, *(["HEAD"] if "GET" in node.entries else [])]


def _unknown_address() -> NotFound:
    return NotFound("There is nothing at this address; see the CapabilityStatement at /metadata.")
