"""The people and events of two worlds: one has all of them, the other only what a reader sees.

Every hidden person is the double of a visible one: the same codes, dates and numbers. So
whatever a visible resource matches, a hidden one matches too, and a store that looks at
hidden resources at all gives another answer in the other world.
"""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Any, Literal, NamedTuple

from tests.records import binary, group, listing, observation, organization, patient

Resource = dict[str, Any]
Why = Literal["", "person", "organisation", "label"]
"""What hides an event: whose it is, who deposited it, or a label; "" for nothing."""

CLINIC, ELSEWHERE = "clinic", "elsewhere"
"""The organisation of the reader, and another."""
SECRET = "R"
"""The label the reader may not see behind."""
KEYS = tuple(f"key {number}" for number in range(8))
"""Idempotency keys that several clients use."""
SCOPE = 1
"""Number of the reader's scope."""
VISIBLE_PERSONS = ("a", "a2", "b")
HKID = "https://kintung.org/fhir/sid/hkid"
CODES, UNITS, SHARED = "http://example.org/codes", "http://unitsofmeasure.org", "http://example.org/numbers"

FAMILIES = ("Chan", "Wong", "Lee")
CITIES = ("Sha Tin", "Tai Po", "Shenzhen")
DAYS = tuple(f"2022-0{month}-{day:02}" for month in range(1, 5) for day in (3, 14, 27))
WEIGHTS = ("60", "61.5", "62.0", "63.25", "70")
CHANCES = ("0.1", "0.25", "0.5", "0.75")
CASES = ("weight", "pulse", "glucose")
PROTOCOLS = ("http://example.org/protocol/diabetes", "http://example.org/protocol/pressure")
RARE = {"system": "http://example.org/rare", "code": "rare"}
TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
NATIONAL = {"system": TYPES, "code": "NI"}
RECORD = {"system": TYPES, "code": "MR"}
"""Types of identifiers."""
REMARKS = ("Fasting", "After a meal", "At rest")
NARRATIVE = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Diabetes, <b>well</b> managed</p></div>'
DOUBLES = {"a": "h", "a2": "h2", "b": "h3"}
"""Visible persons and their hidden doubles."""
HIDDEN_PERSONS = tuple(DOUBLES.values())
LABELLED = {"a": "a3", "a2": "a4", "b": "a5"}
"""Visible persons and their doubles in the scope, of whom all lies behind a label."""
LABELLED_PERSONS = tuple(LABELLED.values())


class Event(NamedTuple):
    """One change of the record.

    ``what`` is the resource put, the name deleted, or the name labelled and its label.
    ``instead`` is put in the full world where persons are hidden: a version of something seen
    that is itself out of sight.
    """

    verb: Literal["put", "delete", "label"]
    what: Any
    why: Why = ""
    organisation: str = ""
    instead: Resource | None = None


def number(person: str) -> str:
    """The identity card number of a person; a double has one of its own."""
    order = (*VISIBLE_PERSONS, *HIDDEN_PERSONS, *LABELLED_PERSONS).index(person)
    return f"A{123450 + order}"


def events(why: Why) -> Iterator[Event]:
    """Everything that happens for one reason: what all see, or what one thing hides."""
    if why == "":
        yield from _directory()
        for person in VISIBLE_PERSONS:
            yield from _life(person, person, "")
        yield from _between_visible()
    elif why == "person":
        for person, double in DOUBLES.items():
            yield from _life(person, double, "person")
        yield from _between_hidden()
    elif why == "organisation":
        for place, resource in enumerate(_of_nobody("e")):
            yield Event("put", resource, "organisation", ELSEWHERE)
            if place % 2:
                yield Event("put", resource, "organisation", ELSEWHERE)
        yield Event("delete", "Observation/e-1", "organisation")
    else:
        yield from _labelled()


def ids_of(why: Why) -> list[str]:
    """Names of all that is there for one reason, whatever became of it, each once."""
    names = (
        f"{event.what['resourceType']}/{event.what['id']}" for event in events(why) if event.verb == "put"
    )
    return list(dict.fromkeys(names))


def gone_of(why: Why) -> list[str]:
    """Names of what was deleted and not put again."""
    return [event.what for event in events(why) if event.verb == "delete" and not event.what.endswith("back")]


# --- What there is --------------------------------------------------------------------


def _directory() -> Iterator[Event]:
    for id, name in (("clinic", "Clinic of Sha Tin"), ("elsewhere", "Clinic of Tai Po")):
        yield Event("put", organization(id, name))
    yield Event("put", {"resourceType": "Practitioner", "id": "dr", "name": [{"family": "Ho"}]})
    for place, url in enumerate(PROTOCOLS):
        yield Event("put", _value_set(f"v{place}", url))
        yield Event("put", _location(f"p{place}", place))
    for resource in _of_nobody("c"):
        yield Event("put", resource, "", CLINIC)


def _of_nobody(prefix: str) -> Iterator[Resource]:
    """Equipment and counts of an organisation: no person's data."""
    for place, weight in enumerate(WEIGHTS[:3]):
        yield observation(
            f"{prefix}-{place}", None, CASES[place], **_measured(weight, DAYS[place]), **_tagged(prefix)
        )
    yield {"resourceType": "Subscription", "id": f"{prefix}-s", "status": "off", "reason": "test",
           "criteria": "Observation?code=weight", "channel": {"type": "message"}}  # fmt: skip


def _life(of: str, person: str, why: Why) -> Iterator[Event]:
    """The record of a person; ``of`` decides the values, so that a double has the same."""
    draw = Random(f"life of {of}")
    organisation = CLINIC if draw.random() < 0.5 else ELSEWHERE
    resources = list(_record(of, person, draw))
    for resource in resources:
        yield Event("put", resource, why, organisation)
    changed = resources[0] | {"address": [{"city": draw.choice(CITIES)}], "active": True}
    yield Event("put", changed, why)
    for place in (1, 2):
        later = f"{person}-o{place}"
        yield Event("put", next(r for r in resources if r["id"] == later) | {"status": "amended"}, why)
    yield Event("delete", f"Observation/{person}-o5", why)
    yield Event("put", observation(f"{person}-back", person, CASES[0]), why)
    yield Event("delete", f"Observation/{person}-back", why)
    yield Event("put", observation(f"{person}-back", person, CASES[1]), why)
    yield Event("put", observation(f"{person}-rest", person, CASES[1]), why)
    # A label the reader may see behind changes nothing for it.
    yield Event("label", (f"Observation/{person}-rest", "N"), why)


def _record(of: str, person: str, draw: Random) -> Iterator[Resource]:
    born = draw.choice(DAYS).replace("2022", str(draw.randrange(1940, 2000)))
    others = [other for other in (*VISIBLE_PERSONS, *HIDDEN_PERSONS) if other != person]
    yield patient(
        person,
        FAMILIES[VISIBLE_PERSONS.index(of)],
        identifier=[
            {"type": {"coding": [NATIONAL]}, "system": HKID, "value": number(person)},
            {"type": {"coding": [RECORD]}, "system": SHARED, "value": of},
        ],
        birthDate=born,
        gender="female",
        telecom=[{"system": "phone", "value": f"5123456{VISIBLE_PERSONS.index(of)}"}],
        address=[{"city": CITIES[0]}],
        managingOrganization={"reference": "Organization/clinic"},
        # The linked Patients: each names another, seen or not.
        link=[{"other": {"reference": f"Patient/{draw.choice(others)}"}, "type": "seealso"}],
    )
    yield {"resourceType": "Encounter", "id": f"{person}-e", "status": "finished", "class": {"code": "AMB"},
           "subject": {"reference": f"Patient/{person}"}, "period": {"start": draw.choice(DAYS)},
           "length": {"value": 20, "system": UNITS, "code": "min"}}  # fmt: skip
    for place in range(6):
        more = _measured(draw.choice(WEIGHTS), draw.choice(DAYS)) if place % 2 else _remarked(draw)
        yield observation(f"{person}-o{place}", person, CASES[place % 3], **more, **_mentions(person, place))
    yield {"resourceType": "Condition", "id": f"{person}-c", "subject": {"reference": f"Patient/{person}"},
           "code": {"coding": [{"system": CODES, "code": "diabetes"}], "text": "Sugar sickness"},
           "text": {"status": "generated", "div": NARRATIVE}, "recordedDate": draw.choice(DAYS),
           "onsetAge": {"value": draw.randrange(30, 60), "system": UNITS, "code": "a"}}  # fmt: skip
    yield {"resourceType": "Task", "id": f"{person}-t", "status": "requested", "intent": "order",
           "for": {"reference": f"Patient/{person}"}, "focus": {"reference": f"Condition/{person}-c"},
           "owner": {"reference": "Organization/clinic"}, "authoredOn": draw.choice(DAYS)}  # fmt: skip
    yield {"resourceType": "RiskAssessment", "id": f"{person}-r", "status": "final",
           "subject": {"reference": f"Patient/{person}"},
           "prediction": [{"probabilityDecimal": float(draw.choice(CHANCES))}]}  # fmt: skip
    yield {"resourceType": "CarePlan", "id": f"{person}-p", "status": "active", "intent": "plan",
           "subject": {"reference": f"Patient/{person}"},
           "instantiatesUri": [draw.choice(PROTOCOLS)]}  # fmt: skip
    yield {"resourceType": "DocumentReference", "id": f"{person}-d", "status": "current",
           "subject": {"reference": f"Patient/{person}"},
           "content": [{"attachment": {"url": f"Binary/{person}-b"}}]}  # fmt: skip
    # Without the values others are found by, for :missing.
    yield {"resourceType": "RiskAssessment", "id": f"{person}-r0", "status": "registered",
           "subject": {"reference": f"Patient/{person}"}}  # fmt: skip
    yield {"resourceType": "CarePlan", "id": f"{person}-p0", "status": "draft", "intent": "plan",
           "subject": {"reference": f"Patient/{person}"}}  # fmt: skip
    yield provenance(f"{person}-v", f"Condition/{person}-c")
    yield binary(f"{person}-b", f"DocumentReference/{person}-d")
    yield listing(f"{person}-l", f"Observation/{person}-o1", f"Condition/{person}-c")


def provenance(id: str, target: str) -> Resource:
    """Who recorded something: data of whose that is."""
    return {
        "resourceType": "Provenance",
        "id": id,
        "target": [{"reference": target}],
        "recorded": "2022-10-19T00:00:00Z",
        "agent": [{"who": {"reference": "Organization/clinic"}}],
    }


_PERFORMERS = (
    {"system": HKID, "value": number("h")},
    {"system": SHARED, "value": "h"},
    {"system": HKID, "value": number("a")},
)


def _mentions(person: str, place: int) -> Resource:
    """Whom and what an Observation mentions; they are the same persons for a double."""
    return {
        "encounter": {"reference": f"Encounter/{('h', 'a', person)[place % 3]}-e"},
        "performer": [
            {
                "reference": ("Patient/h", "Organization/x", "Patient/a")[place % 3],
                "identifier": _PERFORMERS[place % 3],
            }
        ],
        "hasMember": [{"reference": f"Observation/{('h', 'x', 'a')[place % 3]}-o{place}"}],
        "focus": [
            {"reference": "RiskAssessment/h-r"}, {"reference": "CarePlan/h-p"}, {"reference": "Task/x-t"}
        ],
    }  # fmt: skip


def _measured(weight: str, day: str) -> Resource:
    quantity = {"value": float(weight), "unit": "kg", "system": UNITS, "code": "kg"}
    part = {"code": {"coding": [{"system": CODES, "code": "part"}]}, "valueQuantity": quantity}
    return {"valueQuantity": quantity, "effectiveDateTime": day, "component": [part]}


def _remarked(draw: Random) -> Resource:
    return {"valueString": draw.choice(REMARKS), "effectiveDateTime": draw.choice(DAYS)}


def _tagged(code: str) -> Resource:
    """What only some say of themselves."""
    return {"meta": {"tag": [{"system": "http://example.org/tags", "code": code}]}}


def _value_set(id: str, url: str) -> Resource:
    return {"resourceType": "ValueSet", "id": id, "status": "active", "url": url}


def _linking(id: str, of: str) -> Resource:
    """What alone leads from one resource in sight to another."""
    members, performers = ["Observation/b-rest"], ["Patient/b"]
    return observation(
        id,
        of,
        hasMember=[{"reference": each} for each in members],
        performer=[{"reference": each} for each in performers],
    )


def _location(id: str, place: int) -> Resource:
    position = {"latitude": 22.28 + place / 10, "longitude": 114.16}
    return {"resourceType": "Location", "id": id, "position": position}


def _between_visible() -> Iterator[Event]:
    """What several persons have together; one version of it was never visible."""
    yield Event("put", group("ab", "a", "b"))
    yield Event("put", listing("ab-l", "Observation/a-o1", "Observation/b-o1"))
    yield Event("put", group("once", "a", "b"))
    yield Event("put", group("once", "a", "h"), instead=group("once", "a", "h", "h2", name="Household"))
    yield Event("put", group("once", "a"))
    yield Event("put", observation("of-ab", None, subject={"reference": "Group/ab"}))


def _between_hidden() -> Iterator[Event]:
    for owners in (("a", "h"), ("h", "h2"), ("a", "b", "h")):
        yield Event("put", group("-".join(owners), *owners, name="Family"), "person")
    # What its first version shows is of a person in sight; who owns it now decides.
    yield Event("put", group("was", "a"), "person")
    yield Event("put", group("was", "a", "h"), "person")
    yield Event("put", listing("ah-l", "Observation/a-o1", "Observation/h-o1"), "person")
    yield Event("put", observation("of-ah", None, subject={"reference": "Group/a-h"}), "person")
    yield Event("put", _linking("h-link", "h"), "person")
    # Codes and numbers nobody else has: the dictionary of terms grows.
    yield Event("put", observation("h-rare", "h") | {"code": {"coding": [RARE]}, **_tagged("h")}, "person")


def _labelled() -> Iterator[Event]:
    """Doubles of what is seen behind a label: of the same persons, and of others in the scope."""
    # First and last of the hidden, and of the last person in sight: on the first page of any order.
    # Nothing that is seen leads to the Practitioner.
    yield from _behind(
        Event(
            "put",
            observation("x-first", "a", CASES[0], performer=[{"reference": "Practitioner/dr"}]),
            "label",
        )
    )
    yield from _behind(Event("put", organization("x", "Clinic of Sha Tin"), "label"))
    for place, url in enumerate(PROTOCOLS):
        yield from _behind(Event("put", _value_set(f"xv{place}", url), "label"))
        yield from _behind(Event("put", _location(f"xp{place}", place), "label"))
    for resource in _of_nobody("x"):
        if resource["resourceType"] == "Subscription":
            yield from _behind(Event("put", resource, "label", CLINIC))
    for resource in _record("a", "a", Random("labelled")):
        if resource["resourceType"] == "Patient":
            continue
        hidden = resource | {"id": f"x{resource['id'][1:]}"}
        yield from _behind(Event("put", hidden, "label", CLINIC))
        if hidden["id"] in ("x-o1", "x-o2"):
            yield Event("put", hidden | {"status": "amended"}, "label")
    yield Event("delete", "Observation/x-o4", "label")
    for person, double in LABELLED.items():
        for event in _life(person, double, "label"):
            if event.verb != "label":
                yield from _behind(event)
    for place, chance in enumerate(CHANCES):
        assessed = {"resourceType": "RiskAssessment", "id": f"x-r{place + 1}", "status": "final",
                    "subject": {"reference": "Patient/a"},
                    "prediction": [{"probabilityDecimal": float(chance)}]}  # fmt: skip
        yield from _behind(Event("put", assessed, "label"))
    yield from _behind(Event("put", group("x-ab", "a", "b"), "label"))
    yield from _behind(Event("put", _linking("x-link", "a"), "label"))
    yield from _behind(
        Event("put", observation("x-rare", "a") | {"code": {"coding": [RARE]}, **_tagged("x")}, "label")
    )
    for place in range(2):
        yield from _behind(Event("put", observation(f"x-last{place}", HIDDEN_PERSONS[-1]), "label"))


def _behind(event: Event) -> Iterator[Event]:
    """The event, and the label on what it puts."""
    yield event
    if event.verb == "put":
        name = f"{event.what['resourceType']}/{event.what['id']}"
        yield Event("label", (name, SECRET), "label")


def merged(seen: Iterable[Event], hidden: Iterable[Event], draw: Random) -> Iterator[Event]:
    """One course of events with the hidden ones in between, each kind in its own order."""
    left, right = list(reversed(list(seen))), list(reversed(list(hidden)))
    while left or right:
        from_left = draw.random() * (len(left) + len(right)) < len(left)
        yield (left if from_left else right).pop()
