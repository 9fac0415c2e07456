"""The number of a mainland resident identity card: area 6, birth date 8, sequence 3, check character.

Source: GB 11643-1999; the check character is that of ISO 7064 MOD 11-2. The area is not looked
up: which ones there were has changed every year since 1984.
"""

import re
from datetime import date

from kintung.errors import ValueInvalid
from kintung.identity.identifiers.said import Said, Sex

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_EARLIEST = 1800
_OF_A_PERMIT = re.compile(r"8[123]0000").match


def check_digit(body: str) -> str:
    """Return the check character of the first 17 digits, ``X`` for ten."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True))
    return "10X98765432"[total % 11]


def read(normal: str) -> Said:
    """What a number of the right format says: birth date and sex.

    Raises:
        ValueInvalid: the check character is another, there is no such birth date, or the area
            is one of residence permits.
    """
    if _OF_A_PERMIT(normal):
        raise ValueInvalid(
            "This is the number of a residence permit, not of a mainland identity card; "
            "give it the system of residence permits."
        )
    return read_18(normal)


def read_18(normal: str) -> Said:
    """What 18 characters after GB 11643 say, whatever their area; raises as :func:`read`."""
    if check_digit(normal[:17]) != normal[17]:
        raise ValueInvalid(
            "The last character is not the check character of this number; compare all 18 with the card."
        )
    sex: Sex = "male" if int(normal[16]) % 2 else "female"
    return Said("right", _birth_date(normal[6:14]), sex)


def _birth_date(digits: str) -> date:
    try:
        found = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        found = None
    if found is None or found.year < _EARLIEST:
        raise ValueInvalid(
            "Characters 7 to 14 are a birth date, and there is no such day; compare them with the card."
        )
    return found


def masked(normal: str) -> str:
    """``1101**************``: the area by province and city."""
    return normal[:4] + "*" * 14
