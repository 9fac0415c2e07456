"""What is of several persons together, this one among them: lists, groups, appointments and the like.

It does not lie with the data of one person, so it is found by the compartment of a Patient, and a list also
by what is in it. As of a day it is what is there now, as it was then; what was deleted since is not found.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

from kintung.definitions import ownership_rules
from kintung.fhir.search import Query, parse_query
from kintung.fhir.search.compartments import compartment, members
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.store.versions import Method, Paging, Version

MOST = 100
"""Of each type, the newest."""
SHARED = frozenset(rule.type for rule in ownership_rules() if rule.kind == "several") & members("Patient")


def shared(
    view: View,
    reader: Reader,
    ids: tuple[str, ...],
    keys: Collection[int],
    types: Collection[str],
    at: int | None,
) -> Iterator[Version]:
    """Resources of these types that are of one of the source Patients ``ids`` and may be of others, too.

    Args:
        keys: of the Patients: a version of which none of them is an owner is not this person's.
        at: as they were at this instant, UTC microseconds; None for now.
    """
    for type in sorted(SHARED.intersection(types)):
        found: dict[str, Version] = {}
        for query in _queries(type, ids):
            for version in view.search(reader, query, Paging(MOST)).entries:
                found[version.id] = version
        for version in found.values():
            then = version if at is None else _then(view, reader, version, at)
            if then is not None and set(then.patient_keys).intersection(keys):
                yield then


def _queries(type: str, ids: tuple[str, ...]) -> Iterator[Query]:
    whole = parse_query(type, [], now_micros=0)
    yield replace(whole, criteria=(compartment("Patient", ids, (type,)), *whole.criteria))
    if type == "List":
        yield parse_query(type, [("item", ",".join(f"Patient/{id}" for id in ids))], now_micros=0)


def _then(view: View, reader: Reader, now: Version, at: int) -> Version | None:
    page = view.history(reader, now.type, now.id, at=(0, at + 1), paging=Paging(1))
    found = next(iter(page.entries), None)
    return None if found is None or found.method is Method.DELETE else found
