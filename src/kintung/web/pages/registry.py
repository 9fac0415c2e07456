"""The registry of pages: every page, said once, with its right and how it keeps to consent.

As in the registry of the FHIR API, a page that does not declare its policy does not load, and a test
walks all.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl

from kintung.consent import Access, Policy, Right, Undeclared, require_policy
from kintung.errors import NotFound
from kintung.store.port import View
from kintung.web.fhir.answer import Answer
from kintung.web.outcomes import MethodNotAllowed
from kintung.web.pages.language import Language
from kintung.web.site import Site


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a page.

    ``lang`` is the language when the address chose it, else ""; ``named`` what stands in the path;
    ``base`` the address of the FHIR API as who asks reaches it.
    """

    method: str
    path: str
    query: str
    access: Access
    language: Language
    lang: str
    named: Mapping[str, str]
    base: str = ""
    body: bytes = b""

    def first(self, name: str) -> str:
        """The first value of a parameter of the address, "" where there is none."""
        pairs = parse_qsl(self.query, errors="replace", max_num_fields=_MOST_FIELDS)
        return next((value for key, value in pairs if key == name), "")

    def kept(self, *names: str) -> dict[str, str]:
        """The parameters of these names, for the same page in another language."""
        return {name: value for name in names if (value := self.first(name))}


_MOST_FIELDS = 1_000


class Done(NamedTuple):
    """What follows from a form: ``shows`` says whether the answer shows something of the record."""

    answer: Answer
    shows: bool = False


@dataclass(frozen=True, slots=True)
class Shows:
    """Shows something of the record, from one view."""

    answer: Callable[[Site, Asked, View], Answer]


@dataclass(frozen=True, slots=True)
class Prints:
    """Shows something of the record in a document, which is made of one view after that is closed.

    An answer that is there already is no document: a page that says what to ask instead.
    """

    answer: Callable[[Site, Asked, View], Callable[[], Answer] | Answer]


@dataclass(frozen=True, slots=True)
class Acts:
    """Takes a form and writes; what it writes or refuses puts itself on record."""

    answer: Callable[[Site, Asked], Done]


@dataclass(frozen=True, slots=True)
class Brings:
    """Brings what is no part of the record."""

    answer: Callable[[Asked], Answer]


@dataclass(frozen=True, slots=True)
class Tells:
    """Tells of the node or of definitions, and nothing of the record."""

    answer: Callable[[Site, Asked], Answer]


@dataclass(frozen=True, slots=True)
class Carries:
    """Takes a form and turns it into an address, where it is answered: reads and writes nothing itself."""

    answer: Callable[[Site, Asked], Answer]


Action = Shows | Prints | Acts | Brings | Tells | Carries


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``path`` has ``{name}`` for one segment; ``name`` is what the audit calls it."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    action: Action
    right: Right | None
    policy: Policy


_FITTING: Mapping[type[Action], Policy] = {
    Shows: Policy.DISCLOSES,
    Prints: Policy.DISCLOSES,
    Acts: Policy.DEPOSITS,
    Brings: Policy.OPEN,
    Tells: Policy.OPEN,
    Carries: Policy.CARRIES,
}


class Pages:
    """Pages by address and method."""

    def __init__(self, pages: Iterable[Page]) -> None:
        """Load the pages.

        Raises:
            Undeclared: a page has no policy, or one that contradicts its right or its action.
        """
        self.pages = tuple(pages)
        self.mounts = frozenset(page.path.split("/")[1] for page in self.pages)
        for page in self.pages:
            require_policy(page.name, page.right, page.policy)
            if page.policy is not _FITTING[type(page.action)]:
                raise Undeclared(f"{page.name} does more than its policy {page.policy} says.")

    def holds(self, path: str) -> bool:
        """Is an address one of pages, whether there is one or not?"""
        return path.split("/", 2)[1] in self.mounts if path.startswith("/") else False

    def find(self, method: str, path: str) -> tuple[Page, Mapping[str, str]]:
        """The page of an address, and what stands in it. HEAD is GET.

        Raises:
            NotFound: no such address.
            MethodNotAllowed: the address does not take this method.
        """
        allowed: list[str] = []
        for page in self.pages:
            named = _named(page.path, path)
            if named is None:
                continue
            if page.method == ("GET" if method == "HEAD" else method):
                return page, named
            allowed += ["GET", "HEAD"] if page.method == "GET" else [page.method]
        if allowed:
            raise MethodNotAllowed(f"{method} is not offered here.", allowed)
        raise NotFound("There is no page at this address.")


def _named(pattern: str, path: str) -> dict[str, str] | None:
    """What stands for the names of a pattern; None when the path is of another form."""
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given) or not path.isprintable() or not path.isascii():
        return None
    named: dict[str, str] = {}
    for want, segment in zip(wanted, given, strict=True):
        if want.startswith("{"):
            named[want.strip("{}")] = segment
        if segment != want and not (want.startswith("{") and segment):
            return None
    return named
