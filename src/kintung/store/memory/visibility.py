"""The Reader as one function, asked of every resource that is looked at."""

from kintung.store.memory.state import Persons, State
from kintung.store.reader import Reader
from kintung.store.versions import OwnerKind, Ownership


def sees(reader: Reader, state: State, ownership: Ownership, labels: frozenset[str]) -> bool:
    """Is what these own, under these labels, visible to the reader?"""
    if reader.hidden & labels:
        return False
    match ownership.kind:
        case OwnerKind.PUBLIC:
            return reader.public
        case OwnerKind.ORGANISATION:
            if isinstance(reader.organisations, bool):
                return reader.organisations
            return ownership.organisation in reader.organisations
        case OwnerKind.PERSON | OwnerKind.SEVERAL | OwnerKind.UNKNOWN:
            if isinstance(reader.persons, bool):
                return reader.persons
            persons = state.scopes.get(reader.persons.number, Persons()).ids
            return len(ownership.persons) > 0 and persons.issuperset(ownership.persons)
