"""Requests of one reader, by template: every interaction of the registry, every form of search.

A template asks a few requests whose values are drawn; the same draw asks the same in both
worlds. What names a resource names a hidden one more often than not.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple, get_args
from urllib.parse import quote, urlencode

import httpx

from kintung.fhir.search.values import Prefix
from tests.leaks.population import (
    CASES,
    CHANCES,
    CITIES,
    CODES,
    FAMILIES,
    HIDDEN_PERSONS,
    HKID,
    KEYS,
    LABELLED_PERSONS,
    PROTOCOLS,
    REMARKS,
    SHARED,
    TYPES,
    UNITS,
    VISIBLE_PERSONS,
    WEIGHTS,
    Why,
    events,
    gone_of,
    ids_of,
    number,
    provenance,
)
from tests.leaks.worlds import BASE, Caller, Profile
from tests.records import binary, group, listing, observation, patient

PREFIXES: tuple[str, ...] = get_args(Prefix)
Resource = dict[str, Any]


class Cell(NamedTuple):
    """A form of search: kind of parameter, modifier and prefix, "" for none."""

    kind: str
    modifier: str = ""
    prefix: str = ""


class Draw:
    """Values that requests are made of."""

    def __init__(self, random: Random, profile: Profile) -> None:
        self.random = random
        self._profile = profile
        self.hides = profile.hides
        self._bag: list[str] = []

    def choice(self, values: Iterable[str]) -> str:
        return self.random.choice(list(values))

    def name(self, type: str = "") -> str:
        """A resource of a type, or of any: of seven, four are hidden, and one more was."""
        if not self._bag:
            self._bag = ["hidden", "hidden", "hidden", "hidden", "gone", "seen", "absent"]
            self.random.shuffle(self._bag)
        return self.of(self._bag.pop(), type)

    def of(self, which: str, type: str = "") -> str:
        """A name of the resources that are hidden, gone and hidden, seen, seen and gone, or absent."""
        hides = self._profile.hides
        if which == "absent":
            return f"{type or self.choice(('Patient', 'Observation', 'Group'))}/never"
        if which == "gone":
            names = [name for why in hides for name in gone_of(why)]
        elif which == "seen and gone":
            names = gone_of("")
        elif which == "hidden":
            gone = {name for why in hides for name in gone_of(why)}
            names = [name for why in hides for name in ids_of(why) if name not in gone]
        else:
            names = ids_of("")
        fitting = [name for name in names if not type or name.startswith(f"{type}/")]
        return self.choice(fitting) if fitting else self.of("seen", type)

    def hidden_person(self) -> str:
        """A person the reader does not see; where all persons are seen, one behind the label."""
        return self.choice(HIDDEN_PERSONS if "person" in self._profile.hides else LABELLED_PERSONS)


Ask = Callable[[Caller, Draw], object]


@dataclass(frozen=True)
class Template:
    """One template.

    Attributes:
        interactions: names of those it asks for.
        cells: forms of search it asks.
        is_open: it asks only what says nothing of the record, so its answers cannot differ.
        pages: names of the pages for people that it asks for.
    """

    name: str
    ask: Ask
    interactions: tuple[str, ...]
    cells: tuple[Cell, ...] = ()
    is_open: bool = False
    pages: tuple[str, ...] = ()


TEMPLATES: list[Template] = []


def template(
    name: str, *interactions: str, is_open: bool = False, pages: tuple[str, ...] = ()
) -> Callable[[Ask], Ask]:
    """Add a function to the templates."""

    def add(ask: Ask) -> Ask:
        TEMPLATES.append(Template(name, ask, interactions, is_open=is_open, pages=pages))
        return ask

    return add


# --- Reading --------------------------------------------------------------------------


@template("read", "read")
def _read(ask: Caller, draw: Draw) -> None:
    ask("GET", draw.name())


@template("read of what is gone or replaced", "read")
def _read_gone(ask: Caller, draw: Draw) -> None:
    ask("GET", draw.of("gone"))
    ask("GET", draw.of("seen and gone"))
    ask("GET", draw.of("hidden", "Patient"))


@template("head", "read")
def _head(ask: Caller, draw: Draw) -> None:
    ask("HEAD", draw.name())


@template("content of a Binary", "read", "vread")
def _content(ask: Caller, draw: Draw) -> None:
    name = draw.name("Binary")
    for address in (name, f"{name}/_history/1"):
        ask("GET", address, accept="*/*")


@template("Binary stored as content", "create", "update")
def _content_stored(ask: Caller, draw: Draw) -> None:
    of = draw.of("hidden", draw.choice(("Patient", "DocumentReference", "Observation")))
    sent = {"content_type": "text/plain", "x_security_context": of}
    ask("POST", "Binary", b"hello", **sent)
    ask("PUT", draw.of("hidden", "Binary"), b"hello", **sent)


@template("read if none match", "read")
def _read_if_none_match(ask: Caller, draw: Draw) -> None:
    ask("GET", draw.name(), if_none_match=draw.choice(('W/"1"', 'W/"2"', "*", "1")))


@template("read if modified since", "read")
def _read_if_modified(ask: Caller, draw: Draw) -> None:
    since = draw.choice(("Wed, 19 Oct 2022 03:00:00 GMT", "Thu, 20 Oct 2022 00:00:00 GMT"))
    ask("GET", draw.name(), if_modified_since=since)


@template("vread", "vread")
def _vread(ask: Caller, draw: Draw) -> None:
    ask("GET", f"{draw.name()}/_history/{draw.choice('1112')}")


@template("vread of a version that was never seen", "vread", "history-instance")
def _vread_once(ask: Caller, draw: Draw) -> None:
    """Of what is seen now and was not, of what was seen once and is not now, of what is hidden or gone."""
    hidden = draw.of("hidden")
    for name in ("Group/once", "Group/was", hidden, draw.of("gone")):
        for version in "12":
            ask("GET", f"{name}/_history/{version}")
    for name in (draw.choice(("Group/once", "Group/was")), hidden):
        ask("GET", f"{name}/_history")


@template("history of an instance", "history-instance")
def _history_instance(ask: Caller, draw: Draw) -> None:
    ask("GET", f"{draw.name()}/_history")


@template("history of an instance, a page at a time", "history-instance")
def _history_instance_pages(ask: Caller, draw: Draw) -> None:
    follow(ask, f"{draw.name('Patient')}/_history?_count=1", 3)


@template("history of a type", "history-type")
def _history_type(ask: Caller, draw: Draw) -> None:
    ask("GET", f"{draw.choice(('Patient', 'Observation', 'Organization', 'Task'))}/_history?_count=50")


@template("history of a type since an instant", "history-type")
def _history_type_since(ask: Caller, draw: Draw) -> None:
    since = draw.choice(("2022-10-19T01:00:00Z", "2022-10-19T10:30:00%2B08:00", "2022-10-19", "2022-10-21"))
    ask("GET", f"Observation/_history?_since={since}&_count={draw.choice('129')}")


@template("history of a type, a page at a time", "history-type")
def _history_type_pages(ask: Caller, draw: Draw) -> None:
    follow(ask, f"Observation/_history?_count={draw.choice('46')}", 3)


TIMES = ("2022-10-19T03:00:00Z", "2022-10-19T12:00:00Z", "2022-10-20T07:00:00%2B08:00", "2022-10-19", "2022")
"""While the worlds were built, after it, and spans that hold both."""


@template("history of an instance at a time", "history-instance")
def _history_instance_at(ask: Caller, draw: Draw) -> None:
    for name in ("Group/once", draw.choice(("Group/was", "Group/ab")), draw.of("hidden")):
        ask("GET", f"{name}/_history?_at={draw.choice(TIMES)}")


@template("history of a type at a time", "history-type")
def _history_type_at(ask: Caller, draw: Draw) -> None:
    type = draw.choice(("Patient", "Observation", "Group"))
    ask("GET", f"{type}/_history?_at={draw.choice(TIMES)}&_count=50")


@template("history of all at a time, oldest first, a page at a time", "history-system")
def _history_system_at(ask: Caller, draw: Draw) -> None:
    follow(ask, f"_history?_at={draw.choice(TIMES)}&_sort=_lastUpdated&_count={draw.choice(('7', '19'))}", 4)


@template("history of a type, oldest first, a page at a time", "history-type")
def _history_type_sorted(ask: Caller, draw: Draw) -> None:
    follow(ask, f"Observation/_history?_sort=_lastUpdated&_count={draw.choice('46')}", 3)


@template("history of all", "history-system")
def _history_system(ask: Caller, draw: Draw) -> None:
    ask("GET", f"_history?_count={draw.choice(('0', '3', '500'))}")


@template("history of all, a page at a time", "history-system")
def _history_system_pages(ask: Caller, draw: Draw) -> None:
    follow(ask, f"_history?_count={draw.choice(('7', '19'))}", 4)


def follow(ask: Caller, path: str, most: int) -> None:
    """The first page, and those that follow it."""
    answer = ask("GET", path)
    for _ in range(most - 1):
        onward = next_of(answer)
        if onward is None:
            return
        answer = ask("GET", onward)


def next_of(answer: httpx.Response) -> str | None:
    """The link to the next page."""
    if answer.status_code != 200:
        return None
    links: list[Resource] = answer.json().get("link", [])
    return next((link["url"] for link in links if link["relation"] == "next"), None)


# --- Searching: every kind, modifier and prefix ---------------------------------------


class Place(NamedTuple):
    """A parameter of a type, and values it has in the worlds."""

    type: str
    code: str
    values: tuple[str, ...]


def _coded(system: str, codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(form for code in codes for form in (code, f"{system}|{code}", f"{system}|"))


_NUMBERS = tuple(
    form for who in (*VISIBLE_PERSONS, "h", "a3") for form in (f"{HKID}|{number(who)}", number(who))
)
_MEASURED = tuple(f"{case}${form}" for case in CASES for form in ("gt59", f"le70|{UNITS}|kg", "ne1"))
_TYPED = (*(f"{TYPES}|NI|{number(who)}" for who in ("h", "a3", "a")), f"{TYPES}|MR|a", f"{TYPES}|MR|b")
_SHARED = tuple(f"{SHARED}|{who}" for who in VISIBLE_PERSONS)
PLACES: dict[str, tuple[Place, ...]] = {
    "token": (
        Place("Observation", "code", _coded(CODES, CASES)),
        Place("Observation", "status", ("final", "|final", "amended,final")),
        Place("Patient", "identifier", (*_SHARED, *_NUMBERS, f"{HKID}|")),
        Place("Condition", "code", ("diabetes", f"{CODES}|diabetes")),
        Place("Task", "status", ("requested", "http://hl7.org/fhir/task-status|requested,requested")),
    ),
    "string": (
        Place("Patient", "family", FAMILIES),
        Place("Patient", "address-city", CITIES[:1]),
        Place("Observation", "value-string", REMARKS),
    ),
    "reference": (
        Place("Observation", "subject", ("Patient/a", "a", "Patient/h", f"{BASE}/Patient/b")),
        Place("Observation", "performer", ("Patient/h", "Organization/x", "Patient/a")),
        Place("Observation", "encounter", ("Encounter/h-e", "a-e")),
        Place("Task", "owner", ("Organization/clinic",)),
        Place("Patient", "organization", ("Organization/clinic", "clinic,elsewhere")),
        Place("List", "item", ("Observation/a-o1,Observation/h-o1,Observation/b-o1",)),
    ),
    "date": (
        Place("Observation", "date", ("2022-02", "2022-03")),
        Place("Condition", "recorded-date", ("2022-02", "2022-03")),
        Place("Task", "authored-on", ("2022", "2022-02,2022-03")),
        Place("Encounter", "date", ("2022-02", "2022-03")),
    ),
    "number": (Place("RiskAssessment", "probability", CHANCES),),
    "quantity": (
        Place(
            "Observation",
            "value-quantity",
            (*WEIGHTS[1:4], *(f"{weight}|{UNITS}|kg" for weight in WEIGHTS[1:4]), "62.0||kg"),
        ),
        Place("Encounter", "length", ("20", f"20|{UNITS}|min")),
    ),
    "uri": (
        Place("CarePlan", "instantiates-uri", PROTOCOLS),
        Place("ValueSet", "url", PROTOCOLS),
    ),
    "composite": (
        Place("Observation", "combo-code-value-quantity", (*_MEASURED, "part$62.0||kg")),
        Place("Observation", "code-value-quantity", _MEASURED),
        Place(
            "Observation", "code-value-string", tuple(f"{case}${text}" for case in CASES for text in REMARKS)
        ),
        Place("Observation", "component-code-value-quantity", ("part$gt61", f"{CODES}|part$le63|{UNITS}|kg")),
    ),
}
MODIFIERS = {
    "token": ("not", "of-type"),
    "string": ("exact", "contains"),
    "reference": ("Patient", "identifier"),
    "uri": ("below", "above"),
}
TEXTS = (
    Place("Condition", "code:text", ("sugar", "sugar sickness", "Sugar,never")),
    Place("Condition", "_text", ("diabetes", "well managed", '"managed diabetes" OR well')),
    Place("Condition", "_content", ("diabetes", "sugar OR never", "finished OR managed")),
    Place("Observation", "_content", tuple(remark.split()[0] for remark in REMARKS)),
    Place("Location", "near", ("22.28|114.16", "22.28|114.16|12|km", "22.38|114.16|1000|m")),
)
"""Parameters that are read in the text of each resource."""
PREFIXED = ("date", "number", "quantity")


def cells() -> Iterator[Cell]:
    """Every form the templates ask."""
    for kind in PLACES:
        yield Cell(kind)
        yield Cell(kind, "missing")
        yield from (Cell(kind, modifier) for modifier in MODIFIERS.get(kind, ()))
        if kind in PREFIXED:
            yield from (Cell(kind, "", prefix) for prefix in PREFIXES)


def _searching(cell: Cell) -> Ask:
    def search(ask: Caller, draw: Draw) -> None:
        place = draw.random.choice(_fitting(cell))
        value = f"{cell.prefix}{draw.choice(place.values)}"
        if cell.modifier == "missing":
            value = draw.choice(("false", "false", "true"))
        elif cell.modifier == "Patient":
            value = draw.choice(("Patient/a", "h", "Patient/b"))
        elif cell.modifier == "identifier":
            value = draw.choice((f"{HKID}|{number('a')}", number("h"), f"{HKID}|", f"{SHARED}|h"))
        elif cell.modifier == "of-type":
            value = draw.choice(_TYPED)
        modifier = cell.modifier and f":{cell.modifier}"
        pairs = [(f"{place.code}{modifier}", value), *_wishes(draw)]
        ask("GET", f"{place.type}?{urlencode(pairs)}")

    return search


def _fitting(cell: Cell) -> list[Place]:
    """Places where hidden resources change the answer of this form; a prefix needs a spread of values."""
    places = PLACES[cell.kind]
    if cell.modifier == "identifier":
        return [place for place in places if place.code == "performer"]
    if cell.modifier == "of-type":
        return [place for place in places if place.code == "identifier"]
    if cell.modifier == "Patient":
        return [place for place in places if place.code in ("subject", "performer")]
    if cell.modifier == "not" or cell.prefix in ("gt", "lt", "ne", "sa", "eb"):
        return list(places[:1])
    if cell.modifier == "missing":
        return [place for place in places if place.type in ("Observation", "RiskAssessment", "CarePlan")]
    return list(places)


def _wishes(draw: Draw) -> list[tuple[str, str]]:
    """Parameters of the answer: it tells how many there are, whatever is on the page."""
    wishes = [("_total", draw.choice(("accurate", "estimate")))]
    if draw.random.random() < 0.5:
        wishes.append(("_count", draw.choice(("0", "2", "7"))))
    return wishes


def _reading(place: Place) -> Ask:
    def search(ask: Caller, draw: Draw) -> None:
        pairs = [(place.code, draw.choice(place.values)), *_wishes(draw)]
        ask("GET", f"{place.type}?{urlencode(pairs)}")
        follow(ask, f"{place.type}?{urlencode([pairs[0], ('_count', draw.choice('12'))])}", 3)

    return search


_CELLS_OF_TEXTS = {"code:text": Cell("token", "text"), "near": Cell("special")}
TEMPLATES += [
    Template(
        f"search by {place.code} of {place.type}",
        _reading(place),
        ("search-type",),
        (_CELLS_OF_TEXTS[place.code],) if place.code in _CELLS_OF_TEXTS else (),
    )
    for place in TEXTS
]
TEMPLATES += [
    Template(f"search by {' '.join(filter(None, cell))}", _searching(cell), ("search-type",), (cell,))
    for cell in cells()
]


IN_CHARACTERS = ("陳", "陈", "黃", "黄", "李", "陳,李")
"""The families, as no name of theirs is written."""


@template("search by name in another script", "search-type")
def _search_names(ask: Caller, draw: Draw) -> None:
    family, code = draw.choice(IN_CHARACTERS), draw.choice(("name", "family", "phonetic"))
    ask("GET", f"Patient?{urlencode([(code, family), *_wishes(draw)])}")
    follow(ask, f"Patient?{urlencode([(code, family), ('_count', draw.choice('12'))])}", 3)
    ask("GET", f"Observation?{urlencode([('performer:Patient.name', family), *_wishes(draw)])}")


# --- Searching: what the store holds beside the resource, chains, order, pages ----------


@template("search by _id", "search-type")
def _search_id(ask: Caller, draw: Draw) -> None:
    names = [draw.name("Observation") for _ in range(int(draw.choice("123")))]
    ask("GET", f"Observation?_id={','.join(name.partition('/')[2] for name in names)}&_total=accurate")


@template("search by _lastUpdated", "search-type")
def _search_updated(ask: Caller, draw: Draw) -> None:
    prefix = draw.choice(("", "gt", "lt", "ge", "le", "ne", "sa", "eb", "ap"))
    instant = draw.choice(("2022-10-19T02:00:00Z", "2022-10-19", "2022-10-19T03:30:00Z"))
    ask("GET", f"Observation?_lastUpdated={prefix}{instant}&_total=accurate&_count=3")


CHAINS: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "token": (
        ("Observation", "has-member:Observation.code", CASES),
        (
            "Observation",
            "performer:Patient.identifier",
            (f"{HKID}|{number('h')}", number("h"), f"{SHARED}|a"),
        ),
        ("Observation", "encounter.status", ("finished",)),
        ("Task", "focus:Condition.code", ("diabetes",)),
    ),
    "token:not": (("Observation", "has-member:Observation.status:not", ("final", "amended")),),
    "token:of-type": (("Observation", "performer:Patient.identifier:of-type", _TYPED[:1]),),
    "composite": (
        ("Observation", "has-member:Observation.code-value-quantity", _MEASURED),
        ("Observation", "has-member:Observation.combo-code-value-quantity", ("part$gt59", "part$le70||kg")),
        ("Patient", "_has:Observation:performer:component-code-value-quantity", ("part$gt59", "part$ne1")),
    ),
    "string": (
        ("Observation", "performer:Patient.family", FAMILIES[:1]),
        ("Observation", "performer:Organization.name", ("Clinic",)),
        ("Task", "patient.family", FAMILIES),
    ),
    "string:exact": (("Observation", "performer:Patient.family:exact", ("Chan",)),),
    "string:contains": (("Observation", "performer:Patient.name:contains", ("ha",)),),
    "missing": (
        ("Observation", "performer:Patient.birthdate:missing", ("false",)),
        ("Observation", "has-member:Observation.value-string:missing", ("true", "false")),
    ),
    "date": (
        ("Observation", "performer:Patient.birthdate", ("lt2000", "gt1930", "ne1950", "1960,gt1930")),
        ("Observation", "encounter.date", ("ge2022-01", "2022")),
    ),
    "quantity": (("Observation", "has-member:Observation.value-quantity", ("gt59", "le70", "ne1")),),
    "number": (("Observation", "focus:RiskAssessment.probability", ("ge0.1", "lt1", "ne9")),),
    "uri": (("Observation", "focus:CarePlan.instantiates-uri", (",".join(PROTOCOLS),)),),
    "reference": (
        ("Observation", "encounter.subject", ("Patient/h", "Patient/a")),
        ("Observation", "focus:CarePlan.subject:Patient", ("h", "a")),
    ),
    "_id": (
        ("Observation", "performer:Patient._id", ("h", "a")),
        ("List", "item:Observation._id", ("h-o1", "a3-o1")),
    ),
    "_lastUpdated": (("Observation", "performer:Patient._lastUpdated", ("gt2021", "ne2021", "ge2022")),),
    "_has": (
        ("Patient", "_has:Observation:performer:_id", ("h-o2,x-o2",)),
        ("Patient", "_has:Group:member:_id", ("a-h,x-ab",)),
        ("Patient", "_has:Patient:link:family", FAMILIES),
        ("Encounter", "_has:Observation:encounter:_id", ("h-o1,x-o1", "h-o4,x-o4")),
        ("Observation", "_has:List:item:_id", ("ah-l,x-l",)),
    ),
    "_list": (("Observation", "_list", ("ah-l,x-l",)),),
    "several links": (
        ("Patient", "_has:Encounter:patient:_has:Observation:encounter:_id", ("h-o1,x-o1",)),
        ("Observation", "encounter:Encounter._has:Observation:encounter:_id", ("h-o1,x-o1",)),
        ("Observation", "has-member:Observation.performer:Patient.family", FAMILIES),
        ("Observation", "has-member:Observation.encounter.status", ("finished",)),
    ),
}


def _chaining(kind: str) -> Ask:
    def search(ask: Caller, draw: Draw) -> None:
        type, code, values = draw.random.choice(CHAINS[kind])
        ask("GET", f"{type}?{urlencode([(code, draw.choice(values)), *_wishes(draw)])}")

    return search


TEMPLATES += [Template(f"chain to {kind}", _chaining(kind), ("search-type",)) for kind in CHAINS]

SORTS = {
    "token": ("Observation", "code"),
    "string": ("Patient", "family,address-city"),
    "reference": ("Observation", "subject"),
    "date": ("Observation", "date"),
    "number": ("RiskAssessment", "probability"),
    "quantity": ("Observation", "value-quantity"),
    "uri": ("CarePlan", "instantiates-uri"),
    "_id": ("Observation", "_id"),
    "_lastUpdated": ("Observation", "_lastUpdated"),
}


def _sorting(kind: str, direction: str) -> Ask:
    def search(ask: Caller, draw: Draw) -> None:
        type, codes = SORTS[kind]
        keys = ",".join(f"{direction}{code}" for code in codes.split(","))
        # Ids of hidden resources come late in the order.
        count = draw.choice(("60", "70") if kind == "_id" else "34")
        follow(ask, f"{type}?_sort={keys}&_count={count}", 3)

    return search


TEMPLATES += [
    Template(
        f"sort by {kind}, {'falling' if direction else 'rising'}", _sorting(kind, direction), ("search-type",)
    )
    for kind, direction in itertools.product(SORTS, ("", "-"))
]


INCLUDES: dict[str, tuple[str, ...]] = {
    "_include": (
        "Observation?_id={of}-o0&_include=Observation:performer",
        "Observation?_id={of}-o1&_include=Observation:has-member",
        "Observation?_id={of}-o0,{of}-o1&_include=Observation:encounter&_include=Observation:focus",
    ),
    "_include of one type": (
        "Observation?_id={of}-o0&_include=Observation:focus:CarePlan&_include=Observation:focus:Task",
        "Observation?_id={of}-o1&_include=Observation:focus:Task&_include=Observation:focus:RiskAssessment",
    ),
    "_include of all": (
        "Observation?_id={of}-o0,{of}-o1&_include=*",
        "Observation?_id={of}-o0,{of}-o1&_include=Observation:*",
        "Observation?_id={of}-o0&_include:iterate=*",
    ),
    "_include:iterate": (
        "Observation?_id={of}-o2&_include=Observation:has-member&_include:iterate=Observation:focus",
        "Observation?_id={of}-o0,{of}-o1&_include:iterate=Observation:has-member",
    ),
    "_revinclude": (
        "Patient?_id=a&_revinclude=Observation:performer",
        "Patient?_id=a,b&_revinclude=Group:member&_revinclude=Observation:performer",
        "Encounter?_id=a-e&_revinclude=Observation:encounter",
        "Organization?_id=clinic&_revinclude=Patient:organization",
    ),
    "_revinclude of one type": (
        "Patient?_id=a&_revinclude=Observation:performer:Patient",
        "Organization?_id=clinic&_revinclude=Task:owner:Organization",
    ),
    "_revinclude of all": (
        "Patient?_id=a&_revinclude=Observation:*",
        "Encounter?_id=a-e&_revinclude=Observation:*",
    ),
    "_revinclude:iterate": (
        "Patient?_id=a&_revinclude=Observation:subject&_revinclude:iterate=List:item",
        "Organization?_id=clinic&_revinclude=Task:owner&_include:iterate=Task:focus",
    ),
    "an include that leads through the hidden": (
        "Patient?_id=b&_revinclude=Observation:performer&_include:iterate=Observation:has-member",
        "Observation?_id=b-rest&_revinclude=Observation:has-member&_include:iterate=Observation:performer",
    ),
}


def _including(form: str) -> Ask:
    def search(ask: Caller, draw: Draw) -> None:
        path = draw.choice(INCLUDES[form]).format(of=draw.choice(VISIBLE_PERSONS))
        follow(ask, f"{path}&_total=accurate&_count={draw.choice('19')}", 2)

    return search


TEMPLATES += [Template(f"search with {form}", _including(form), ("search-type",)) for form in INCLUDES]


@template("search of the system with includes, by a form", "search-system-post")
def _search_system_includes(ask: Caller, draw: Draw) -> None:
    names = ",".join(f"{who}-o{place}" for who in VISIBLE_PERSONS for place in range(2))
    wishes = {"_include": "Observation:performer", "_revinclude:iterate": "Observation:performer"}
    ask("POST", "_search", form=urlencode({"_type": "Observation", "_id": names, **wishes}))


@template("reading a part", "read", "vread", "history-instance", "search-type", "search-system")
def _parts(ask: Caller, draw: Draw) -> None:
    """A part tells no more than the whole, and a count of all no more than its total."""
    part = draw.choice(("_summary=true", "_summary=text", "_summary=data", "_elements=id,status"))
    name = draw.name("Observation")
    for path in (name, f"{name}/_history/1", f"{name}/_history", "Observation", "?_type=Observation"):
        ask("GET", f"{path}{'&' if '?' in path else '?'}{part}")
    for path in ("Observation", "Observation/_history", "Patient/_history"):
        ask("GET", f"{path}?_summary=count")
    ask("GET", f"Observation?_include=Observation:performer&_count=5&{part.replace('text', 'data')}")


@template("search by several parameters", "search-type")
def _search_and(ask: Caller, draw: Draw) -> None:
    kinds = draw.random.sample([kind for kind in PLACES if _of("Observation", kind)], 2)
    pairs: list[tuple[str, str]] = []
    for kind in kinds:
        place = draw.random.choice(_of("Observation", kind))
        prefix = draw.choice(("ge", "le", "ne")) if kind in PREFIXED else ""
        pairs.append((place.code, f"{prefix}{draw.choice(place.values)}"))
    ask("GET", f"Observation?{urlencode([*pairs, ('_total', 'accurate')])}")


def _of(type: str, kind: str) -> list[Place]:
    return [place for place in PLACES[kind] if place.type == type]


@template("search by a parameter and a chain, sorted", "search-type")
def _search_mixed(ask: Caller, draw: Draw) -> None:
    pairs = [
        ("status", draw.choice(("final", "final,amended"))),
        ("patient.family", draw.choice(FAMILIES)),
        ("_sort", draw.choice(("-date", "code,-_lastUpdated"))),
    ]
    ask("GET", f"Observation?{urlencode([*pairs, *_wishes(draw)])}")


@template("search for all of a type", "search-type")
def _search_all(ask: Caller, draw: Draw) -> None:
    types = ("Patient", "Observation", "Task", "Group", "List", "Binary", "Organization", "Subscription")
    ask("GET", f"{draw.choice(types)}?_total={draw.choice(('accurate', 'estimate', 'none'))}&_count=500")


@template("search for nothing anybody has", "search-type")
def _search_none(ask: Caller, draw: Draw) -> None:
    """A dictionary of terms and systems must not tell what is in it."""
    rare = draw.choice(("http://example.org/rare|rare", "rare", "http://example.org/rare|", "never"))
    ask("GET", f"Observation?code={quote(rare)}&_total=accurate")


@template("search a page at a time", "search-type")
def _search_pages(ask: Caller, draw: Draw) -> None:
    follow(ask, f"Observation?_count={draw.choice('357')}&_total=accurate", 12)


@template("search by a form", "search-type-post")
def _search_post(ask: Caller, draw: Draw) -> None:
    kind = draw.choice(PLACES)
    place = draw.random.choice(PLACES[kind])
    pairs = [(place.code, draw.choice(place.values)), ("_total", "accurate")]
    ask("POST", f"{place.type}/_search", form=urlencode(pairs))


@template("search of the system", "search-system")
def _search_system(ask: Caller, draw: Draw) -> None:
    pairs = draw.random.choice(
        (
            ("_type", "Observation,Condition,Patient"),
            ("_type", "Task"),
            ("_lastUpdated", "gt2022-10-19T02:00:00Z"),
            ("_id", "a-o1,h-o1,x-o1"),
        )
    )
    ask("GET", f"?{urlencode([pairs, ('_total', 'accurate'), ('_count', '9')])}")


@template("search of the system, a page at a time", "search-system")
def _search_system_pages(ask: Caller, draw: Draw) -> None:
    follow(ask, f"?_type=Observation,Patient,Group&_sort=_id&_count={draw.choice('79')}", 4)


@template("search of the system by a form", "search-system-post")
def _search_system_post(ask: Caller, draw: Draw) -> None:
    types = draw.choice(("Observation", "Condition,Observation"))
    ask("POST", "_search", form=urlencode({"_type": types, "code": draw.choice(CASES), "_total": "accurate"}))


# --- Compartments -----------------------------------------------------------------------


def _compartment(draw: Draw) -> str:
    """Of whom is seen and the hidden mention, and of the hidden."""
    return draw.choice(("Patient/a", "Encounter/a-e", f"Patient/{draw.hidden_person()}", "Encounter/h-e"))


@template("search of a compartment for a type", "search-compartment-type")
def _compartment_type(ask: Caller, draw: Draw) -> None:
    for owner in ("Patient/a", _compartment(draw)):
        type = draw.choice(("Observation", "Observation", "Condition", "CarePlan"))
        ask("GET", f"{owner}/{type}?{urlencode(_wishes(draw))}")


@template("search of a compartment for a type by a form", "search-compartment-type-post")
def _compartment_type_post(ask: Caller, draw: Draw) -> None:
    pairs = [("status", draw.choice(("final", "final,amended"))), *_wishes(draw)]
    ask("POST", f"{_compartment(draw)}/Observation/_search", form=urlencode(pairs))


@template("search of a compartment", "search-compartment")
def _compartment_all(ask: Caller, draw: Draw) -> None:
    owner = draw.choice(("Patient/a", "Encounter/a-e", "Encounter/h-e"))
    follow(ask, f"{owner}/*?_total=accurate&_count={draw.choice('579')}", 3)


@template("search of a compartment by a form", "search-compartment-post")
def _compartment_all_post(ask: Caller, draw: Draw) -> None:
    pairs = [("_sort", draw.choice(("-_lastUpdated", "_id"))), *_wishes(draw)]
    ask("POST", f"{_compartment(draw)}/_search", form=urlencode(pairs))


@template("everything", "everything")
def _everything(ask: Caller, draw: Draw) -> None:
    """Of whom is seen, of the hidden and of nobody; the hidden leads to what nothing seen leads to."""
    ask("GET", "Patient/a/$everything")
    ask("GET", f"{draw.name('Patient')}/$everything")
    ask("GET", f"{draw.choice(('Encounter/a-e', draw.name('Encounter')))}/$everything")


@template("everything of a person by either record", "everything", "search-type")
def _everything_of_a_person(ask: Caller, draw: Draw) -> None:
    """Of one whose other record is granted; of hidden ones, linked too; and what is of one record alone."""
    ask("GET", f"Patient/a2/$everything?_count={draw.choice('579')}")
    ask("GET", f"Patient/{draw.choice(HIDDEN_PERSONS)}/$everything")
    ask("GET", f"Observation?patient={draw.choice(('a2', 'h', 'a,h'))}&_total=accurate")


@template("status of a subscription", "subscription-status", "subscription-status-post")
def _subscription_status(ask: Caller, draw: Draw) -> None:
    ask(draw.choice(("GET", "POST")), f"{draw.name('Subscription')}/$status")


@template("everything, a page at a time", "everything")
def _everything_pages(ask: Caller, draw: Draw) -> None:
    asked = draw.choice(("", "&start=2022-02", "&end=2022-03-05", "&_since=2022-10-19T02:00:00Z"))
    follow(ask, f"Patient/a/$everything?_count={draw.choice('579')}{asked}", 4)


def _page(ask: Caller, path: str) -> None:
    """A page for people: those of the node stand beside its API."""
    ask("GET", f"{ROOT}/{path}", accept_language="en")


AS_AT = ("", "?as-at=2022-10-19", "?as-at=2022-10-20")


@template("record of a person", pages=("record",))
def _record(ask: Caller, draw: Draw) -> None:
    for id in (draw.choice("ab"), draw.hidden_person(), draw.name("Patient").partition("/")[2]):
        _page(ask, f"record/{id}{draw.choice(AS_AT)}")


@template("record of a person on paper", pages=("record-pdf",))
def _record_on_paper(ask: Caller, draw: Draw) -> None:
    """Of one who is seen or of one who is not: the bytes of both are made anew for each."""
    id = draw.choice(("a", "b", draw.hidden_person()))
    _page(ask, f"record/{id}/summary.pdf{draw.choice(AS_AT)}")


@template("timeline of a person", pages=("record-timeline",))
def _timeline(ask: Caller, draw: Draw) -> None:
    asked = urlencode(
        {"kind": draw.choice(("", "results", "documents", "groups", "everything")), "to": "2022-12-31"}
    )
    for id in (draw.choice("ab"), "a2", draw.hidden_person()):
        _page(ask, f"record/{id}/timeline?{asked}")


@template("what is attached to one thing of a record", pages=("record-content",))
def _record_content(ask: Caller, draw: Draw) -> None:
    """Of what is hidden, under the record of whose it is and under another's; of what is seen, too."""
    hidden = draw.hidden_person()
    for id, document in ((hidden, f"{hidden}-d"), ("a", "x-d"), ("a", "a-d"), ("b", "b-d")):
        _page(ask, f"record/{id}/DocumentReference/{document}/content/0{draw.choice(AS_AT)}")


@template("one thing of a record", pages=("record-item",))
def _record_item(ask: Caller, draw: Draw) -> None:
    """What is hidden under the record of whose it is, where its id says so; and under another's."""
    hidden = draw.hidden_person()
    for part in ("e", "o0", "o4", "c", "d"):
        type = {"e": "Encounter", "c": "Condition", "d": "DocumentReference"}.get(part, "Observation")
        _page(ask, f"record/{hidden}/{type}/{hidden}-{part}")
        _page(ask, f"record/a/{type}/x-{part}{draw.choice(AS_AT)}")
    _page(ask, f"record/{draw.choice('ab')}/{draw.name()}")
    _page(ask, f"record/{draw.choice(('a', 'a2', hidden))}/{draw.of('seen')}{draw.choice(AS_AT)}")


@template("everything by Parameters", "everything-post")
def _everything_post(ask: Caller, draw: Draw) -> None:
    types = draw.choice(("Practitioner,Observation", "Organization,Encounter,Condition", "Observation"))
    asked = [{"name": "_type", "valueCode": types}, {"name": "_count", "valueInteger": 30}]
    for name in ("Patient/a", draw.name("Patient")):
        ask("POST", f"{name}/$everything", {"resourceType": "Parameters", "parameter": asked})


def _last(draw: Draw) -> dict[str, str]:
    """The doubles of what is seen are of the same codes and times: they tie, or are the last."""
    return {
        "subject": f"Patient/{draw.choice(('a', 'a', 'b', draw.hidden_person()))}",
        "code": draw.choice((*CASES, ",".join(CASES))),
        "max": draw.choice("123"),
    }


@template("the last of each code", "lastn")
def _lastn(ask: Caller, draw: Draw) -> None:
    for more in ({}, {"date": draw.choice(("ge2022-02", "lt2022-04"))}):
        ask("GET", f"Observation/$lastn?{urlencode(_last(draw) | more)}")
    ask("GET", f"Observation/$lastn?{urlencode({'patient': 'a', 'code': ','.join(CASES), 'max': '9'})}")


@template("the last of each code by Parameters", "lastn-post")
def _lastn_post(ask: Caller, draw: Draw) -> None:
    for asked in (_last(draw), _last(draw) | {"subject": "Patient/a", "max": "9"}):
        most = {"name": "max", "valuePositiveInt": int(asked.pop("max"))}
        named = [{"name": name, "valueString": value} for name, value in asked.items()]
        ask("POST", "Observation/$lastn", {"resourceType": "Parameters", "parameter": [most, *named]})


# --- Who is who -----------------------------------------------------------------------


def _of_who_is_hidden(draw: Draw) -> Resource:
    """A Patient as its double is stored, as somebody writes it who asks."""
    person = draw.hidden_person()
    whys: list[Why] = [why for why in draw.hides if why != "organisation"]
    stored = next(
        event.what
        for why in whys
        for event in events(why)
        if event.verb == "put" and event.what["id"] == person
    )
    return {"resourceType": "Patient"} | {
        name: stored[name] for name in ("identifier", "name", "birthDate", "gender", "telecom")
    }


@template("whose mother had a name", "search-type")
def _mothers(ask: Caller, draw: Draw) -> None:
    ask("GET", "Patient?mothersMaidenName:missing=true&_total=accurate&_count=2")
    ask("GET", f"Patient?mothersMaidenName={draw.choice(FAMILIES)}&_total=accurate")


@template("whom a Patient may be", "match")
def _match(ask: Caller, draw: Draw) -> None:
    asked = _of_who_is_hidden(draw)
    ask("POST", "Patient/$match", asked)
    ask("POST", "Patient/$match?onlyCertainMatches=true", asked)
    given = [{"name": "resource", "resource": asked}, {"name": "count", "valueInteger": 3}]
    ask("POST", "Patient/$match", {"resourceType": "Parameters", "parameter": given})


@template("who is like a Patient", "match")
def _alike(ask: Caller, draw: Draw) -> None:
    asked = _of_who_is_hidden(draw)
    del asked["identifier"]
    ask("POST", "Patient/$match", asked)
    given = [{"name": "resource", "resource": asked}, {"name": "count", "valueInteger": 1}]
    ask("POST", "Patient/$match", {"resourceType": "Parameters", "parameter": given})


@template("the identifiers of a person", "ihe-pix", "ihe-pix-post")
def _pix(ask: Caller, draw: Draw) -> None:
    asked = _of_who_is_hidden(draw)
    (number, _) = asked["identifier"]
    source = f"{number['system']}|{number['value']}"
    ask("GET", f"Patient/$ihe-pix?{urlencode({'sourceIdentifier': source})}")
    ask("GET", f"Patient/$ihe-pix?{urlencode({'sourceIdentifier': source, 'targetSystem': SHARED})}")
    given = [{"name": "sourceIdentifier", "valueString": f"{BASE}|{draw.of('hidden', 'Patient')}"}]
    ask("POST", "Patient/$ihe-pix", {"resourceType": "Parameters", "parameter": given})


# --- Pages for people -----------------------------------------------------------------

ROOT = BASE.removesuffix("/fhir")


def _typing(ask: Caller, *texts: str) -> None:
    """Type into the box that finds a person, and walk what is found of each to its end."""
    token = re.search(r'name="token" value="([^"]+)"', ask("GET", f"{ROOT}/find").text)
    assert token is not None
    for typed in texts:
        form = urlencode({"token": token[1], "typed": typed})
        path = ask("POST", f"{ROOT}/find", form=form).headers["location"]
        for _ in range(3):
            page = ask("GET", f"{ROOT}{path}")
            following = re.search(r'href="([^"]+)" rel="next"', page.text)
            if following is None:
                break
            path = following[1].replace("&amp;", "&")


@template("find a person by what is typed", pages=("find",))
def _find(ask: Caller, draw: Draw) -> None:
    asked = _of_who_is_hidden(draw)
    (name, year) = asked["name"][0], asked["birthDate"][:4]
    family = name.get("family") or name.get("text")
    _typing(ask, asked["identifier"][0]["value"], f"{family} {year}")


@template("find people by a part of a name or a birth date", pages=("find",))
def _find_many(ask: Caller, draw: Draw) -> None:
    asked = _of_who_is_hidden(draw)
    _typing(ask, asked["name"][0]["family"][:2], asked["birthDate"])


@template("people whose records were opened lately", pages=("find", "record"))
def _recent(ask: Caller, draw: Draw) -> None:
    """With nothing in the box; after the records of one who is seen and of one who is not were asked for."""
    for lang in ("en", draw.choice(("zh-Hant-HK", "zh-Hans-CN"))):
        ask("GET", f"{ROOT}/find?lang={lang}")
        ask("GET", f"{ROOT}/record/{draw.choice(('a', 'a2', 'b'))}")
        ask("GET", f"{ROOT}/record/{draw.hidden_person()}")


# --- Writing --------------------------------------------------------------------------


@template("create, then count", "create", "search-type")
def _create(ask: Caller, draw: Draw) -> None:
    code = draw.choice(CASES)
    ask("POST", "Observation", observation("new", draw.choice(("a", "b", draw.hidden_person())), code))
    ask("GET", f"Observation?code={code}&_total=accurate&_count=2")


@template("create what mentions the hidden, then look for it", "create", "search-type")
def _create_mentioning(ask: Caller, draw: Draw) -> None:
    mentioned = draw.name("Observation")
    more = {"hasMember": [{"reference": mentioned}], "encounter": {"reference": draw.name("Encounter")}}
    ask("POST", "Observation", observation("new", "a", **more))
    ask("GET", f"Observation?has-member={mentioned}&_total=accurate")
    ask("GET", "Observation?has-member:Observation.status=final,amended&_total=accurate&_count=3")


def _derived(draw: Draw) -> Resource:
    """What takes its owners from another resource, seen or not."""
    match draw.choice(("group", "binary", "list", "provenance", "several")):
        case "group":
            return observation("new", None, subject={"reference": draw.name("Group")})
        case "binary":
            return binary("new", draw.name(draw.choice(("DocumentReference", "Observation"))))
        case "list":
            return listing("new", draw.name("Observation"), "Observation/a-o1")
        case "provenance":
            return provenance("new", draw.name("Condition"))
        case _:
            return group("new", "a", draw.hidden_person())


@template("create what takes its owners from the hidden, then look for it", "create", "search-type", "read")
def _create_derived(ask: Caller, draw: Draw) -> None:
    resource = _derived(draw)
    answer = ask("POST", resource["resourceType"], resource)
    if "location" in answer.headers:
        ask("GET", answer.headers["location"].removeprefix(f"{BASE}/").partition("/_history")[0])
    ask("GET", f"{resource['resourceType']}?_total=accurate&_count=3")
    ask("GET", f"{resource['resourceType']}/_history?_count=4")


@template("update to take owners from the hidden", "create", "update", "history-instance")
def _update_derived(ask: Caller, draw: Draw) -> None:
    created = ask("POST", "Observation", observation("new", None)).headers["location"]
    name = created.removeprefix(f"{BASE}/").partition("/_history")[0]
    ask("PUT", name, observation(name[12:], None, subject={"reference": draw.of("hidden", "Group")}))
    ask("GET", f"{draw.of('hidden')}/_history")
    # The first is hidden and of the same person: whoever took owners from it would keep them as they are.
    for document in ("DocumentReference/x-d", draw.name("DocumentReference")):
        ask("PUT", "Binary/a-b", binary("a-b", document))
    ask("GET", f"{draw.name()}/_history?_count=1")
    ask("GET", "Observation/_history?_count=2")


CRITERIA: tuple[Callable[[Draw], str], ...] = (
    lambda draw: f"Patient?identifier={HKID}|{number(draw.hidden_person())}",
    lambda draw: f"Patient?_id=a,{draw.hidden_person()}",
    lambda draw: f"Patient?identifier={SHARED}|{draw.choice(VISIBLE_PERSONS)}",
    lambda draw: f"Patient?_id={draw.of('hidden', 'Patient')[8:]}",
    lambda draw: f"Patient?family={draw.choice(FAMILIES)}&birthdate=lt2010",
    lambda draw: f"Observation?_id={draw.of('hidden', 'Observation')[12:]}",
    lambda draw: f"Observation?code={CODES}|{draw.choice(CASES)}&subject=Patient/{draw.hidden_person()}",
    lambda draw: "Observation?code=http://example.org/rare|rare",
    lambda draw: f"Condition?code=diabetes&subject={draw.choice(('Patient/a', 'Patient/h'))}",
)


def _criteria(draw: Draw) -> tuple[str, str]:
    """A type and what selects in it."""
    type, _, query = draw.random.choice(CRITERIA)(draw).partition("?")
    return type, query


def _new(type: str, draw: Draw) -> Resource:
    match type:
        case "Patient":
            resource = patient("new", draw.choice(FAMILIES))
        case "Condition":
            resource = {"resourceType": "Condition", "subject": {"reference": "Patient/a"}}
        case _:
            resource = observation("new", draw.choice(("a", draw.hidden_person())), draw.choice(CASES))
    return {name: value for name, value in resource.items() if name != "id"}


@template("create if none exists", "create")
def _create_if_none(ask: Caller, draw: Draw) -> None:
    type, query = _criteria(draw)
    ask("POST", type, _new(type, draw), if_none_exist=query)


@template("create if none exists, as preferred", "create")
def _create_if_none_prefer(ask: Caller, draw: Draw) -> None:
    type, query = _criteria(draw)
    prefer = draw.choice(("minimal", "representation", "OperationOutcome"))
    ask("POST", type, _new(type, draw), if_none_exist=query, prefer=f"return={prefer}")


@template("create if none exists, with a key, and again", "create")
def _create_keyed(ask: Caller, draw: Draw) -> None:
    type, query = _criteria(draw)
    resource = _new(type, draw)
    for key in _keys(draw):
        ask("POST", type, resource, if_none_exist=query, idempotency_key=key)
        ask("POST", type, resource, if_none_exist=query, idempotency_key=key)


def _keys(draw: Draw) -> tuple[str, str]:
    """A key that others use too, and perhaps the reader before, and one that nobody had."""
    return draw.choice(KEYS), f"key {draw.random.random()}"


def _body(name: str, draw: Draw) -> Resource:
    """Something that may be put under a name."""
    type, id = name.split("/")
    match type:
        case "Patient":
            return patient(id, draw.choice(FAMILIES))
        case "Observation":
            owner = id.partition("-")[0]
            return observation(id, "a" if owner in ("never", "x") else owner, draw.choice(CASES))
        case _:
            return group(id, *id.split("-")[:2])


@template("update", "update")
def _update(ask: Caller, draw: Draw) -> None:
    name = draw.name(draw.choice(("Patient", "Observation", "Group")))
    ask("PUT", name, _body(name, draw))


@template("update if match", "update")
def _update_if_match(ask: Caller, draw: Draw) -> None:
    name = draw.name(draw.choice(("Patient", "Observation")))
    ask("PUT", name, _body(name, draw), if_match=draw.choice(('W/"1"', 'W/"2"', "*", 'W/"9"')))


@template("update of what is gone", "update")
def _update_gone(ask: Caller, draw: Draw) -> None:
    for which in ("gone", "hidden", "seen and gone", "hidden"):
        name = draw.of(which, "Observation")
        ask("PUT", name, _body(name, draw), prefer=draw.choice(("return=minimal", "return=representation")))


@template("replacing one by another, and by a message", "update", "process-message")
def _replacing(ask: Caller, draw: Draw) -> None:
    """Of what is in sight it is kept as sent; a message is refused alike whatever is hidden."""
    for name in (draw.of("seen", "Patient"), draw.name("Patient")):
        other = {"other": {"reference": draw.name("Patient")}, "type": "replaced-by"}
        body = {"resourceType": "Patient", "id": name[8:], "active": False, "link": [other]}
        ask("POST", "$process-message", _feed(draw, _entry("PUT", name, body)))
        ask("PUT", name, body)
        ask("POST", "$process-message", _feed(draw, _entry("DELETE", draw.of("hidden", "Patient"))))


def _feed(draw: Draw, *entries: Resource) -> Resource:
    """A message of the patient identity feed."""
    header = {
        "resourceType": "MessageHeader",
        "id": f"message-{draw.random.randrange(10**9)}",
        "eventUri": "urn:ihe:iti:pmir:2019:patient-feed",
        "source": {"endpoint": "https://ward.example"},
    }
    parts = (header, _bundle("history", *entries))
    return {"resourceType": "Bundle", "type": "message", "entry": [{"resource": part} for part in parts]}


@template("update to another person", "update", "read")
def _update_moving(ask: Caller, draw: Draw) -> None:
    name = draw.of(draw.choice(("seen", "hidden")), "Observation")
    ask("PUT", name, observation(name[12:], draw.choice(("b", draw.hidden_person()))))
    ask("GET", draw.of("hidden"))


@template("update by criteria", "conditional-update")
def _conditional_update(ask: Caller, draw: Draw) -> None:
    type, query = _criteria(draw)
    resource = _new(type, draw)
    if draw.random.random() < 0.3:
        resource["id"] = draw.of("hidden", type).partition("/")[2]
    headers = {"if_match": 'W/"1"'} if draw.random.random() < 0.3 else {}
    ask("PUT", f"{type}?{quote(query, safe='=&?|:/,')}", resource, **headers)


def _patch(draw: Draw) -> Resource:
    """Parameters that put something where there may be something, or take it away."""
    path = draw.choice(("Patient.gender", "Patient.address", "Observation.value", "Observation.status"))
    part = {"type": {"valueCode": draw.choice(("delete", "replace"))}, "path": {"valueString": path},
            "value": {"valueCode": draw.choice(("final", "amended", "male"))}}  # fmt: skip
    parts = [{"name": name, **value} for name, value in part.items()]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


@template("patch", "patch", "read")
def _patch_by_id(ask: Caller, draw: Draw) -> None:
    for type in ("Patient", "Observation"):
        name = draw.name(type)
        headers = {"if_match": draw.choice(('W/"1"', 'W/"2"'))} if draw.random.random() < 0.3 else {}
        ask("PATCH", name, _patch(draw), **headers)
        ask("GET", name)


@template("transaction that patches", "transaction")
def _transaction_patches(ask: Caller, draw: Draw) -> None:
    type, query = _criteria(draw)
    for entry in (_entry("PATCH", draw.of("hidden", "Observation"), _patch(draw)),
                  _entry("PATCH", f"{type}?{query}", _patch(draw))):  # fmt: skip
        ask("POST", "", _bundle("transaction", entry), prefer="return=representation")


@template("patch by criteria", "conditional-patch")
def _patch_by_criteria(ask: Caller, draw: Draw) -> None:
    type, query = _criteria(draw)
    ask("PATCH", f"{type}?{quote(query, safe='=&?|:/,')}", _patch(draw))


@template("delete", "delete")
def _delete(ask: Caller, draw: Draw) -> None:
    ask("DELETE", draw.name())


@template("delete if match, then look", "delete", "read")
def _delete_if_match(ask: Caller, draw: Draw) -> None:
    for name in (draw.of("hidden"), draw.name()):
        ask("DELETE", name, if_match=draw.choice(('W/"1"', 'W/"2"', "*")))
        ask("GET", name)


@template("delete by criteria", "conditional-delete")
def _conditional_delete(ask: Caller, draw: Draw) -> None:
    type, query = _criteria(draw)
    ask("DELETE", f"{type}?{quote(query, safe='=&?|:/,')}")


# --- Bundles --------------------------------------------------------------------------


def _entry(method: str, url: str, resource: Resource | None = None, **conditions: str) -> Resource:
    entry: Resource = {"request": {"method": method, "url": url, **conditions}}
    if resource is not None:
        entry["resource"] = resource
    return entry


def _bundle(type: str, *entries: Resource) -> Resource:
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


@template("batch of reads", "transaction")
def _batch_reads(ask: Caller, draw: Draw) -> None:
    entries = [
        _entry("GET", draw.name()),
        _entry("GET", f"{draw.name()}/_history"),
        _entry("GET", f"{draw.of('hidden')}/_history/1"),
        _entry("GET", f"Observation?code={draw.choice(CASES)}&_total=accurate&_count=1"),
    ]
    ask("POST", "", _bundle("batch", *entries))


@template("batch of writes", "transaction")
def _batch_writes(ask: Caller, draw: Draw) -> None:
    name, gone = draw.name("Observation"), draw.of("gone", "Observation")
    type, query = _criteria(draw)
    entries = [
        _entry("PUT", name, _body(name, draw), ifMatch='W/"1"'),
        _entry("PUT", gone, _body(gone, draw)),
        _entry("POST", type, _new(type, draw), ifNoneExist=query),
        _entry("DELETE", draw.of("hidden")),
        _entry("GET", f"{draw.of('hidden')}/_history"),
    ]
    ask(
        "POST",
        "",
        _bundle("batch", *entries),
        prefer=draw.choice(("return=representation", "return=minimal")),
    )


@template("batch with a key, and again", "transaction")
def _batch_keyed(ask: Caller, draw: Draw) -> None:
    type, query = _criteria(draw)
    bundle = _bundle(
        "batch", _entry("POST", type, _new(type, draw), ifNoneExist=query), _entry("GET", draw.name())
    )
    for key in _keys(draw):
        ask("POST", "", bundle, idempotency_key=key)
        ask("POST", "", bundle, idempotency_key=key)


@template("transaction of conditional creates", "transaction")
def _transaction_creates(ask: Caller, draw: Draw) -> None:
    entries = [
        _entry("POST", type, _new(type, draw), ifNoneExist=query)
        for type, query in (_criteria(draw) for _ in range(2))
    ]
    ask("POST", "", _bundle("transaction", *entries))


@template("transaction with a conditional reference", "transaction")
def _transaction_reference(ask: Caller, draw: Draw) -> None:
    """It matches a hidden person alone, one in sight and a hidden one, one or two with a number, nobody.

    The first two tell whoever is drawn, so that no seed passes over what looks at the hidden here.
    """
    hidden = draw.hidden_person()
    numbered = f"{HKID}|{number(draw.choice((hidden, 'a')))}", f"{SHARED}|a"
    for criteria in (f"_id={hidden}", f"_id=a,{hidden}", f"identifier={draw.choice(numbered)}", "_id=never"):
        observed = observation("new", None, subject={"reference": f"Patient?{criteria}"})
        ask("POST", "", _bundle("transaction", _entry("POST", "Observation", observed)))


@template("transaction that writes the hidden", "transaction")
def _transaction_writes(ask: Caller, draw: Draw) -> None:
    name = draw.name("Observation")
    entries = [
        _entry("PUT", name, _body(name, draw)),
        _entry("POST", "Observation", observation("new", "a", hasMember=[{"reference": name}])),
        _entry("GET", f"Observation?has-member={draw.of('hidden', 'Observation')}&_total=accurate&_count=1"),
    ]
    ask("POST", "", _bundle("transaction", *entries), prefer="return=representation")


@template("transaction that deletes and reads", "transaction")
def _transaction_deletes(ask: Caller, draw: Draw) -> None:
    type, query = _criteria(draw)
    entries = [
        _entry("DELETE", draw.of("hidden", "Observation")),
        _entry("DELETE", f"{type}?{query}"),
        _entry("GET", draw.of("hidden", "Patient")),
        _entry("GET", "Observation?_total=accurate&_count=2"),
        _entry("GET", "Group/once/_history"),
    ]
    ask("POST", "", _bundle("transaction", *entries))


@template("transaction whose entries take owners from the hidden", "transaction", "search-type")
def _transaction_derived(ask: Caller, draw: Draw) -> None:
    subject = draw.choice(("a", draw.hidden_person()))
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"title": "Letter"}}],
        "subject": {"reference": f"Patient/{subject}"},
    }
    link = "urn:uuid:00000000-0000-4000-8000-000000000001"
    derived = _derived(draw)
    entries = [
        _entry("POST", "DocumentReference", document) | {"fullUrl": link},
        _entry("POST", "Binary", binary("new", link)),
        _entry("POST", derived["resourceType"], derived),
    ]
    ask("POST", "", _bundle("transaction", *entries), prefer="return=representation")
    ask("GET", f"{derived['resourceType']}?_total=accurate&_count=3")


@template(
    "meta of a resource or a version",
    "meta-instance",
    "meta-instance-post",
    "meta-version",
    "meta-version-post",
)
def _meta_of(ask: Caller, draw: Draw) -> None:
    for address in (draw.name(), f"{draw.of('hidden')}/_history/1"):
        for method in ("GET", "POST"):
            ask(method, f"{address}/$meta")


@template("meta in use", "meta", "meta-post", "meta-type", "meta-type-post")
def _meta_in_use(ask: Caller, draw: Draw) -> None:
    ask(draw.choice(("GET", "POST")), f"{draw.choice(('', 'Observation/', 'Observation/'))}$meta")


@template("tags put on and taken off, then looked for", "meta-add", "meta-delete")
def _meta_changed(ask: Caller, draw: Draw) -> None:
    tag = {"system": "http://example.org/tags", "code": draw.choice("ab")}
    sent = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [tag]}}]}
    name = draw.name("Observation")
    for operation in draw.choice(("add", "add delete")).split():
        ask("POST", f"{name}/$meta-{operation}", sent)
    ask("GET", f"Observation?_tag={tag['system']}|{tag['code']}&_total=accurate&_count=3")


# --- What is answered later ------------------------------------------------------------


def kicked_off(ask: Caller, draw: Draw) -> str:
    """Where a request that is answered later is asked after."""
    lastn = "Observation/$lastn?patient=a&category=vital-signs,laboratory&max=50"
    reads = {"request": {"method": "GET", "url": "_history?_count=500"}}
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [reads]}
    path = draw.choice(("", "_history?_count=500", "Observation?_total=accurate&_count=200", lastn))
    path = draw.choice((path, "Patient/_history?_count=200", f"{draw.of('hidden', 'Patient')}/$everything"))
    method, body = ("GET", None) if path else ("POST", batch)
    answer = ask(method, path, body, prefer="respond-async")
    return answer.headers["content-location"]


@template("answered later", "async-status")
def _later(ask: Caller, draw: Draw) -> None:
    place = kicked_off(ask, draw)
    ask("GET", place)
    ask.answer_later()
    for _ in range(5):
        ask("GET", place)


@template("answered later, then cancelled", "async-status", "async-cancel")
def _later_cancelled(ask: Caller, draw: Draw) -> None:
    place = kicked_off(ask, draw)
    ask.answer_later()
    for _ in range(4):
        ask("GET", place)
    ask("DELETE", place)
    ask("GET", place)


# --- What says nothing of the record ---------------------------------------------------


@template("what this node offers", "capabilities", "openapi", is_open=True)
def _offers(ask: Caller, draw: Draw) -> None:
    ask("GET", draw.choice(("metadata", "openapi.json")))


@template("validate", "validate", "validate-type", "validate-instance", is_open=True)
def _validate(ask: Caller, draw: Draw) -> None:
    name = draw.name("Observation")
    path = draw.choice(("$validate", "Observation/$validate", f"{name}/$validate"))
    ask("POST", path, observation(name[12:], draw.hidden_person(), hasMember=[{"reference": draw.name()}]))
