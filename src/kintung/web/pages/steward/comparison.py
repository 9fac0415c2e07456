"""Two source Patients side by side: what is the same, what differs, what only one of them says. Pure."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from kintung.errors import NotSupported, ValueInvalid
from kintung.identity.identifiers import mask, normalise, parse
from kintung.identity.matching.numbers import VERIFIED
from kintung.web.pages.catalogues import N_
from kintung.web.pages.numbers import LABELS, SYSTEMS
from kintung.web.pages.steward.names import USES, Name, agreement, names_of

Resource = dict[str, Any]


class Verdict(StrEnum):
    """What two sides of a row are to each other."""

    SAME = "same"
    NEAR = "near"
    DIFFERS = "differs"
    ONE_SIDED = "one-sided"


VERDICTS: dict[Verdict, str] = {
    Verdict.SAME: N_("Same"),
    Verdict.NEAR: N_("Partly the same"),
    Verdict.DIFFERS: N_("Different"),
    Verdict.ONE_SIDED: N_("Only one says it"),
}


class Note(NamedTuple):
    """A remark on a value: a message, and the name it speaks of, "" for none.

    ``agrees``: it says how the value agrees with the other record's, short of being the same.
    """

    message: str
    name: str = ""
    agrees: bool = False


class Value(NamedTuple):
    """One thing a record says.

    ``kind`` tells how it is shown: a text, a text in Chinese characters (``han``), a date, a message to be
    translated (``code``), or a number whose ``label`` is that of its system. ``agrees`` says whether the
    other record says it too; ``is_lone`` that the other has nothing to compare it with.
    """

    text: str
    agrees: bool
    kind: str = "text"
    label: str = ""
    notes: tuple[Note, ...] = ()
    is_lone: bool = False


class Row(NamedTuple):
    """What both say of one thing; ``label`` is a message."""

    label: str
    ones: tuple[Value, ...]
    others: tuple[Value, ...]
    verdict: Verdict


def compare(one: Resource, other: Resource) -> tuple[Row, ...]:
    """The rows of a pair; what neither says has none. Turned round, the sides are exchanged."""
    rows = [
        _row(N_("Names"), _names(one, other), _names(other, one)),
        _row(N_("Date of birth"), _birth(one, other), _birth(other, one)),
        _row(N_("Sex"), _sex(one, other), _sex(other, one)),
        _row(N_("Identity numbers"), *_both(_numbers, one, other)),
        _row(N_("Phones"), *_both(_phones, one, other)),
        _row(N_("Addresses"), *_both(_addresses, one, other)),
    ]
    return tuple(row for row in rows if row.ones or row.others)


def _row(label: str, ones: Sequence[Value], others: Sequence[Value]) -> Row:
    return Row(label, tuple(ones), tuple(others), _verdict(ones, others))


def _verdict(ones: Sequence[Value], others: Sequence[Value]) -> Verdict:
    values = [*ones, *others]
    if not ones or not others:
        return Verdict.ONE_SIDED
    if all(value.agrees and not any(note.agrees for note in value.notes) for value in values):
        return Verdict.SAME
    if any(value.agrees for value in values):
        return Verdict.NEAR
    if all(value.is_lone for value in values):
        return Verdict.ONE_SIDED  # numbers of different documents say nothing of each other
    return Verdict.DIFFERS


# --- Names ----------------------------------------------------------------------------


def _names(one: Resource, other: Resource) -> list[Value]:
    others = names_of(other)
    return [_named(name, others) for name in names_of(one)]


def _named(name: Name, others: tuple[Name, ...]) -> Value:
    found = agreement(name, others)
    notes = [Note(USES[name.use])] if name.use in USES else []
    if found is not None and found.message:
        notes.append(Note(found.message, found.of, agrees=True))
    return Value(name.text, found is not None, "han" if name.is_han else "text", notes=tuple(notes))


# --- Birth date and sex ---------------------------------------------------------------


def _birth(one: Resource, other: Resource) -> list[Value]:
    mine, theirs = one.get("birthDate") or "", other.get("birthDate") or ""
    if not mine:
        return []
    if mine != theirs and theirs and (mine.startswith(theirs) or theirs.startswith(mine)):
        return [Value(mine, agrees=True, kind="day", notes=(_near(N_("the same as far as both say")),))]
    if mine != theirs and _exchanged(mine) == theirs:
        return [Value(mine, agrees=True, kind="day", notes=(_near(N_("day and month exchanged")),))]
    return [Value(mine, mine == theirs, kind="day")]


def _near(message: str) -> Note:
    return Note(message, agrees=True)


def _exchanged(date: str) -> str:
    parts = date.split("-")
    return "-".join((parts[0], parts[2], parts[1])) if len(parts) == 3 else ""


SEXES: dict[str, str] = {
    "male": N_("male"),
    "female": N_("female"),
    "other": N_("other"),
}
"""Codes of FHIR administrative-gender; ``unknown`` says nothing that could differ."""


def _sex(one: Resource, other: Resource) -> list[Value]:
    sex = one.get("gender") or ""
    return [Value(SEXES[sex], sex == other.get("gender"), kind="code")] if sex in SEXES else []


# --- What is listed: numbers, phones, addresses ---------------------------------------

Listed = tuple[str, Value]
"""By what it is compared, and how it is shown."""


def _both(
    listed: Callable[[Resource], list[Listed]], one: Resource, other: Resource
) -> tuple[list[Value], list[Value]]:
    ones, others = listed(one), listed(other)
    return _beside(ones, others), _beside(others, ones)


def _beside(ones: list[Listed], others: list[Listed]) -> list[Value]:
    keys, labels = {key for key, _ in others}, {value.label for _, value in others}
    return [value._replace(agrees=key in keys, is_lone=value.label not in labels) for key, value in ones]


def _numbers(resource: Resource) -> list[Listed]:
    found: list[Listed] = []
    for identifier in resource.get("identifier", ()):
        uri, value = identifier.get("system") or "", identifier.get("value") or ""
        if value:
            found.append(_number(uri, value, is_verified=_is_verified(identifier)))
    return found


def _number(uri: str, value: str, *, is_verified: bool) -> Listed:
    """A number, masked; compared whole, in its normal form."""
    notes = [Note(N_("document seen"))] if is_verified else []
    try:
        number = parse(uri, value)
        document, normal = number.document, number.normal
        if number.check == "missing":
            notes.append(Note(N_("check digit missing")))
    except NotSupported:
        document, normal = uri, value
    except ValueInvalid:
        document, normal = SYSTEMS.get(uri, uri), normalise(uri, value)
        notes.append(Note(N_("not a valid number")))
    label = LABELS.get(document, document)
    shown = Value(mask(uri, value), agrees=False, kind="number", label=label, notes=tuple(notes))
    return f"{document}|{normal}", shown


def _is_verified(identifier: Resource) -> bool:
    extensions = identifier.get("extension", ())
    return any(each.get("url") == VERIFIED and each.get("valueDateTime") for each in extensions)


_SIGNIFICANT = 8
"""Digits of a telephone number in Hong Kong and Macao, without the code of a country."""


def _phones(resource: Resource) -> list[Listed]:
    found: list[Listed] = []
    for contact in resource.get("telecom", ()):
        value = contact.get("value") or ""
        if value and contact.get("system") in ("phone", "sms", None):
            digits = "".join(character for character in value if character.isdigit())
            found.append((digits[-_SIGNIFICANT:] or value, Value(_on_a_line(value), agrees=False)))
    return found


def _on_a_line(number: str) -> str:
    """A telephone number that is broken before its last eight digits alone: +852 5123 4567."""
    head, _, tail = number.rpartition(" ")
    return f"{head}\u00a0{tail}" if head else number


def _addresses(resource: Resource) -> list[Listed]:
    found: list[Listed] = []
    for address in resource.get("address", ()):
        parts = [*address.get("line", ())]
        parts += [address.get(each) for each in ("district", "city", "state", "postalCode", "country")]
        text = address.get("text") or ", ".join(part for part in parts if part)
        if text:
            key = "".join(character for character in text.casefold() if character.isalnum())
            found.append((key, Value(text, agrees=False)))
    return found
