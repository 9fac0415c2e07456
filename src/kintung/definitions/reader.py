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


def decode(folder: str, text: bytes, into: type[T]) -> dict[str, T]:
    """Read the compiled ``text`` of a folder; raises as :func:`read`."""
    try:
        return msgspec.json.decode(text, type=dict[str, into])
    except msgspec.DecodeError as error:
        raise ValueInvalid(f"definitions/{folder}: {error}") from error
