"""What a number says of itself and of its holder."""

from datetime import date
from typing import Literal, NamedTuple

Check = Literal["right", "missing", "unpublished"]
"""Of the check digit: it is right; the number was written without it; there is none, or none that we know."""
Sex = Literal["male", "female"]
"""A code of FHIR administrative-gender."""
Region = Literal["HK", "MO", "TW"]
"""Whose resident the holder is, a code of ISO 3166-1."""


class Said(NamedTuple):
    """None for what a number does not say."""

    check: Check = "unpublished"
    birth_date: date | None = None
    sex: Sex | None = None
    region: Region | None = None
