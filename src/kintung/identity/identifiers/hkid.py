"""The number of a Hong Kong identity card: ``A123456(3)``, normal form ``A1234563``.

One or two letters, six digits, a check digit. Source: Hong Kong government common schema
COM000001-3.
"""

import re

from kintung.errors import ValueInvalid
from kintung.identity.identifiers.said import Said

_WITHOUT_CHECK_DIGIT = re.compile(r"[A-Z]{1,2}[0-9]{6}").fullmatch


def check_digit(body: str) -> str:
    """Return the check digit of an HKID, ``A`` for ten.

    Args:
        body: one or two letters and six digits, ``A123456``.

    The eight places (a space before a single letter) have values 0-9, A=10 to Z=35 and
    space=36, and weights 9 down to 2; weighted sum and check digit add to a multiple of 11.
    """
    values = (36 if character == " " else int(character, 36) for character in body.rjust(8))
    total = sum(weight * value for weight, value in zip(range(9, 1, -1), values, strict=True))
    return "0123456789A"[-total % 11]


def lacks_check_digit(number: str) -> bool:
    """Whether ``number`` is the letters and six digits alone."""
    return _WITHOUT_CHECK_DIGIT(number) is not None


def read(normal: str) -> Said:
    """What a number of the right format says.

    Raises:
        ValueInvalid: the check digit is another.
    """
    if check_digit(normal[:-1]) != normal[-1]:
        raise ValueInvalid(
            "The check digit in brackets is not that of this number; compare both with the card."
        )
    return Said("right", region="HK")


def masked(normal: str) -> str:
    """``A123***(*)``: the first four signs."""
    return normal[:4] + "*" * (len(normal) - 5) + "(*)"
