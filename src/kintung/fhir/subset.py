"""A part of a resource, as ``_summary`` and ``_elements`` ask for it, cut out of its text.

What is kept keeps its bytes: digits, escapes, order of members. Required elements and modifier
elements are always kept, so that a part is valid and means nothing else than the whole; it is
tagged SUBSETTED, so that it is not taken for the whole.
Source: http://hl7.org/fhir/R4/search.html#summary and #elements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple, cast, get_args

import msgspec

from kintung.errors import BadInput, NotSupported, TooLong, ValueInvalid
from kintung.fhir.structure.definitions import Element, Member, definitions, members

Summary = Literal["true", "text", "data", "count", "false"]
Form = Literal["true", "text", "data", "elements"]

SUBSETTED = "SUBSETTED"
TAG_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"

MOST_ELEMENTS = 100
"""Names in one ``_elements``: no resource has more at its root."""

_ALWAYS = frozenset(("resourceType", "id", "meta"))
_PARTS = frozenset(("id", "extension"))
"""Members of any element that belong to what is kept of it."""
_TAG = msgspec.json.encode({"system": TAG_SYSTEM, "code": SUBSETTED})
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = b"{"[0]


@dataclass(frozen=True, slots=True)
class Subset:
    """Which part: one of the summaries, or the ``elements`` named, by their names at the root."""

    form: Form
    elements: frozenset[str] = frozenset()

    def of(self, text: bytes) -> bytes:
        """The part of a resource; ``text`` is one that was accepted."""
        whole = _MEMBERS.decode(text)
        type = msgspec.json.decode(whole["resourceType"], type=str)
        kept = _kept_members(whole, _root(type, self.form, self.elements))
        kept["meta"] = _tagged(whole.get("meta"))
        return msgspec.json.encode(kept)


# -- what is asked ----------------------------------------------------------------------


def summary_of(value: str) -> Summary:
    """Read ``_summary``; raises ValueInvalid when it is none of them."""
    if value not in get_args(Summary):
        raise ValueInvalid(f"_summary is one of {', '.join(get_args(Summary))}", path="_summary")
    return cast(Summary, value)


def elements_of(value: str, types: Sequence[str]) -> frozenset[str]:
    """Read ``_elements`` for resources of these types, of any type when there are none.

    A choice is named with its ``[x]``, without it, or as JSON has it (``value``, ``valueQuantity``).

    Raises:
        NotSupported: none of the types has such an element at its root.
        TooLong: it has more names than ``MOST_ELEMENTS``.
        BadInput: a name is missing.
    """
    names = value.split(",")
    if len(names) > MOST_ELEMENTS:
        raise TooLong(f"_elements has at most {MOST_ELEMENTS} names, this one {len(names)}", path="_elements")
    if not all(names):
        raise BadInput("_elements lacks a name; it is written id,status,subject", path="_elements")
    known = [_named(type) for type in types or definitions().resources]
    found: set[str] = set()
    for name in names:
        elements = {of_type[name] for of_type in known if name in of_type}
        if not elements:
            raise NotSupported(
                f"{name[:64]!r} is no element at the root of what is asked for", path="_elements"
            )
        found |= elements
    return frozenset(found)


def subset(summary: Summary | None, elements: frozenset[str] | None) -> Subset | None:
    """What both ask for together; None for whole resources.

    Raises:
        BadInput: both ask for a part.
    """
    if elements is None:
        return Subset(summary) if summary in ("true", "text", "data") else None
    if summary not in (None, "false"):
        raise BadInput("_elements and _summary ask for different parts; send one of them", path="_elements")
    return Subset("elements", elements)


@cache
def _named(type: str) -> Mapping[str, str]:
    """The elements at the root of a type by each name they may be asked for."""
    names = {"resourceType": "resourceType"}
    for json_name, member in members(type).items():
        element = member.element.name
        names |= {json_name: element, element: element}
        if member.element.is_choice:
            names[f"{element}[x]"] = element
    return names


# -- what is kept -----------------------------------------------------------------------


class _Kept(NamedTuple):
    """A member that is kept: all of it, or of its type ``within`` the summary alone."""

    within: str | None = None
    is_required: bool = False


@lru_cache(maxsize=1_024)
def _root(type: str, form: Form, elements: frozenset[str]) -> Mapping[str, _Kept]:
    """The members of a resource that are kept."""
    kept = {name: _Kept() for name in _ALWAYS}
    for name, member in members(type).items():
        element = member.element
        if form == "true":
            if _is_summary(element):
                kept[name] = _Kept(_within(member), element.min > 0)
        elif _is_due(element) or (
            element.name in elements if form == "elements" else (element.name == "text") == (form == "text")
        ):
            kept[name] = _Kept()
    return kept


@cache
def _inside(type: str) -> Mapping[str, _Kept]:
    """The members of an element of a type that belong to a summary."""
    return {
        name: _Kept(_within(member), member.element.min > 0)
        for name, member in members(type).items()
        if name in _PARTS or _is_summary(member.element)
    }


def _is_due(element: Element) -> bool:
    """Would a resource without it not be valid, or mean something else?"""
    return element.min > 0 or element.is_modifier


def _is_summary(element: Element) -> bool:
    return element.is_summary or _is_due(element)


def _within(member: Member) -> str | None:
    return None if _is_whole(member) else member.type


def _is_whole(member: Member) -> bool:
    """Is all of a member kept? Resources inside others are."""
    return member.is_primitive or member.type in ("Resource", "Extension") or not _drops(member.type)


@cache
def _drops(type: str) -> bool:
    """Is there something in the type, however deep, that is no part of a summary?"""
    waiting, seen = [type], {type}
    while waiting:
        for name, member in members(waiting.pop()).items():
            if name not in _PARTS and not _is_summary(member.element):
                return True
            if not member.is_primitive and member.type not in ("Resource", "Extension", *seen):
                seen.add(member.type)
                waiting.append(member.type)
    return False


# -- cutting ----------------------------------------------------------------------------


def _kept_members(whole: Mapping[str, msgspec.Raw], plan: Mapping[str, _Kept]) -> dict[str, msgspec.Raw]:
    kept: dict[str, msgspec.Raw] = {}
    for name, value in whole.items():
        found = plan.get(name)
        if found is None:
            # The id and extensions of a primitive go with it.
            if name[0] == "_" and name[1:] in plan:
                kept[name] = value
        elif found.within is None:
            kept[name] = value
        else:
            part = _part(value, found.within)
            if part is not None:
                kept[name] = part
            elif found.is_required:
                kept[name] = value
    return kept


def _part(value: msgspec.Raw, type: str) -> msgspec.Raw | None:
    """The summary of an element, or of each in an array; None when nothing is left."""
    text = bytes(value)
    if text[0] == _OBJECT:
        kept = _kept_members(_MEMBERS.decode(text), _inside(type))
        return _written(kept) if kept.keys() - {"id"} else None
    parts = [part for item in _ITEMS.decode(text) if (part := _part(item, type)) is not None]
    return _written(parts) if parts else None


def _tagged(meta: msgspec.Raw | None) -> msgspec.Raw:
    """The meta with the tag of a part, unless it has it."""
    members = _MEMBERS.decode(meta) if meta is not None else {}
    tags = members.get("tag")
    if tags is None:
        members["tag"] = msgspec.Raw(b"[%s]" % _TAG)
    elif not _has_tag(msgspec.json.decode(tags)):
        members["tag"] = msgspec.Raw(b"%s,%s]" % (bytes(tags).rstrip()[:-1], _TAG))
    return _written(members)


def is_subsetted(resource: Mapping[str, Any]) -> bool:
    """Does a valid resource say that it is not whole?"""
    return _has_tag(resource.get("meta", {}).get("tag", ()))


def _has_tag(tags: Sequence[Mapping[str, Any]]) -> bool:
    return any(tag.get("code") == SUBSETTED and tag.get("system") == TAG_SYSTEM for tag in tags)


def _written(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
