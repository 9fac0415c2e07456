"""Preparing a unit: what it reads is remembered and asked again inside the commit lock."""

from collections.abc import Iterable, Sequence

from kintung.errors import RuleFailed
from kintung.fhir.search import Query
from kintung.store.links import Link, LinkChange
from kintung.store.port import Read, Rehearsal, Unit, View
from kintung.store.reader import Reader, Scope
from kintung.store.through import Through
from kintung.store.versions import Current, Match, Numbers, Ownership
from kintung.store.writes import MOST_LABELS, Relabel


class Recorder(Through):
    """A View that remembers what a unit read, so that it can be asked again.

    Only what decides a write is remembered: the state of a resource, the matches of a
    criterion, the owners of a source, links. Bodies follow from the state.
    """

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.reads: list[Read] = []

    def current(self, reader: Reader, type: str, id: str) -> Current | None:
        answer = self._view.current(reader, type, id)
        self.reads.append(Read("current", (reader, type, id), answer))
        return answer

    def match(self, reader: Reader, query: Query, limit: int = 2) -> tuple[Match, ...]:
        answer = self._view.match(reader, query, limit)
        self.reads.append(Read("match", (reader, query, limit), answer))
        return answer

    def owners_of(self, type: str, id: str) -> Ownership | None:
        answer = self._view.owners_of(type, id)
        self.reads.append(Read("owners_of", (type, id), answer))
        return answer

    def bearers(self, numbers: Numbers, most: int) -> tuple[Match, ...] | None:
        answer = self._view.bearers(numbers, most)
        self.reads.append(Read("bearers", (numbers, most), answer))
        return answer

    def link(self, reader: Reader, one: str, other: str) -> Link | None:
        answer = self._view.link(reader, one, other)
        self.reads.append(Read("link", (reader, one, other), answer))
        return answer

    def links_of(self, reader: Reader, id: str) -> tuple[Link, ...]:
        answer = self._view.links_of(reader, id)
        self.reads.append(Read("links_of", (reader, id), answer))
        return answer


_OF_LINKS = ("link", "links_of")


def rehearse(unit: Unit, view: View) -> Rehearsal:
    """Prepare a unit on a view; raises what its ``prepare`` raises."""
    recorder = Recorder(view)
    prepared = unit.prepare(recorder)
    # A link changes no sequence number, so that questions about links are always asked again.
    is_of_log = recorder.reads and not any(read.question in _OF_LINKS for read in recorder.reads)
    sequence = view.sequence if is_of_log else -1
    return Rehearsal(prepared, tuple(recorder.reads), sequence)


def still_so(reads: tuple[Read, ...], view: View) -> bool:
    """Does every question get the answer it got before?"""
    return all(read.ask(view) == read.answer for read in reads)


def scope_of(reader: Reader) -> Scope | None:
    """The stored scope a reader's right rests on, whose epoch is rechecked inside."""
    return reader.persons if isinstance(reader.persons, Scope) else None


def decided_of(changes: Iterable[LinkChange]) -> list[str]:
    """The source Patients that stewards decide of: their access report shows it, as it shows writes."""
    decisions = [change for change in changes if change.kind.is_decision]
    return [id for change in decisions for id in (change.one, change.other)]


def require_place_for_labels(given: Iterable[str], relabels: Sequence[Relabel]) -> None:
    """Refuse the label that would be one more than a record has place for.

    Args:
        given: all labels that the record ever had.
        relabels: what a unit is to change.

    Raises:
        RuleFailed: there would be more than ``MOST_LABELS``.
    """
    if len(set(given).union(*(relabel.labels for relabel in relabels))) > MOST_LABELS:
        raise RuleFailed(
            f"A record has {MOST_LABELS} security labels at most, and this one has no place for another;"
            " take one that it has.",
            path="Resource.meta.security",
        )
