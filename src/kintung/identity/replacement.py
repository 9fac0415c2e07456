"""What a source says of its own duplicates: ``Patient.link`` of type ``replaced-by``.

A source that has one person twice keeps one record and says of the other that it is inactive and by which it
is replaced (https://profiles.ihe.net/ITI/PIXm/ITI-104.html, resolve duplicate patient;
https://profiles.ihe.net/ITI/PMIR/ITI-93.html, merge). It may say so of two records that it deposited itself
and sees both of: nobody gains reach by its own word. Then a rule finds the two certain
(``kintung.identity.feed``), as long as the record says so; a steward's decision goes first. Of anything else
the link is kept as it was sent and joins nobody. See ADR 0030.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from kintung.errors import RuleFailed
from kintung.fhir.json import parse
from kintung.fhir.references import relative
from kintung.fhir.search import Query, parse_query
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.store.versions import Current

MOST_REPLACED = 32
"""Source Patients that one replaces, and that follow each other from the first to the one that stays."""
TYPE = "Patient"
PATH = "Patient.link"

Resource = Mapping[str, Any]
Written = Mapping[str, Resource | None]
"""Patients that one unit writes, by id; None for a deletion."""


def named(resource: Resource | None) -> tuple[str, ...]:
    """Ids of the Patients here that a record is said to be replaced by, active or not."""
    links = cast(list[dict[str, Any]], (resource or {}).get("link", ()))
    texts = [
        link.get("other", {}).get("reference", "") for link in links if link.get("type") == "replaced-by"
    ]
    found = [relative(text) for text in texts]
    return tuple(dict.fromkeys(each.id for each in found if each is not None and each.type == TYPE))


def replaced_by(resource: Resource | None) -> str | None:
    """The id of the one Patient that an inactive record is replaced by; None where it says no such thing.

    By which of several it is replaced would not be clear, so that then it is by none.
    """
    ids = named(resource)
    is_over = resource is not None and resource.get("active") is False
    return ids[0] if len(ids) == 1 and is_over else None


class Writer(NamedTuple):
    """Who writes: what it may see, and for which organisation."""

    reader: Reader
    organisation: str


def newly_said(view: View, writer: Writer, id: str, current: Current | None, written: Written) -> str | None:
    """By which Patient the record of ``id`` is replaced from this write on, by the word of who may say so.

    Args:
        current: as the writer saw it; None where it is new.
        written: what the unit writes, ``id`` among it.

    Raises:
        RuleFailed: the record is another's; it would replace itself in the end; over ``MOST_REPLACED``.
    """
    resource = written[id]
    is_own = current is None or current.ownership.organisation == writer.organisation
    after = replaced_by(resource)
    if resource is None or (is_own and after is None):
        return None
    before = None
    if current is not None and not current.deleted:
        before = replaced_by(parse(view.read(writer.reader, TYPE, id).body))
    if before == after:
        return None
    if not is_own:
        raise RuleFailed(
            f"Patient/{id} was deposited by another organisation, which alone says by what it is replaced;"
            " who is one person across sources is for a steward.",
            path=PATH,
        )
    assert after is not None
    _refuse_circle(view, writer.reader, id, after, written)
    if not is_own_of(view, writer, after, written):
        return None
    if len(view.match(writer.reader, _replaced_by(after), MOST_REPLACED)) >= MOST_REPLACED:
        raise RuleFailed(
            f"Patient/{after} replaces {MOST_REPLACED} records already, as many as one may.", path=PATH
        )
    return after


def is_own_of(view: View, writer: Writer, id: str, written: Written) -> bool:
    """Is it a record that the writer sees, that its organisation deposited, and that is there?"""
    current = view.current(writer.reader, TYPE, id)
    is_there = written[id] is not None if id in written else current is not None and not current.deleted
    return is_there and (current is None or current.ownership.organisation == writer.organisation)


def _refuse_circle(view: View, reader: Reader, first: str, next: str | None, written: Written) -> None:
    """Follow what replaces what, as far as the writer sees it."""
    followed = 0
    while next is not None:
        if next == first:
            raise RuleFailed(
                f"Patient/{first} would be replaced by itself in the end: the merge is circular."
                " Say of the record that stays that it is replaced by none.",
                path=PATH,
            )
        followed += 1
        if followed > MOST_REPLACED:
            raise RuleFailed(
                f"Over {MOST_REPLACED} records would replace each other in a row; name the one that stays.",
                path=PATH,
            )
        next = replaced_by(_resource(view, reader, next, written))


def _resource(view: View, reader: Reader, id: str, written: Written) -> Resource | None:
    if id in written:
        return written[id]
    current = view.current(reader, TYPE, id)
    return None if current is None or current.deleted else parse(view.read(reader, TYPE, id).body)


def _replaced_by(id: str) -> Query:
    return parse_query(TYPE, [("link", f"{TYPE}/{id}")], now_micros=0)
