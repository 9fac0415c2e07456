"""Check digits of identity numbers, and whether a number could have been issued.

Numbers are in normal form: capital letters and digits, nothing between them.
"""

import re

_HKID = re.compile(r"[A-Z]{1,2}[0-9]{6}[0-9A]")
_MAINLAND_ID = re.compile(r"[0-9]{17}[0-9X]")
_MAINLAND_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def hkid_check_digit(body: str) -> str:
    """Return the check digit of an HKID, ``A`` for ten.

    Args:
        body: one or two letters and six digits, ``A123456``.

    The eight places (a space before a single letter) have values 0-9, A=10 to Z=35 and
    space=36, and weights 9 down to 2; weighted sum and check digit add to a multiple of 11.
    Source: Hong Kong government common schema COM000001-3; vector ``A123456(3)``.
    """
    values = (36 if character == " " else int(character, 36) for character in body.rjust(8))
    total = sum(weight * value for weight, value in zip(range(9, 1, -1), values, strict=True))
    return "0123456789A"[-total % 11]


def is_hkid(number: str) -> bool:
    """Whether ``number`` (``A1234563``) is an HKID with the right check digit."""
    return bool(_HKID.fullmatch(number)) and hkid_check_digit(number[:-1]) == number[-1]


def mainland_check_digit(body: str) -> str:
    """Return the check character of a mainland resident ID, ``X`` for ten.

    Args:
        body: the first 17 digits: area 6, birth date 8, sequence 3.

    Source: GB 11643-1999 (ISO 7064 MOD 11-2). Residence permits of Hong Kong, Macao and
    Taiwan residents (areas 810000, 820000, 830000) follow the same rule.
    """
    total = sum(weight * int(digit) for weight, digit in zip(_MAINLAND_WEIGHTS, body, strict=True))
    return "10X98765432"[total % 11]


def is_mainland_id(number: str) -> bool:
    """Whether ``number`` has the 18 characters of a mainland ID and the right check character.

    Neither the area nor the birth date inside is looked up.
    """
    return bool(_MAINLAND_ID.fullmatch(number)) and mainland_check_digit(number[:17]) == number[17]
