"""GET /seeds: what public documents of policy ask for, in their own words, and how far each has come.

A system leads to the words that ask for it, to its screens and calls, and to the tests that show it. It says
nothing of the record, and is the same for everyone but for which screens it leads to: those one may open.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import NamedTuple

from kintung.consent import Right
from kintung.definitions.seeds import STATES, Document, Home, PolicySystem, SeedMap, State, seed_map
from kintung.errors import ValueInvalid
from kintung.web.fhir.answer import Answer
from kintung.web.pages.catalogues import N_
from kintung.web.pages.language import Language, worded
from kintung.web.pages.page import page
from kintung.web.pages.registry import Asked
from kintung.web.pages.sections import may_open
from kintung.web.site import Site

PATH = "/seeds"
LABELS: Mapping[State, str] = {
    "works": N_("works"),
    "partly": N_("works in part"),
    "planned": N_("planned"),
    "no-software": N_("no software can hold it"),
}
BADGES: Mapping[State, str] = {"works": "good", "partly": "warn", "planned": "plain", "no-software": "info"}
HOMES: Mapping[Home, str] = {
    "store": N_("the record"),
    "web": N_("pages and API"),
    "consent": N_("consent"),
    "terminology": N_("terminology"),
    "registers": N_("registers"),
    "exchange": N_("exchange across the boundary"),
    "pathways": N_("care pathways"),
    "referral": N_("referral"),
    "subsidy": N_("vouchers and subsidies"),
    "formulary": N_("formulary"),
    "purchasing": N_("strategic purchasing"),
    "analytics": N_("analytics"),
    "definitions": N_("definitions"),
    "docs": N_("documentation"),
}


class Cited(NamedTuple):
    """The words of a document: its short name, the paragraph, what it says."""

    name: str
    at: str
    quote: str


class Row(NamedTuple):
    """One system, in the language of who asked; ``homes`` are messages.

    ``screens`` are addresses as the definition has them, and where each leads, "" where that needs a person
    and the node has none to show, or a right. ``tests`` are a file and what the test says.
    """

    number: int
    title: str
    cited: tuple[Cited, ...]
    homes: tuple[str, ...]
    state: State
    since: date
    says: str
    screens: tuple[tuple[str, str], ...]
    calls: tuple[str, ...]
    tests: tuple[tuple[str, str], ...]


class Tab(NamedTuple):
    """A state to look at, "" for all: ``label`` is a message, ``query`` of the address."""

    state: str
    label: str
    systems: int
    query: Mapping[str, str]


class Source(NamedTuple):
    """A document, in the language of who asked, but for its title."""

    id: str
    name: str
    title: str
    publisher: str
    published: str
    about: str


def seeds(site: Site, asked: Asked) -> Answer:
    """The systems in a state, or of a document; all of them where neither is named.

    Raises:
        ValueInvalid: there is no such state, or no such document.
    """
    found, state, document = seed_map(), asked.first("state"), asked.first("seed")
    if state not in ("", *STATES):
        raise ValueInvalid(f"The state is one of {', '.join(STATES)}.", path="state")
    if document and document not in found.documents:
        raise ValueInvalid(f"The seed is one of {', '.join(found.documents)}.", path="seed")
    of_document = [
        each for each in found.systems if document in ("", *(seed.document for seed in each.seeds))
    ]
    shown = [each for each in of_document if state in ("", each.state)]
    demo = site.settings.about.demo
    person = demo.people[0].id if demo is not None and demo.people else ""
    sources = [_source(each, asked.language) for each in found.documents.values()]
    return page(
        site,
        asked,
        "seeds.html",
        (),
        kept=("state", "seed"),
        systems=len(found.systems),
        tabs=_tabs(of_document, document),
        state=state,
        document=document,
        sources=sources,
        choices=[(each.id, each.name) for each in sources],
        rows=[_row(found, each, asked, document, person) for each in shown],
        labels=LABELS,
        badges=BADGES,
    )


def _tabs(systems: list[PolicySystem], document: str) -> list[Tab]:
    """A tab for all of them, and one for each state."""
    kept = {"seed": document} if document else {}
    counts = {state: sum(each.state == state for each in systems) for state in STATES}
    tabs = [Tab("", N_("all"), len(systems), kept)]
    return tabs + [Tab(state, LABELS[state], counts[state], {"state": state, **kept}) for state in STATES]


def _source(document: Document, language: Language) -> Source:
    return Source(
        document.id,
        worded(document.name, language),
        document.title,
        worded(document.publisher, language),
        document.published,
        worded(document.about, language),
    )


def _row(found: SeedMap, system: PolicySystem, asked: Asked, document: str, person: str) -> Row:
    """A system with the words of one document, or of all; its screens are those of ``person``."""
    language = asked.language
    return Row(
        system.number,
        worded(system.system, language),
        tuple(
            Cited(worded(found.documents[seed.document].name, language), seed.at, seed.quote)
            for seed in system.seeds
            if document in ("", seed.document)
        ),
        tuple(HOMES[home] for home in system.lives_in),
        system.state,
        system.since,
        worded(system.says, language) if system.says else "",
        tuple((each, _led(each, person, asked.access.rights)) for each in system.screens),
        system.calls,
        tuple(_test(each) for each in system.tests),
    )


def _led(screen: str, person: str, rights: Collection[Right]) -> str:
    """Where a screen leads; "" where something of its address is to be filled in, or a right is missing."""
    of_person = screen.replace("/record/{id}", f"/record/{person}") if person else screen
    return "" if "{" in of_person or not may_open(screen, rights) else of_person


def _test(path: str) -> tuple[str, str]:
    """The file of a test, and what its name says."""
    file, _, name = path.partition("::")
    said = name.removeprefix("test_").replace("_", " ").replace("javascript", "JavaScript")
    return file, said[:1].upper() + said[1:]
