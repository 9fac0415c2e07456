"""The systems that public documents of policy ask for, and how far each has come, from ``seeds/``.

Every system ends as a working screen or call, or as a plain statement that no software can hold it. Tests
hold each quotation to its document and each claim to its screens, calls and tests.
"""

from collections import Counter
from datetime import date
from functools import cache
from typing import Literal, get_args

import msgspec

from kintung.definitions.label import Wording
from kintung.definitions.reader import read
from kintung.errors import ValueInvalid

State = Literal["works", "partly", "planned", "no-software"]
STATES: tuple[State, ...] = get_args(State)
CLAIMS: tuple[State, ...] = ("works", "partly")
"""States that name what shows them."""
Home = Literal[
    "store", "web", "consent", "terminology", "registers", "exchange", "pathways", "referral", "subsidy",
    "formulary", "purchasing", "analytics", "definitions", "docs",
]  # fmt: skip
"""The part of the system that holds it: a package, or the documentation."""


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public document in Traditional Chinese, cited by ``id``.

    ``title`` is its own; ``name`` a short one. ``published`` is a year, a month or a day, as FHIR writes
    dates.
    """

    id: str
    name: Wording
    title: str
    publisher: Wording
    published: str
    about: Wording


class Seed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a document says of a system, in its own words; ``at`` is the paragraph or heading."""

    document: str
    at: str
    quote: str


class PolicySystem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One system, and how it stands from the day ``since`` on.

    ``screens`` are addresses of pages, ``calls`` those of the API with their method, both with ``{name}``
    where a segment may be anything; ``tests`` are paths as pytest takes them. ``says`` is what works of it
    and what does not, or why no software can hold it.
    """

    number: int
    system: Wording
    seeds: tuple[Seed, ...]
    lives_in: tuple[Home, ...]
    since: date
    state: State
    says: Wording | None = None
    screens: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


class SeedMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The documents, by id, and the systems in the order of their numbers."""

    documents: dict[str, Document]
    systems: tuple[PolicySystem, ...]

    def counts(self) -> dict[State, int]:
        """How many systems are in each state, none left out."""
        found = Counter(system.state for system in self.systems)
        return {state: found[state] for state in STATES}


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the folder."""

    documents: tuple[Document, ...] = ()
    systems: tuple[PolicySystem, ...] = ()


@cache
def seed_map() -> SeedMap:
    """The seed map; raises as :func:`load_seeds`."""
    return load_seeds(read("seeds", File))


def load_seeds(files: dict[str, File]) -> SeedMap:
    """Check files by name, and put them together.

    Raises:
        ValueInvalid: the numbers are not 1, 2, 3 and so on; a document is cited that is not there; a system
            cites none or lives nowhere; what claims to work names no test, or no screen and no call; what
            works in part or is no software does not say how; what is planned names a test.
    """
    documents = {each.id: each for file in files.values() for each in file.documents}
    systems = sorted((each for file in files.values() for each in file.systems), key=lambda each: each.number)
    numbers = [each.number for each in systems]
    if numbers != list(range(1, len(numbers) + 1)):
        raise ValueInvalid(
            f"definitions/seeds: the numbers of systems are not 1 to {len(numbers)}, each once"
        )
    for each in systems:
        fault = _fault(each, documents)
        if fault:
            raise ValueInvalid(f"definitions/seeds: system {each.number} {fault}")
    return SeedMap(documents, tuple(systems))


def _fault(system: PolicySystem, documents: dict[str, Document]) -> str:
    """What is wrong with a system, "" for nothing."""
    unknown = sorted({seed.document for seed in system.seeds} - documents.keys())
    shown = bool(system.screens or system.calls)
    if unknown:
        return f"cites {', '.join(unknown)}, which is no document"
    if not system.seeds or not system.lives_in:
        return "cites no document, or lives nowhere"
    if system.state in CLAIMS and not (system.tests and shown):
        return "claims to work, and names no test, or no screen and no call"
    if system.state not in CLAIMS and (system.tests or shown):
        return f"is {system.state}, and names tests, screens or calls"
    if system.state in ("partly", "no-software") and system.says is None:
        return f"is {system.state}, and does not say how"
    return ""
