"""The bytes that are stored and served: the accepted text with a few tokens changed.

The server sets ``id``, owns ``meta.versionId`` and ``meta.lastUpdated``, and resolves
references inside a Bundle (http://hl7.org/fhir/R4/http.html#trules). All else stays as
it was sent: digits, escapes, order of members. A resource is never written again from
decoded data.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple

import msgspec

from kintung.fhir.structure.definitions import type_at
from kintung.fhir.tokens import STRING, tokens

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NAME = re.compile(STRING.pattern + rb":")
_HEAD = re.compile(rb'(?P<type>\{"resourceType":"[A-Za-z]+"),"id":"[^"\\]*+"')
_HOLDERS = frozenset(("Bundle", "Parameters"))
_REFERENCE = b'"reference":"'
_LINK_TYPES = frozenset(("uri", "url", "oid", "uuid"))
_URN = re.compile(rb"urn:(?:uuid|oid):[^\"\\'<>\x00-\x20]+")
_LINK = re.compile(rb"(?:urn:(?:uuid|oid):|https?://)[^\"\\'<>\x00-\x20]+")
# An ASCII character written as an escape, other than those that writers escape for HTML's sake.
_ESCAPED = re.compile(rb"\\u00(?!22|26|27|3[cCdDeE])[2-7]")
# In the text of a JSON string, so that quotes and line ends are escapes.
_ATTRIBUTE = re.compile(
    rb"""(?P<head>\b(?:href|src)(?:\s|\\[nrt])*+(?:=|\\u003[dD])(?:\s|\\[nrt])*+(?P<quote>\\"|'|\\u002[27]))"""
    rb"""(?P<link>(?:[^"'\\<>\s]|\\/)*+)(?P=quote)"""
)
_SERVER_OWNED = frozenset(("versionId", "_versionId", "lastUpdated", "_lastUpdated"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Links(dict[str, str]):
    """What links inside one Bundle resolve to; made once for it, then not changed.

    A plain mapping serves as well, but cannot remember that no key is a web address, and
    every resource is then searched for those. ``own`` are what references under the node's own
    address resolve to: in ``Reference.reference`` alone, where the Bundle resolves them to
    nothing else.
    """

    own: Mapping[str, str]

    def __init__(self, links: Mapping[str, str] | None = None, own: Mapping[str, str] | None = None) -> None:
        super().__init__(links or {})
        self.own = own or {}

    @cached_property
    def of_references(self) -> Mapping[str, str]:
        """What references become: all of these, and ``own``."""
        return {**self.own, **self} if self.own else self

    @cached_property
    def of_urns(self) -> "Links":
        """Those from a ``urn:``, which means nothing outside its Bundle, and ``own``."""
        urns = {link: name for link, name in self.items() if link.startswith("urn:")}
        return self if len(urns) == len(self) else Links(urns, self.own)

    @cached_property
    def has_addresses(self) -> bool:
        return any(link.startswith("http") for link in self)


class Spliced(NamedTuple):
    """A body to seal; ``meta_at`` is the offset just after the ``{`` of its ``meta``.

    ``linked_elsewhere`` is set when links may have been replaced outside of References.
    """

    text: bytes
    meta_at: int
    linked_elsewhere: bool = False


def splice(raw: bytes, *, type: str, id: str, references: Mapping[str, str]) -> Spliced:
    """Make the stored body of one resource.

    White space outside strings goes. ``id`` and ``meta`` keep their place when they have
    one; else ``id`` follows ``resourceType`` and ``meta`` follows ``id``.
    ``meta.versionId`` and ``meta.lastUpdated`` go, with their primitive extensions.

    Args:
        raw: text that ``kintung.fhir.json.parse`` and structure validation accepted.
        type: its resource type.
        id: the logical id it is stored under.
        references: what links inside a Bundle resolve to: ``urn:uuid:…`` or
            ``Patient?identifier=…`` to ``Patient/1``. Make it a ``Links`` for a Bundle.
    """
    text = msgspec.json.format(raw, indent=-1)
    elsewhere = False
    of_references = references.of_references if isinstance(references, Links) else references
    if of_references:
        text = _resolve(text, of_references)
        elsewhere = bool(references) and _has_links(text, references)
    if elsewhere:
        text = _resolve_everywhere(text, type, references)
    spliced = _splice_head(text, type, id.encode()) or _splice_members(text, id.encode())
    return spliced._replace(linked_elsewhere=True) if elsewhere else spliced


def _splice_head(text: bytes, type: str, id: bytes) -> Spliced | None:
    """``splice`` for most resources, three times faster; None where it is not sure.

    The id follows the type; the meta, if any, has nothing to lose; and either it follows the
    id, or no other resource is inside whose meta could be taken for this one's.
    """
    head = _HEAD.match(text)
    if head is None or type in _HOLDERS or (b"\\" in text and b"\\u00" in text):
        return None
    start = b'%s,"id":"%s"' % (head["type"], id)
    end = head.end()
    found = text.find(b'"meta":{', end)
    if found < 0:
        return Spliced(b'%s,"meta":{}%s' % (start, text[end:]), len(start) + len(b',"meta":{'))
    if text.find(b'"versionId":', found) >= 0 or text.find(b'"lastUpdated":', found) >= 0:
        return None
    if found > end + 1 and b'"contained":' in text:
        return None
    return Spliced(start + text[end:], len(start) + found - end + len(b'"meta":{'))


def _splice_members(text: bytes, id: bytes) -> Spliced:
    """``splice`` wherever id and meta stand."""
    names: list[str] = []
    members: list[bytes] = []
    for name, key, value in _members(text):
        names.append(name)
        if name == "id":
            members.append(b'%s"%s"' % (key, id))
        elif name == "meta":
            members.append(key + _without_server_owned(value))
        else:
            members.append(key + value)
    if "id" not in names:
        at = names.index("resourceType") + 1
        names.insert(at, "id")
        members.insert(at, b'"id":"%s"' % id)
    if "meta" not in names:
        at = names.index("id") + 1
        names.insert(at, "meta")
        members.insert(at, b'"meta":{}')
    at = names.index("meta")
    before = sum(map(len, members[:at])) + at  # the members and a comma after each
    return Spliced(b"{%s}" % b",".join(members), 1 + before + members[at].index(b"{") + 1)


def served(text: bytes, meta_at: int, version_id: int, at_micros: int) -> bytes:
    """A stored body as a reader gets it: with its version and its time of commit.

    ``at_micros`` counts microseconds from 1970-01-01T00:00Z.
    """
    seconds, micros = divmod(at_micros, 1_000_000)
    at = f"{_civil(seconds)}.{micros:06d}Z"
    comma = "" if text[meta_at] == 0x7D else ","
    added = f'"versionId":"{version_id}","lastUpdated":"{at}"{comma}'
    return b"%s%s%s" % (text[:meta_at], added.encode(), text[meta_at:])


@lru_cache(maxsize=4096)
def _civil(seconds: int) -> str:
    """Date and time of a second since 1970; resources read together were often stored together."""
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def _members(text: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """Name, key with its colon, and value of each member of an object without white space."""
    at = 1
    for name, value in _MEMBERS.decode(text).items():
        key = _NAME.match(text, at)
        if key is None:  # not reached: the decoder has just read this member
            raise ValueError(name)
        at = key.end() + len(bytes(value)) + 1
        yield name, key[0], bytes(value)


def _without_server_owned(meta: bytes) -> bytes:
    return b"{%s}" % b",".join(
        key + value for name, key, value in _members(meta) if name not in _SERVER_OWNED
    )


def _resolve(text: bytes, references: Mapping[str, str]) -> bytes:
    """Replace the links in ``Reference.reference`` that ``references`` names: nearly all there are."""
    before, *parts = text.split(_REFERENCE)
    done = [before]
    for part in parts:
        # Cut at the first quote, which ends the link unless it is an escape.
        link = part[: part.index(b'"')]
        if link[-1:] == b"\\":
            token = STRING.match(b'"' + part)
            assert token is not None, "the text is JSON"
            link = token[0][1:-1]
        plain = msgspec.json.decode(b'"%s"' % link, type=str) if b"\\" in link else link.decode()
        target = references.get(plain)
        done.append(part if target is None else target.encode() + part[len(link) :])
    return _REFERENCE.join(done)


def _has_links(text: bytes, references: Mapping[str, str]) -> bool:
    """Whether links may remain: seldom, since few resources name another outside a Reference."""
    link = _LINK if not isinstance(references, Links) or references.has_addresses else _URN
    if b"\\" in text:
        text = text.replace(b"\\/", b"/")
        if b"\\u00" in text and _ESCAPED.search(text) is not None:
            return True
    if link is _URN and b"urn:" not in text:
        return False
    return any(found.decode() in references for found in link.findall(text))


def _resolve_everywhere(text: bytes, type: str, references: Mapping[str, str]) -> bytes:
    """Replace links in elements whose type makes them links, and in narratives; in no other string."""
    resource = msgspec.json.decode(text)
    parts: list[bytes] = []
    done = 0
    for token in tokens(text):
        if token.kind != "string":
            continue
        old = text[token.start : token.end]
        target = references.get(msgspec.json.decode(old, type=str))
        if target is not None and type_at(resource, type, token.path) in _LINK_TYPES:
            new = b'"%s"' % target.encode()
        elif _ATTRIBUTE.search(old) and type_at(resource, type, token.path) == "xhtml":
            new = _resolve_narrative(old, references)
        else:
            continue
        parts += (text[done : token.start], new)
        done = token.end
    return b"".join(parts) + text[done:]


def _resolve_narrative(div: bytes, references: Mapping[str, str]) -> bytes:
    def swap(match: re.Match[bytes]) -> bytes:
        target = references.get(match["link"].replace(b"\\/", b"/").decode())
        return match[0] if target is None else match["head"] + target.encode() + match["quote"]

    return _ATTRIBUTE.sub(swap, div)
