"""What somebody types into one box to find a person: a name in any script, a number, a birth date, or a mix.

Numbers are taken out first, because a mainland number holds a birth date; then dates, in the forms people
write them; what is left is the name. A day before a month, as in Hong Kong, unless that is no date. Eight
digits are a birth date where they can be one (02031948, 19480302), else a number. Dates in Chinese numerals
(一九四八年三月二日) and parted by spaces (2 3 1948) are read too.

Nothing is guessed in silence: ``Typed`` says what was understood, for the page to say it too.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import chain
from typing import Any, NamedTuple

from kintung.definitions import naming_systems
from kintung.fhir.search import Query, escape, parse_query
from kintung.identity.identifiers import is_valid, normalise, vaulted_system
from kintung.identity.name_search import MatchedForm, matched_form, name_forms

MOST_CHARACTERS = 100
"""Of what is typed."""
FIRST_YEAR = 1850
"""Nobody on a record was born before."""
MOST_PARTS = 4
"""Numbers, and birth dates, of one search."""


class Birth(NamedTuple):
    """A birth date as typed, and what it may be: FHIR dates of a day, month or year, () where it is none."""

    typed: str
    dates: tuple[str, ...]


class Typed(NamedTuple):
    """What was understood: ``name`` is "" where there is none."""

    name: str = ""
    births: tuple[Birth, ...] = ()
    numbers: tuple[str, ...] = ()

    @property
    def impossible(self) -> tuple[str, ...]:
        """What looks like a birth date and is none: no such day, or one to come."""
        return tuple(birth.typed for birth in self.births if not birth.dates)

    @property
    def is_empty(self) -> bool:
        return not (self.name or self.births or self.numbers)


class Reasons(NamedTuple):
    """Why a Patient is found: the form of its name, what was typed of its birth date (a FHIR date), its
    identifiers (as stored)."""

    name: MatchedForm | None
    birth: str
    numbers: tuple[Mapping[str, Any], ...]

    @property
    def distance(self) -> int:
        """How far the name is from the one that was typed: 0 as written."""
        return 0 if self.name is None else _CLOSEST.index(self.name.kind)


_CLOSEST = (
    "written",
    "letters",
    "variant",
    "characters",
    "hong_kong",
    "macao",
    "pinyin",
    "cantonese",
    "surname",
)
"""Kinds of ``MatchedForm``, those that say most first."""
_URIS = {system.id: system.uris[0] for system in naming_systems() if system.uris}
_CARDS = tuple(_URIS[document] for document in ("hkid", "mainland-id", "home-return-permit"))
"""Documents whose numbers are known by their form."""
_AFTER = r"(?<![0-9A-Za-z/.-])"
_BEFORE = r"(?![0-9A-Za-z]|[/-][0-9])"
_YEAR = r"(?:18|19|20)[0-9]{2}"
_DOCUMENTS = re.compile(
    rf"{_AFTER}(?:"
    r"[0-9]{6} ?[0-9]{8} ?[0-9]{3}[0-9Xx]"  # mainland identity number
    r"|[A-Za-z]{1,2} ?[0-9]{6} ?\(? ?[0-9Aa]"  # Hong Kong identity card, and no day of a date after it
    rf"(?! [0-9]{{1,2}} {_YEAR}(?![0-9])) ?\)?"
    r"|[157]/?[0-9]{6}(?:/[0-9]|\([0-9]\))"  # Macao identity card, not in eight digits alone
    r"|[HMhm] ?[0-9]{8}(?: ?\(?[0-9]{2}\)?)?"  # home return permit
    rf"){_BEFORE}"
)
_MONTHS = (
    *("jan(?:uary)?", "feb(?:ruary)?", "mar(?:ch)?", "apr(?:il)?", "may", "june?"),
    *("july?", "aug(?:ust)?", "sept?(?:ember)?", "oct(?:ober)?", "nov(?:ember)?", "dec(?:ember)?"),
)
_REPUBLIC = 1911
"""The year before the first of the Republic of China, by which papers of the elderly may count."""
_NUMERALS = {
    **dict.fromkeys("〇零○", 0),
    **{sign: n for n, sign in enumerate("一二三四五六七八九", 1)},
}
_COUNTS = {"元": 1, "十": 10, "廿": 20, "卅": 30, "百": 100}
_NUMERAL = f"[{''.join(_NUMERALS)}]"
_COUNTED = f"[{''.join(_NUMERALS)}十廿卅百]"
_NO_ROW = "".join(rf"(?<!\b[0-9]{{{n}}} )" for n in (1, 2, 3, 4))
"""Not within a longer row of digits that spaces part."""
_DATES = re.compile(
    rf"(?:(?P<han>[0-9]{{4}}|{_NUMERAL}{{4}}) ?年"
    rf"|民[國国](?=[0-9元]| [0-9元]{{1,3}} ?年| ?{_COUNTED}{{1,5}} ?年)"
    rf" ?(?P<republic>[0-9]{{1,3}}|元|{_COUNTED}{{1,5}})(?: ?年|(?![0-9])))"
    rf"(?: ?(?P<han_month>[0-9]{{1,2}}|{_COUNTED}{{1,3}}) ?月"
    rf"(?: ?(?P<han_day>[0-9]{{1,2}}|{_COUNTED}{{1,4}}(?= ?[日號号]| |$)) ?[日號号]?)?)?"
    rf"|{_AFTER}{_NO_ROW}(?:(?P<year_first>{_YEAR}) (?P<then_month>[0-9]{{1,2}}) (?P<then_day>[0-9]{{1,2}})"
    rf"|(?P<day_first>[0-9]{{1,2}}) (?P<next_month>[0-9]{{1,2}}) (?P<year_last>{_YEAR})){_BEFORE}(?! [0-9])"
    rf"|{_AFTER}(?P<year>[0-9]{{4}})(?P<sign>[-/.])(?P<month>[0-9]{{1,2}})(?:(?P=sign)(?P<day>[0-9]{{1,2}}))?{_BEFORE}"
    rf"|{_AFTER}(?P<one>[0-9]{{1,2}})(?P<mark>[-/.])(?P<two>[0-9]{{1,2}})(?P=mark)(?P<last>[0-9]{{4}}|[0-9]{{2}}){_BEFORE}"
    rf"|{_AFTER}(?P<named_day>[0-9]{{1,2}})[\s-]?(?P<named>(?i:{'|'.join(_MONTHS)}))[\s,.-]{{0,2}}(?P<named_year>[0-9]{{4}}){_BEFORE}"
    rf"|{_AFTER}(?P<month_of>0?[1-9]|1[0-2])[-/.](?P<of>{_YEAR}){_BEFORE}"
    rf"|{_AFTER}(?P<digits>[0-9]{{8}}){_BEFORE}"
    rf"|{_AFTER}(?P<alone>{_YEAR}){_BEFORE}"
)
_NUMBER = re.compile(rf"{_AFTER}(?=(?:[^0-9\s]*[0-9]){{4}})[0-9A-Za-z][0-9A-Za-z()/.-]*")
_UNFINISHED = re.compile(r"(?<![0-9A-Za-z])[0-9][0-9/.年月日號号-]*(?![0-9A-Za-z])")
"""What begins a date or a number, while one types: no part of a name."""
_NO_NAME = re.compile(r"^[\W_]+|[\W_]+$")


def read(text: str, today: date) -> Typed:
    """Understand what was typed; any text is taken.

    Args:
        today: the civil day; who was born after it is not yet.
    """
    left = " ".join(unicodedata.normalize("NFKC", text).split())[:MOST_CHARACTERS]
    numbers: list[str] = []
    births: list[Birth] = []

    def number(found: re.Match[str]) -> str:
        numbers.append(found[0].strip())
        return " "

    def born(found: re.Match[str]) -> str:
        dates = tuple(_dates(found, today))
        if not dates and found.lastgroup == "digits":
            return found[0]
        births.append(Birth(found[0].strip(), dates))
        return " "

    left = _DOCUMENTS.sub(number, left)
    left = _DATES.sub(born, left)
    left = _NUMBER.sub(number, left)
    left = _UNFINISHED.sub(" ", left)
    name = " ".join(_NO_NAME.sub("", left).split())
    return Typed(name, tuple(births[:MOST_PARTS]), tuple(numbers[:MOST_PARTS]))


def query(typed: Typed) -> Query:
    """The search for Patients that meet all that was understood.

    Raises:
        BadInput: a name that no search takes.
    """
    # The name last: to ask a Patient for all the forms of a name takes ten times what the others do.
    pairs = [("identifier", escape(number)) for number in typed.numbers]
    pairs += [("birthdate", ",".join(birth.dates)) for birth in typed.births if birth.dates]
    pairs += [("name", escape(typed.name))] if typed.name else []
    return parse_query("Patient", pairs, now_micros=0, others=name_forms)


def reasons(typed: Typed, patient: Mapping[str, Any]) -> Reasons | None:
    """Why a Patient meets what was understood; None where it does not meet all of it."""
    forms = [form for each in patient.get("name", ()) if (form := matched_form(typed.name, each))]
    name = min(forms, key=lambda form: _CLOSEST.index(form.kind), default=None) if typed.name else None
    born: str = patient.get("birthDate") or ""
    agreeing = [
        [each for each in birth.dates if born.startswith(each)] for birth in typed.births if birth.dates
    ]
    numbers = [list(_bearing(patient, number)) for number in typed.numbers]
    if (typed.name and name is None) or not all(agreeing) or not all(numbers):
        return None
    return Reasons(
        name, max(chain(*agreeing), key=len, default=""), tuple(each for found in numbers for each in found)
    )


def card_of(number: str) -> str:
    """The system of the card whose number it seems to be, by its form; "" where that is not told."""
    cards = ((uri, vaulted_system(uri)) for uri in _CARDS)
    return next((uri for uri, rule in cards if rule and rule.format.fullmatch(rule.normalise(number))), "")


def is_doubtful(number: str) -> bool:
    """Has it the form of a card's number, and a check digit or a date that cannot be?"""
    card = card_of(number)
    return bool(card) and not is_valid(card, number)


def _bearing(patient: Mapping[str, Any], number: str) -> Iterator[Mapping[str, Any]]:
    """The identifiers of a Patient that are a number as typed."""
    for identifier in patient.get("identifier", ()):
        system, value = identifier.get("system") or "", identifier.get("value") or ""
        is_vaulted = vaulted_system(system) is not None
        if value and (
            normalise(system, number) == normalise(system, value) if is_vaulted else number == value
        ):
            yield identifier


# --- Dates -----------------------------------------------------------------------------


def _dates(found: re.Match[str], today: date) -> Iterator[str]:
    """What a date that was typed may be, the likeliest alone."""
    said = found.groupdict()
    if said["digits"]:
        digits = said["digits"]
        candidates = [(digits[4:], digits[2:4], digits[:2]), (digits[:4], digits[4:6], digits[6:])]
    elif said["one"]:
        years = (
            [said["last"]] if len(said["last"]) == 4 else [f"{century}{said['last']}" for century in (19, 20)]
        )
        candidates = [(year, said["two"], said["one"]) for year in years]
        candidates += [(year, said["one"], said["two"]) for year in years]
    elif said["han"] or said["republic"]:
        year = _count(said["han"]) if said["han"] else _REPUBLIC + _count(said["republic"])
        month, day = (str(_count(each)) if each else None for each in (said["han_month"], said["han_day"]))
        candidates = [(str(year), month, day)]
    elif said["year_first"]:
        candidates = [(said["year_first"], said["then_month"], said["then_day"])]
    elif said["day_first"]:
        month, day = said["next_month"], said["day_first"]
        candidates = [(said["year_last"], month, day), (said["year_last"], day, month)]
    elif said["named"]:
        month = next(n for n, name in enumerate(_MONTHS, 1) if re.fullmatch(name, said["named"].lower()))
        candidates = [(said["named_year"], str(month), said["named_day"])]
    elif said["of"]:
        candidates = [(said["of"], said["month_of"], None)]
    else:
        candidates = [(said["year"] or said["alone"], said["month"], said["day"])]
    possible = [text for each in candidates if (text := _possible(*each, today))]
    is_short = bool(said["last"]) and len(said["last"]) == 2
    yield from possible[: 2 if is_short and len(possible) > 1 and possible[0][4:] == possible[1][4:] else 1]


def _count(said: str) -> int:
    """A number in digits or in Chinese numerals, by places (一九四八) or counted (三十七, 廿一, 元)."""
    if said[0] not in _NUMERALS and said[0] not in _COUNTS:
        return int(said)
    if not _COUNTS.keys() & set(said):
        return int("".join(str(_NUMERALS[sign]) for sign in said))
    total = last = 0
    for sign in said:
        if sign in ("十", "百"):
            total, last = total + (last or 1) * _COUNTS[sign], 0
        else:
            last += _NUMERALS[sign] if sign in _NUMERALS else _COUNTS[sign]
    return total + last


def _possible(year: str, month: str | None, day: str | None, today: date) -> str:
    """A FHIR date; "" for no such day, and for one before anybody was born or still to come."""
    try:
        first = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return ""
    if first.year < FIRST_YEAR or first > today:
        return ""
    parts = [
        f"{first.year:04}",
        *([f"{first.month:02}"] if month else []),
        *([f"{first.day:02}"] if day else []),
    ]
    return "-".join(parts)
