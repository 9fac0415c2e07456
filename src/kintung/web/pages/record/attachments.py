"""GET /record/{id}/{type}/{rid}/content/{n}: what is attached to one thing of a record, as its bytes.

An attachment is in the resource, or in a Binary that is stored here; what lies elsewhere is not fetched.

Source: http://hl7.org/fhir/R4/datatypes.html#Attachment.
"""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any, NamedTuple

from kintung.errors import NotFound
from kintung.fhir.json import parse
from kintung.fhir.references import is_id
from kintung.fhir.search import resource_types
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.store.versions import Method, Paging, Version
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.binary import content, content_of
from kintung.web.pages.language import Language
from kintung.web.pages.record.elements import Resource, items, text, thing, told
from kintung.web.pages.record.person import day_asked, end_of, require_of
from kintung.web.pages.registry import Asked
from kintung.web.site import Site

MOST = 20
"""Attachments of one resource that are looked at."""


class Attachment(NamedTuple):
    """One attachment: ``place`` counts those of its resource, ``title`` is "" where it has none.

    ``is_here``: its bytes can be had from this node.
    """

    place: int
    title: str
    media: str
    is_here: bool


def attachments(
    view: View, reader: Reader, resource: Resource, language: Language, upto: int | None, base: str
) -> tuple[Attachment, ...]:
    """What is attached to a resource, in its order; those in a Binary that is not in sight are not here."""
    return tuple(
        Attachment(
            place,
            told(each, "title", language),
            text(each, "contentType"),
            bool(text(each, "data")) or _binary(view, reader, each, upto, base) is not None,
        )
        for place, each in enumerate(_attached(resource))
    )


def attached(site: Site, asked: Asked, view: View) -> Answer:
    """The bytes of one attachment, to be saved and not shown.

    Raises:
        NotFound: the resource or the attachment is absent or hidden, or lies elsewhere.
        ValueInvalid: ``as-at`` is no day.
    """
    type, id, number = asked.named["type"], asked.named["rid"], asked.named["n"]
    reader, on = asked.access.reader, day_asked(asked)
    if (
        type not in resource_types()
        or not is_id(id)
        or not (number.isascii() and number.isdigit() and len(number) < 4)
    ):
        raise NotFound("Nothing is here.")
    ids = require_of(view, asked, type, id)
    key = view.read(reader, "Patient", asked.named["id"]).patient_keys[0]
    upto = end_of(on, site.offset_minutes) if on is not None else None
    version = _as_of(view, reader, type, id, upto)
    found = list(_attached(parse(version.body))) if version is not None else []
    if version is None or int(number) >= len(found):
        raise NotFound("Nothing is here.")
    it = found[int(number)]
    binary = None if text(it, "data") else _binary(view, reader, it, upto, asked.base)
    if binary is not None:
        answer = content(binary)
    elif data := text(it, "data"):
        answer = content_of(text(it, "contentType"), b64decode(data), version)
    else:
        raise NotFound("Nothing is here.")
    return answer._replace(about=key if len(ids) > 1 else 0, opened=key)


_MEMBERS = frozenset(
    {"id", "extension", "contentType", "language", "data", "url", "size", "hash", "title", "creation"}
)


def _attached(resource: Resource) -> Iterator[Resource]:
    """The objects of a resource that are attachments, by their members, in its order."""
    waiting: list[Any] = [resource]
    count = 0
    while waiting and count < MOST:
        value = waiting.pop()
        it = thing(value)
        members = {name.removeprefix("_") for name in it}
        if members & {"data", "url"} and members <= _MEMBERS:
            count += 1
            yield it
        elif it:
            waiting += [each for name, each in reversed(it.items()) if not name.endswith("xtension")]
        elif isinstance(value, list):
            waiting += reversed(items(value))


def _binary(view: View, reader: Reader, of: Resource, upto: int | None, base: str) -> Version | None:
    """The Binary of this node that an attachment names, as far as who asks sees it."""
    type, _, id = text(of, "url").removeprefix(f"{base}/").partition("/")
    return _as_of(view, reader, type, id, upto) if type == "Binary" and is_id(id) else None


def _as_of(view: View, reader: Reader, type: str, id: str, upto: int | None) -> Version | None:
    """A resource as it is, or as it was at an instant; None where it is absent, hidden or deleted."""
    if view.current(reader, type, id) is None:
        return None
    at = (0, upto + 1) if upto is not None else None
    found = next(iter(view.history(reader, type, id, at=at, paging=Paging(1)).entries), None)
    return None if found is None or found.method is Method.DELETE else found
