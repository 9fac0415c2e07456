"""Small valid resources of twenty types, with values chosen to be hard to search.

Dates are partial, in many zones, with fractions; quantities have comparators, ranges and
digits on the borders of precision; strings have accents, wide letters, CJK and the
characters that searches escape; tokens come with and without systems. The same seed
gives the same resources.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

Resource = dict[str, Any]

NAMES = (
    *(
        "Núñez",
        "陳",
        "陈",
        "ＣＨＡＮ",
        "Chan",
        "chán",
        "Straße",
        "STRASSE",
        "O'Brien",
        "Ångström",
        "Groß, Anna",
    ),
    *(
        "a$b|c",
        "back\\slash",
        "100%",
        "under_score",
        "ﬁne",
        "Ⅳ",
        "ガルシア",
        "歐陽",
        "陳 大文",
        "买买提·艾力",
        "ｶﾞﾙｼｱ",
        "한국",
        "ΣΊΣΥΦΟΣ",
        "Őry",
    ),
    *("van  der   Berg", "Ann", "Anna", "Annabel", "ANNE-MARIE", "*?[", "Zoë", "Şükrü"),
)
GIVEN = (
    "大文",
    "德 華",
    "Tai Man",
    "María José",
    "Ana",
    "Émile",
    "Ｍａｎ",
    "J.",
    "Li",
    "Åse",
    "Søren",
    "Ngọc",
)
CITIES = (
    "香港",
    "澳門",
    "Hong Kong",
    "São Paulo",
    "Guangzhou",
    "Sha Tin",
    "Tai Po",
    "Tai O",
    "Zürich",
    "A\\B, C",
)
TEXTS = (
    *("No growth", "no growth after 48h", "Trace", "TRACE (＋)", "pos., weak", "陽性", "阴性", "50% | 1/2"),
    *("Émeraude", "x", "xx", "X-ray $5", "_", "%", "back\\", "two  spaces"),
)
SYSTEMS = (None, "http://codes.example/a", "http://codes.example/b", "urn:oid:1.2.3.4")
CODES = ("x", "X", "xy", "y", "z,1", "p|q", "$5", "back\\slash", "a b", "50%", "Ü", "碼")
YEARS = (1969, 1970, 2011, 2012, 2013, 2014, 2016, 2024)
ZONES = ("Z", "+00:00", "+08:00", "-05:00", "+05:45", "+14:00", "-12:00")
FRACTIONS = ("", "", ".0", ".5", ".25", ".123", ".999", ".123456", ".1234567", ".999999999")
NUMBERS = (
    *(
        "100",
        "99.5",
        "100.5",
        "99.49",
        "100.49",
        "100.0",
        "100.50",
        "0",
        "0.5",
        "-0.5",
        "-100",
        "1E+2",
        "1.0E+2",
    ),
    *("0.000000001", "1e-7", "5.4", "5.40", "5.395", "5.405", "5.39499", "7", "7.00", "140.1", "90", "110"),
    *("123456789012345678901234567890.5", "0.1", "0.10", "95", "105", "-7.25"),
)
MAIDEN_NAME = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"
UCUM = "http://unitsofmeasure.org"
UNITS: tuple[Resource, ...] = (
    {"unit": "mg", "system": UCUM, "code": "mg"},
    {"unit": "milligram", "system": UCUM, "code": "mg"},
    {"unit": "mg"},
    {"system": UCUM, "code": "g"},
    {"unit": "mg", "system": "http://codes.example/units", "code": "MG"},
    {},
)
STRANGERS = (
    "Patient/absent",
    "http://far.example/fhir/Patient/1",
    "urn:uuid:2f0e9a3c-54a2-4f1b-9a1c-0b8a4f6d1e11",
)


class Maker:
    """Draws the parts of resources; every draw comes from the one generator it was given."""

    def __init__(self, rng: Random, patients: int) -> None:
        self.rng = rng
        self.people = [f"Patient/g-patient-{n}" for n in range(patients)]

    def maybe(self, chance: float) -> bool:
        return self.rng.random() < chance

    def some(self, least: int, most: int, make: Callable[[], Any]) -> list[Any]:
        return [make() for _ in range(self.rng.randint(least, most))]

    # -- primitives

    def date(self) -> str:
        """A date of one to three parts."""
        if self.maybe(0.02):
            return self.rng.choice(("0001", "9999-12-31", "9999"))
        year, month, day = self.rng.choice(YEARS), self.rng.randint(1, 12), self.rng.randint(1, 28)
        if self.maybe(0.1):
            month, day = self.rng.choice(((12, 31), (1, 1), (1, 31), (6, 30), (2, 28)))
        whole = f"{year}-{month:02}-{day:02}"
        return whole[: self.rng.choice((4, 7, 10, 10))]

    def instant(self) -> str:
        day = (self.date() + "-06-15")[:10]
        time = self.rng.choice(("00:00:00", "23:59:59", "23:59:60", "15:59:59", "16:00:00", "07:30:15"))
        return f"{day}T{time}{self.rng.choice(FRACTIONS)}{self.rng.choice(ZONES)}"

    def date_time(self) -> str:
        return self.date() if self.maybe(0.5) else self.instant()

    def decimal(self) -> Decimal:
        return Decimal(self.rng.choice(NUMBERS))

    def integer(self) -> int:
        return self.rng.choice((0, 1, 99, 100, 101, 1000, self.rng.randint(-50, 50)))

    # -- data types

    def period(self) -> Resource:
        start, end = sorted((self.date_time(), self.date_time()))
        match self.rng.randrange(5):
            case 0:
                return {"start": start}
            case 1:
                return {"end": end}
            case _:
                return {"start": start, "end": end}

    def timing(self) -> Resource:
        match self.rng.randrange(3):
            case 0:
                return {"event": self.some(1, 3, self.date_time)}
            case 1:
                return {"repeat": {"boundsPeriod": self.period(), "frequency": 1}}
            case _:
                return {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}

    def coding(self) -> Resource:
        system = self.rng.choice(SYSTEMS)
        coding: Resource = {} if system is None else {"system": system}
        if system is None or self.maybe(0.95):
            coding["code"] = self.rng.choice(CODES)
        if self.maybe(0.2):
            coding["display"] = self.rng.choice(TEXTS)
        return coding

    def concept(self) -> Resource:
        if self.maybe(0.08):
            return {"text": self.rng.choice(TEXTS)}
        concept: Resource = {"coding": self.some(1, 2, self.coding)}
        if self.maybe(0.3):
            concept["text"] = self.rng.choice(TEXTS)
        return concept

    def identifier(self) -> Resource:
        system = self.rng.choice(("http://ids.example/a", "http://ids.example/b", None))
        identifier: Resource = {} if system is None else {"system": system}
        if system is None or self.maybe(0.95):
            identifier["value"] = self.rng.choice(CODES) + str(self.rng.randint(1, 4))
        if self.maybe(0.4):
            identifier["type"] = self.concept()
        return identifier

    def narrative(self) -> Resource:
        """A text with tags within words and between them, entities and a comment."""
        said = [self.rng.choice(TEXTS).replace("<", "") for _ in range(3)]
        told = f"<p>{said[0]}</p><p>H<sub>2</sub>O &amp; {said[1]}<br/>caf&#233;<!-- unsaid --> {said[2]}</p>"
        return {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{told}</div>',
        }

    def position(self) -> Resource:
        """Somewhere about Hong Kong."""
        north, east = self.rng.randint(22_100, 22_700), self.rng.randint(113_800, 114_500)
        return {"latitude": Decimal(north) / 1000, "longitude": Decimal(east) / 1000}

    def quantity(self) -> Resource:
        quantity: Resource = {"value": self.decimal(), **self.rng.choice(UNITS)}
        if self.maybe(0.25):
            quantity["comparator"] = self.rng.choice(("<", "<=", ">", ">="))
        return quantity

    def simple_quantity(self) -> Resource:
        return {"value": self.decimal(), **self.rng.choice(UNITS)}

    def age(self) -> Resource:
        return {"value": Decimal(self.rng.randint(0, 99)), "unit": "a", "system": UCUM, "code": "a"}

    def range(self) -> Resource:
        low, high = sorted((self.decimal(), self.decimal()))
        unit = self.rng.choice(UNITS)
        match self.rng.randrange(4):
            case 0:
                return {"low": {"value": low, **unit}}
            case 1:
                return {"high": {"value": high, **unit}}
            case _:
                return {"low": {"value": low, **unit}, "high": {"value": high, **unit}}

    def sampled_data(self) -> Resource:
        sampled: Resource = {
            "origin": {"value": Decimal(self.rng.choice(("0", "100", "-0.5"))), **self.rng.choice(UNITS)},
            "period": Decimal(10),
            "dimensions": 1,
            "data": " ".join(
                self.some(1, 6, lambda: self.rng.choice(("1", "-2.5", "40", "E", "E", "L", "U")))
            ),
        }
        return sampled | optional(
            self,
            0.6,
            factor=lambda: Decimal("1.5"),
            lowerLimit=lambda: Decimal(-3),
            upperLimit=lambda: Decimal(50),
        )

    def money(self) -> Resource:
        return {"value": self.decimal(), "currency": self.rng.choice(("HKD", "MOP", "CNY"))}

    def human_name(self) -> Resource:
        name: Resource = {"family": self.rng.choice(NAMES)}
        if self.maybe(0.8):
            name["given"] = self.some(1, 2, lambda: self.rng.choice(GIVEN))
        if self.maybe(0.2):
            name["text"] = self.rng.choice(NAMES) + self.rng.choice((" ", "")) + self.rng.choice(GIVEN)
        if self.maybe(0.2):
            name["prefix"] = [self.rng.choice(("Dr.", "Ms", "教授"))]
        return name

    def address(self) -> Resource:
        address: Resource = {"city": self.rng.choice(CITIES), "use": self.rng.choice(("home", "work"))}
        if self.maybe(0.5):
            address["line"] = [f"{self.rng.randint(1, 9)} {self.rng.choice(NAMES)} St"]
        if self.maybe(0.5):
            address |= {"country": self.rng.choice(("HK", "MO", "CN")), "postalCode": "999077"}
        if self.maybe(0.3):
            address |= {"state": self.rng.choice(("NT", "廣東", "Kowloon")), "district": "Sham Shui Po"}
        return address

    def contact(self) -> Resource:
        system = self.rng.choice(("phone", "email", "sms"))
        value = "p,q@mail.example" if system == "email" else f"+852 {self.rng.randint(20, 25)}"
        return {"system": system, "value": value}

    def person(self) -> Resource:
        """A reference to whom a resource is about, now and then a stranger."""
        if self.maybe(0.06):
            return {"reference": self.rng.choice(STRANGERS)}
        if self.maybe(0.04):
            return {"identifier": self.identifier(), "display": "somebody"}
        version = "/_history/1" if self.maybe(0.05) else ""
        named = {"identifier": self.identifier()} if self.maybe(0.1) else {}
        return {"reference": self.rng.choice(self.people) + version, **named}

    def one_of(self, kind: str, count: int) -> Resource:
        return {"reference": f"{kind}/g-{kind.lower()}-{self.rng.randrange(count)}"}

    def canonical(self) -> str:
        name = self.rng.choice(
            ("http://plans.example/a", "http://plans.example/b", "http://plans.example/a,b")
        )
        return name + self.rng.choice(("", "|1.0", "|2.0"))

    def uri(self) -> str:
        return self.rng.choice(
            ("http://uris.example/x", "http://uris.example/X", "http://uris.example/x$y,z", "urn:oid:2.16.1")
        )

    def meta(self) -> Resource:
        meta: Resource = {}
        if self.maybe(0.3):
            meta["profile"] = self.some(1, 2, self.canonical)
        if self.maybe(0.3):
            meta["tag"] = self.some(1, 2, self.coding)
        if self.maybe(0.2):
            meta["security"] = [self.coding()]
        if self.maybe(0.2):
            meta["source"] = self.uri()
        return {"meta": meta} if meta else {}


def choice_of(maker: Maker, name: str, chance: float, **types: Callable[[], Any]) -> Resource:
    """One ``name[x]`` of the given types, or nothing."""
    if not maker.maybe(chance):
        return {}
    type = maker.rng.choice(list(types))
    return {name + type: types[type]()}


def optional(maker: Maker, chance: float, **elements: Callable[[], Any]) -> Resource:
    """Each element, or not, with the same chance."""
    return {name: make() for name, make in elements.items() if maker.maybe(chance)}


def patient(m: Maker) -> Resource:
    made = _patient(m)
    mother = made["name"][0].get("family")  # not drawn: what else is made of a seed stays
    if mother is None or "identifier" in made:
        return made
    return made | {"extension": [{"url": MAIDEN_NAME, "valueString": mother}]}


def _patient(m: Maker) -> Resource:
    return {
        "name": m.some(1, 2, m.human_name),
        **optional(
            m, 0.7, birthDate=m.date, gender=lambda: m.rng.choice(("male", "female", "other", "unknown"))
        ),
        **optional(m, 0.5, identifier=lambda: m.some(1, 2, m.identifier), address=lambda: [m.address()]),
        **optional(m, 0.5, telecom=lambda: m.some(1, 2, m.contact), active=lambda: m.maybe(0.5)),
        **optional(m, 0.4, generalPractitioner=lambda: [m.one_of("Practitioner", 4)]),
        **optional(m, 0.4, managingOrganization=lambda: m.one_of("Organization", 4)),
        **optional(m, 0.3, communication=lambda: [{"language": m.concept()}]),
        **choice_of(m, "deceased", 0.4, Boolean=lambda: m.maybe(0.5), DateTime=m.date_time),
    }


def practitioner(m: Maker) -> Resource:
    return {
        "name": [m.human_name()],
        **optional(m, 0.5, gender=lambda: m.rng.choice(("male", "female")), active=lambda: m.maybe(0.8)),
        **optional(m, 0.5, identifier=lambda: [m.identifier()], address=lambda: [m.address()]),
        **optional(m, 0.5, telecom=lambda: [m.contact()], communication=lambda: [m.concept()]),
    }


def organization(m: Maker) -> Resource:
    return {
        "name": m.rng.choice(NAMES) + " Clinic",
        **optional(m, 0.4, alias=lambda: [m.rng.choice(NAMES)], type=lambda: [m.concept()]),
        **optional(m, 0.4, address=lambda: [m.address()], partOf=lambda: m.one_of("Organization", 4)),
    }


def location(m: Maker) -> Resource:
    return {
        "name": m.rng.choice(CITIES),
        **optional(m, 0.8, position=m.position),
        **optional(m, 0.5, status=lambda: m.rng.choice(("active", "suspended")), address=m.address),
        **optional(
            m, 0.5, operationalStatus=m.coding, managingOrganization=lambda: m.one_of("Organization", 4)
        ),
    }


def observation(m: Maker) -> Resource:
    values: dict[str, Callable[[], Any]] = {
        "Quantity": m.quantity,
        "CodeableConcept": m.concept,
        "String": lambda: m.rng.choice(TEXTS),
        "SampledData": m.sampled_data,
    }
    return {
        "status": m.rng.choice(("final", "amended", "preliminary")),
        "code": m.concept(),
        **optional(m, 0.3, text=m.narrative),
        **optional(m, 0.9, subject=m.person),
        **optional(
            m,
            0.4,
            encounter=lambda: m.one_of("Encounter", 8),
            performer=lambda: [m.one_of("Practitioner", 4)],
        ),
        **optional(m, 0.3, category=lambda: [m.concept()], identifier=lambda: [m.identifier()]),
        **choice_of(
            m, "effective", 0.9, DateTime=m.date_time, Period=m.period, Timing=m.timing, Instant=m.instant
        ),
        **choice_of(m, "value", 0.8, **values, DateTime=m.date_time, Period=m.period),
        **optional(
            m,
            0.3,
            component=lambda: m.some(
                1,
                3,
                lambda: {
                    "code": m.concept(),
                    **choice_of(m, "value", 0.9, Quantity=m.quantity, CodeableConcept=m.concept),
                },
            ),
        ),
    }


def condition(m: Maker) -> Resource:
    return {
        "subject": m.person(),
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                    "code": m.rng.choice(("active", "resolved")),
                }
            ]
        },
        **optional(m, 0.8, code=m.concept, recordedDate=m.date_time),
        **optional(
            m,
            0.3,
            severity=m.concept,
            bodySite=lambda: [m.concept()],
            asserter=lambda: m.one_of("Practitioner", 4),
        ),
        **choice_of(
            m,
            "onset",
            0.9,
            DateTime=m.date_time,
            Age=m.age,
            Range=m.range,
            Period=m.period,
            String=lambda: m.rng.choice(TEXTS),
        ),
        **choice_of(
            m,
            "abatement",
            0.5,
            DateTime=m.date_time,
            Age=m.age,
            Period=m.period,
            String=lambda: m.rng.choice(TEXTS),
        ),
    }


def encounter(m: Maker) -> Resource:
    return {
        "status": m.rng.choice(("finished", "planned", "in-progress")),
        "class": m.coding(),
        "subject": m.person(),
        **optional(m, 0.8, period=m.period),
        **optional(
            m,
            0.4,
            length=m.age,
            type=lambda: [m.concept()],
            serviceProvider=lambda: m.one_of("Organization", 4),
        ),
        **optional(m, 0.5, participant=lambda: [{"individual": m.one_of("Practitioner", 4)}]),
        **optional(m, 0.3, location=lambda: [{"location": m.one_of("Location", 4), "period": m.period()}]),
    }


def procedure(m: Maker) -> Resource:
    return {
        "status": m.rng.choice(("completed", "in-progress")),
        "subject": m.person(),
        **optional(m, 0.6, code=m.concept, category=m.concept),
        **choice_of(m, "performed", 0.9, DateTime=m.date_time, Period=m.period, Age=m.age, Range=m.range),
        **optional(
            m, 0.5, instantiatesCanonical=lambda: m.some(1, 2, m.canonical), instantiatesUri=lambda: [m.uri()]
        ),
        **optional(m, 0.4, performer=lambda: [{"actor": m.one_of("Practitioner", 4)}]),
    }


def immunization(m: Maker) -> Resource:
    return {
        "status": m.rng.choice(("completed", "not-done")),
        "vaccineCode": m.concept(),
        "patient": m.person(),
        **(choice_of(m, "occurrence", 1, DateTime=m.date_time, String=lambda: m.rng.choice(TEXTS))),
        **optional(m, 0.5, lotNumber=lambda: m.rng.choice(NAMES), statusReason=m.concept),
        **optional(m, 0.4, reaction=lambda: m.some(1, 3, lambda: {"date": m.date_time()})),
    }


def medication_request(m: Maker) -> Resource:
    return {
        "status": m.rng.choice(("active", "stopped", "completed")),
        "intent": m.rng.choice(("order", "plan")),
        "medicationCodeableConcept": m.concept(),
        "subject": m.person(),
        **optional(m, 0.8, authoredOn=m.date_time, requester=lambda: m.one_of("Practitioner", 4)),
        **optional(
            m,
            0.5,
            dosageInstruction=lambda: [{"timing": m.timing()}],
            encounter=lambda: m.one_of("Encounter", 8),
        ),
    }


def allergy_intolerance(m: Maker) -> Resource:
    return {
        "patient": m.person(),
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                    "code": m.rng.choice(("active", "inactive")),
                }
            ]
        },
        **optional(m, 0.6, code=m.concept, category=lambda: ["food"], lastOccurrence=m.date_time),
        **optional(m, 0.5, reaction=lambda: [{"manifestation": [m.concept()], "onset": m.date_time()}]),
    }


def care_plan(m: Maker) -> Resource:
    return {
        "status": m.rng.choice(("active", "completed")),
        "intent": "plan",
        "subject": m.person(),
        **optional(m, 0.8, period=m.period, category=lambda: [m.concept()]),
        **optional(m, 0.4, addresses=lambda: [m.one_of("Condition", 10)], instantiatesUri=lambda: [m.uri()]),
        **optional(
            m,
            0.5,
            activity=lambda: [
                {
                    "detail": {"status": "scheduled"}
                    | choice_of(m, "scheduled", 1, Timing=m.timing, Period=m.period)
                }
            ],
        ),
    }


def risk_assessment(m: Maker) -> Resource:
    return {
        "status": "final",
        "subject": m.person(),
        "prediction": m.some(1, 3, lambda: probability(m)),
        **choice_of(m, "occurrence", 0.8, DateTime=m.date_time, Period=m.period),
        **optional(m, 0.4, condition=lambda: m.one_of("Condition", 10), method=m.concept),
    }


def probability(m: Maker) -> Resource:
    return {"outcome": m.concept(), **choice_of(m, "probability", 0.9, Decimal=m.decimal, Range=m.range)}


def charge_item(m: Maker) -> Resource:
    return {
        "status": "billable",
        "code": m.concept(),
        "subject": m.person(),
        **optional(m, 0.8, quantity=m.quantity, factorOverride=m.decimal, priceOverride=m.money),
        **optional(m, 0.6, enteredDate=m.date_time),
        **choice_of(m, "occurrence", 0.7, DateTime=m.date_time, Period=m.period, Timing=m.timing),
    }


def invoice(m: Maker) -> Resource:
    return {
        "status": m.rng.choice(("draft", "issued")),
        "subject": m.person(),
        **optional(m, 0.8, totalGross=m.money, totalNet=m.money, date=m.date_time),
        **optional(m, 0.4, type=m.concept, issuer=lambda: m.one_of("Organization", 4)),
    }


def substance(m: Maker) -> Resource:
    return {
        "code": m.concept(),
        **optional(m, 0.6, status=lambda: m.rng.choice(("active", "inactive"))),
        "instance": m.some(
            1,
            2,
            lambda: {"quantity": m.simple_quantity(), "expiry": m.date_time(), "identifier": m.identifier()},
        ),
    }


def molecular_sequence(m: Maker) -> Resource:
    return {
        "coordinateSystem": m.rng.choice((0, 1)),
        "patient": m.person(),
        **optional(m, 0.8, variant=lambda: m.some(1, 3, lambda: {"start": m.integer(), "end": m.integer()})),
        **optional(
            m,
            0.5,
            referenceSeq=lambda: {
                "windowStart": m.integer(),
                "windowEnd": m.integer(),
                "referenceSeqId": m.concept(),
            },
        ),
    }


def questionnaire(m: Maker) -> Resource:
    return {
        "status": m.rng.choice(("draft", "active")),
        **optional(m, 0.8, url=m.uri, title=lambda: m.rng.choice(TEXTS), date=m.date_time),
        **optional(m, 0.5, version=lambda: m.rng.choice(("1", "1.0")), publisher=lambda: m.rng.choice(NAMES)),
        **optional(m, 0.5, effectivePeriod=m.period, useContext=lambda: m.some(1, 3, lambda: use_context(m))),
        **optional(
            m,
            0.5,
            item=lambda: m.some(
                1, 2, lambda: {"linkId": "1", "type": "string", "definition": m.uri(), "code": [m.coding()]}
            ),
        ),
    }


def use_context(m: Maker) -> Resource:
    values = choice_of(m, "value", 1, Quantity=m.quantity, Range=m.range, CodeableConcept=m.concept)
    return {"code": m.coding(), **values}


def plan_definition(m: Maker) -> Resource:
    return {
        "status": m.rng.choice(("draft", "active")),
        **optional(
            m, 0.8, url=m.uri, name=lambda: m.rng.choice(NAMES), description=lambda: m.rng.choice(TEXTS)
        ),
        **optional(
            m,
            0.5,
            library=lambda: [m.canonical()],
            topic=lambda: [m.concept()],
            useContext=lambda: m.some(1, 3, lambda: use_context(m)),
        ),
        **optional(
            m,
            0.5,
            relatedArtifact=lambda: m.some(
                1,
                2,
                lambda: {"type": m.rng.choice(("depends-on", "successor")), "resource": m.canonical()},
            ),
        ),
        **optional(m, 0.5, action=lambda: [choice_of(m, "definition", 1, Canonical=m.canonical, Uri=m.uri)]),
    }


KINDS: dict[str, tuple[Callable[[Maker], Resource], int]] = {
    "Organization": (organization, 4),
    "Practitioner": (practitioner, 4),
    "Location": (location, 4),
    "Patient": (patient, 12),
    "Encounter": (encounter, 8),
    "Condition": (condition, 10),
    "Observation": (observation, 30),
    "Procedure": (procedure, 8),
    "Immunization": (immunization, 8),
    "MedicationRequest": (medication_request, 8),
    "AllergyIntolerance": (allergy_intolerance, 6),
    "CarePlan": (care_plan, 6),
    "RiskAssessment": (risk_assessment, 12),
    "ChargeItem": (charge_item, 12),
    "Invoice": (invoice, 8),
    "Substance": (substance, 8),
    "MolecularSequence": (molecular_sequence, 8),
    "Questionnaire": (questionnaire, 8),
    "PlanDefinition": (plan_definition, 8),
}
"""Type -> how to draw one, and how many a set of resources holds."""


def resources(rng: Random, sets: int = 1) -> list[Resource]:
    """Draw resources under ids such as ``g-patient-0``.

    References lead to resources drawn here, to a few that are absent and to other servers.
    ``sets`` multiplies how many there are of each type.
    """
    maker = Maker(rng, patients=KINDS["Patient"][1] * sets)
    return [
        {"resourceType": type, "id": f"g-{type.lower()}-{number}", **maker.meta(), **draw(maker)}
        for type, (draw, count) in KINDS.items()
        for number in range(count * sets)
    ]


def as_json(value: Any) -> str:
    """JSON text that keeps the digits of every Decimal."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{as_json(child)}" for name, child in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(as_json(child) for child in value) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
