"""How systems write a person down: each in its script, from its documents, with what goes wrong."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any

from kintung.definitions.population import System, shares, systems
from kintung.errors import BadInput
from kintung.identity.names import folded, telegraph
from kintung.synth import names
from kintung.synth.chance import Chance, Weighted
from kintung.synth.corruptions import befall
from kintung.synth.demography import AS_OF
from kintung.synth.draft import Draft, Number
from kintung.synth.names import Han
from kintung.synth.numbers import printed, scattered
from kintung.synth.people import Person

MOST_APPEARANCES = 20
"""Of one person."""

MOST_RATES = 100
"""What rates may be multiplied by; the most that comes of it is always."""

_FIRST_DAY = date(2015, 1, 1)


@dataclass(frozen=True, slots=True)
class Appearance:
    """A Patient of one system, and the truth of it: who it is, and what went wrong."""

    patient: dict[str, Any]
    person: str
    system: str
    corruptions: tuple[str, ...]
    traits: tuple[str, ...]

    def truth(self) -> dict[str, Any]:
        """Return what stands beside the Patient in ``truth.ndjson``."""
        return {
            "id": self.patient["id"],
            "person": self.person,
            "system": self.system,
            "corruptions": self.corruptions,
            "traits": self.traits,
        }


def appearances(person: Person, chance: Chance, *, count: int = 3, rates: float = 1.0) -> list[Appearance]:
    """Return how systems write a person down.

    Args:
        count: appearances, in different systems where the person has so many; 1 to 20.
        rates: what the rates of corruption are multiplied by; 0 for none.

    Raises:
        BadInput: the count or the rates are out of bounds.
    """
    if not 1 <= count <= MOST_APPEARANCES:
        raise BadInput(f"a person appears 1 to {MOST_APPEARANCES} times, not {count}.")
    if not 0 <= rates <= MOST_RATES:
        raise BadInput(f"rates are multiplied by 0 to {MOST_RATES}, not {rates}.")
    found: list[Appearance] = []
    seen: set[str] = set()
    for nth in range(count):
        system = _system(person, seen, chance)
        seen.add(system.id)
        made = draft(person, system, nth, chance)
        corruptions = befall(made, rates, chance) if rates else ()
        found.append(Appearance(made.patient(), person.id, system.id, corruptions, person.traits))
    return found


def draft(person: Person, system: System, nth: int, chance: Chance) -> Draft:
    """What a system would write down of a person if nothing went wrong.

    Args:
        nth: which appearance of the person it is, from 0; part of the record number.
    """
    known = _known()
    serial = scattered(person.number * MOST_APPEARANCES + nth, 100_000_000)
    registered = _registered(person, chance)
    across = system.country == "CN"
    han, source = _han(person, system)
    made = Draft(
        person=person,
        system=system,
        id=f"{system.prefix.lower()}-{serial:08}",
        record_number=f"{system.prefix}-{serial:08}",
        registered=registered,
        numbers=_numbers(person, system, chance),
        han=han,
        telegraph=_telegraph(person) if system.kind == "public" else (),
        source=source,
        surname=person.latin.surname,
        given=" ".join(person.latin.given),
        in_pinyin=person.region == "guangdong",
        western=person.western,
        western_place="last",
        cut=False,
        birth=person.born.isoformat(),
        sex=person.sex,
        telephone=person.telephone,
        address=person.address,
        died=person.died if person.died and chance.random() < known["death-known"] else None,
    )
    if system.kind == "private" and person.han and chance.random() >= known["characters-private"]:
        made.han = None
    if across and person.han:
        _latin_across(made, person.han, chance)
    return made


def _latin_across(made: Draft, han: Han, chance: Chance) -> None:
    """A mainland record has pinyin, or what the card says, or nothing beside the characters."""
    known = _known()
    if chance.random() >= known["pinyin-mainland"]:
        made.surname = made.given = made.western = ""
    elif made.person.region == "guangdong" or chance.random() >= known["card-romanisation-mainland"]:
        made.surname, (made.given,) = _pinyin(han)
        made.in_pinyin, made.western = True, ""


def _han(person: Person, system: System) -> tuple[Han | None, str]:
    """The Chinese name as the document has it that a system reads, and the document."""
    if person.region == "guangdong":
        return person.han, "MID" if system.country == "CN" else "EEP"
    if system.country == "CN" and person.han:
        return _simplified(person.han), "HRP"
    return person.han, "BIR" if person.region == "macao" else "HKIC"


def _numbers(person: Person, system: System, chance: Chance) -> list[Number]:
    """The numbers that are asked for in a place, the document's first."""
    known, held = _known(), person.numbers
    card = next(iter(held))
    home = {"hong-kong": "HK", "macao": "MO", "hong-kong-in-guangdong": "HK", "guangdong": "CN"}[
        person.region
    ]
    permits = [
        kind
        for kind in ("mainland-residence-permit", "home-return-permit", "exit-entry-permit", "passport")
        if kind in held
    ]
    if system.country == home:
        chosen = [card]
        if permits and chance.random() < known["permit-number-home"]:
            chosen.append(permits[-1])
        if system.kind == "public" and "ehr-number" in held:
            chosen.append("ehr-number")
    elif permits and not (home == "HK" and system.country == "MO"):
        chosen = [permits[0]]
        if chance.random() < known["card-number-across"]:
            chosen.append(card)
    else:
        chosen = [card]
    verified = known[f"verified-{system.kind}"]
    return [_number(kind, held[kind], chance.random() < verified, chance) for kind in chosen]


def _number(kind: str, normal: str, verified: bool, chance: Chance) -> Number:
    value = printed(kind, normal)
    if kind == "home-return-permit":
        value += "01"
    elif kind == "ehr-number":
        verified = False
    elif value != normal and chance.random() < 0.2:
        value = normal  # without brackets
    return Number(kind, value, verified)


def _system(person: Person, seen: set[str], chance: Chance) -> System:
    """A system by its share; one where the person is known is drawn anew, twice."""
    drawn = _seen(person.region).draw(chance)
    for _ in range(2):
        if drawn.id in seen:
            drawn = _seen(person.region).draw(chance)
    return drawn


def _registered(person: Person, chance: Chance) -> date:
    first, last = max(_FIRST_DAY, person.born), min(AS_OF, person.died or AS_OF)
    days = (last - first).days
    return last if days <= 0 else first + timedelta(days=int(chance.random() * days))


@cache
def _known() -> dict[str, float]:
    return {name: float(share.share) for name, share in shares().items()}


@cache
def _seen(region: str) -> Weighted[System]:
    every = tuple(systems().values())
    return Weighted(every, [float(system.seen[region]) for system in every])


@lru_cache(65_536)
def _simplified(han: Han) -> Han:
    return Han(folded(han.surname), folded(han.given))


def _telegraph(person: Person) -> tuple[str, ...]:
    """Telegraph codes as a card of Hong Kong prints them; none where a character has no code."""
    if person.han is None or person.region not in ("hong-kong", "hong-kong-in-guangdong"):
        return ()
    return _codes(person.han)


@lru_cache(65_536)
def _codes(han: Han) -> tuple[str, ...]:
    codes = telegraph(han.surname + han.given)
    known = tuple(code for code in codes if code)
    return known if len(known) == len(codes) else ()


@lru_cache(65_536)
def _pinyin(han: Han) -> names.Latin:
    return names.in_pinyin(han)
