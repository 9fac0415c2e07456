"""The strict reader of definitions.

A definition is written as a YAML file, by people, in a folder of this package, and read
here from the JSON that ``scripts/compile_definitions.py`` made of the folder. The reader
refuses what it does not know: an unknown or missing member, a value of another type.
"""

from pathlib import Path
from typing import TypeVar

import msgspec

from kintung.errors import ValueInvalid

T = TypeVar("T")

PACKAGE = Path(__file__).parent


def read(folder: str, into: type[T]) -> dict[str, T]:
    """Read a folder of definitions by file name.

    Args:
        into: a msgspec Struct that forbids unknown fields.

    Raises:
        ValueInvalid: a definition is not an ``into``; the message says where.
    """
    return decode(folder, (PACKAGE / f"compiled/{folder}.json").read_bytes(), into)


def read_whole(folder: str, into: type[T]) -> T:
    """Read a folder whose files have shapes of their own.

    Args:
        into: a msgspec Struct with a field for each file, renamed to its file name.

    Raises:
        ValueInvalid: as :func:`read`.
    """
    try:
        return msgspec.json.decode((PACKAGE / f"compiled/{folder}.json").read_bytes(), type=into)
    except msgspec.DecodeError as error:
        raise ValueInvalid(f"definitions/{folder}: {error}") from error


def decode(folder: str, text: bytes, into: type[T]) -> dict[str, T]:
    """Read the compiled ``text`` of a folder; raises as :func:`read`."""
    try:
        return msgspec.json.decode(text, type=dict[str, into])
    except msgspec.DecodeError as error:
        raise ValueInvalid(f"definitions/{folder}: {error}") from error
