"""A clinician with a limited view, for one test."""

from kintung.consent import Right
from kintung.store.reader import Reader
from tests.server.api import Api, persona

READER = "r"


def given_a_reader_of(api: Api, *persons: str) -> Reader:
    """A clinician of one clinic who sees these persons, and may write."""
    scope = api.grant(1, *persons).persons
    reader = Reader(READER, scope, organisations=frozenset({"clinic"}), hidden=frozenset({"R"}))
    api.personas[READER] = persona(READER, reader, Right.VIEW, Right.DEPOSIT, organisation="clinic")
    return reader
