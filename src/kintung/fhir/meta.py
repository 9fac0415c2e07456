"""Profiles, tags and security labels in ``meta``: read from a text, and changed in it as sets.

Source: http://hl7.org/fhir/R4/resource-operation-meta-add.html and -meta-delete.html: the identity
of a tag is its system and code, that of a profile its whole URL. What is not changed keeps every
letter. All texts are of what structure validation accepted.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from kintung.errors import StructureInvalid, ValueInvalid
from kintung.fhir.patch.json_patch import Add, Operation, Remove, apply_json_patch

Coding = tuple[str, str]
"""System, "" for none, and code."""


class Labels(NamedTuple):
    """What ``meta`` says of a resource beside its version: each profile, tag and label with its text."""

    profiles: dict[str, bytes]
    tags: dict[Coding, bytes]
    security: dict[Coding, bytes]


class _Coding(msgspec.Struct, frozen=True):
    system: str = ""
    code: str = ""


class _Meta(msgspec.Struct, frozen=True):
    profile: list[str | None] = []
    extended: list[msgspec.Raw] | None = msgspec.field(name="_profile", default=None)
    tag: list[msgspec.Raw] = []
    security: list[msgspec.Raw] = []


class _Resource(msgspec.Struct, frozen=True):
    meta: msgspec.Raw = msgspec.Raw(b"{}")


class _Parameter(msgspec.Struct, frozen=True):
    name: str = ""
    meta: msgspec.Raw = msgspec.field(name="valueMeta", default=msgspec.Raw())


class _Parameters(msgspec.Struct, frozen=True):
    parameter: list[_Parameter] = []


_METAS = msgspec.json.Decoder(_Meta)
_CODINGS = msgspec.json.Decoder(_Coding)
_RESOURCES = msgspec.json.Decoder(_Resource)
_PARAMETERS = msgspec.json.Decoder(_Parameters)


def meta_of(resource: bytes) -> bytes:
    """The text of a resource's ``meta``; ``{}`` where it has none."""
    return bytes(_RESOURCES.decode(resource).meta)


def meta_given(parameters: bytes) -> bytes:
    """The text of the Meta that a Parameters resource brings.

    Raises:
        StructureInvalid: it has another parameter, or none named meta, or that is not a Meta.
    """
    listed = _PARAMETERS.decode(parameters).parameter
    meta = bytes(listed[0].meta) if len(listed) == 1 and listed[0].name == "meta" else b""
    if not meta:
        raise StructureInvalid(
            "Parameters has one parameter, named meta, with a valueMeta.", path="Parameters.parameter"
        )
    return meta


def labels_of(meta: bytes) -> Labels:
    """The profiles, tags and labels in a ``meta``; those of no code are passed over."""
    found = _METAS.decode(meta)
    return Labels(
        {profile: msgspec.json.encode(profile) for profile in found.profile if profile is not None},
        _codings(found.tag),
        _codings(found.security),
    )


def labels_given(meta: bytes) -> Labels:
    """The profiles, tags and labels to add or to delete.

    Raises:
        ValueInvalid: a tag has no code: nothing could tell it from another.
    """
    labels = labels_of(meta)
    for coding in map(_identity, _METAS.decode(meta).tag):
        if not coding[1]:
            raise ValueInvalid("A tag has a code, by which it is told from others.", path="Meta.tag")
    return labels


def with_labels(resource: bytes, given: Labels) -> bytes:
    """A resource that has a ``meta``, with these profiles and tags too; as it was if it has them."""
    found = _METAS.decode(meta_of(resource))
    has = labels_of(meta_of(resource))
    profiles = [text for profile, text in given.profiles.items() if profile not in has.profiles]
    tags = [text for coding, text in given.tags.items() if coding not in has.tags]
    return apply_json_patch(
        resource,
        [
            *_appended("profile", profiles, is_there=bool(found.profile)),
            # Beside an array of values stands one of what else they have, of the same length.
            *_appended("_profile", [b"null"] * len(profiles) if found.extended else [], is_there=True),
            *_appended("tag", tags, is_there=bool(found.tag)),
        ],
    )


def without_labels(resource: bytes, given: Labels) -> bytes:
    """A resource without these profiles and tags; as it was if it has none of them."""
    found = _METAS.decode(meta_of(resource))
    profiles = [place for place, profile in enumerate(found.profile) if profile in given.profiles]
    tags = [place for place, text in enumerate(found.tag) if _identity(text) in given.tags]
    return apply_json_patch(
        resource,
        [
            *_removed("profile", profiles, len(found.profile)),
            *_removed("_profile", profiles if found.extended else [], len(found.profile)),
            *_removed("tag", tags, len(found.tag)),
        ],
    )


def joined(every: Iterable[Labels]) -> bytes:
    """A Meta of all profiles, labels and tags, each once and in order; of equals the first."""
    profiles: dict[str, bytes] = {}
    security: dict[Coding, bytes] = {}
    tags: dict[Coding, bytes] = {}
    for labels in every:
        profiles |= {profile: text for profile, text in labels.profiles.items() if profile not in profiles}
        security |= {coding: text for coding, text in labels.security.items() if coding not in security}
        tags |= {coding: text for coding, text in labels.tags.items() if coding not in tags}
    members = {
        "profile": [profiles[url] for url in sorted(profiles)],
        "security": [security[coding] for coding in sorted(security)],
        "tag": [tags[coding] for coding in sorted(tags)],
    }
    return msgspec.json.encode({name: list(map(msgspec.Raw, each)) for name, each in members.items() if each})


def _codings(listed: Iterable[msgspec.Raw]) -> dict[Coding, bytes]:
    found = {_identity(text): bytes(text) for text in listed}
    return {coding: text for coding, text in found.items() if coding[1]}


def _identity(coding: msgspec.Raw) -> Coding:
    read = _CODINGS.decode(coding)
    return read.system, read.code


def _appended(name: str, values: list[bytes], *, is_there: bool) -> list[Operation]:
    """What puts values at the end of a member of ``meta``, or makes it of them."""
    if not values:
        return []
    if not is_there:
        return [Add(f"/meta/{name}", msgspec.Raw(b"[%s]" % b",".join(values)))]
    return [Add(f"/meta/{name}/-", msgspec.Raw(value)) for value in values]


def _removed(name: str, places: list[int], of: int) -> list[Operation]:
    """What takes values out of a member of ``meta``, the last first; or the member, when none is left."""
    if places and len(places) == of:
        return [Remove(f"/meta/{name}")]
    return [Remove(f"/meta/{name}/{place}") for place in reversed(places)]
