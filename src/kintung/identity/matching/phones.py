"""Telephone numbers as they are compared: digits with their country code."""

import re
import unicodedata

_NOT_DIGITS = re.compile(r"[^0-9]+")
_MAINLAND_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_MACAO = re.compile(r"(6[0-9]{7}|28[0-9]{6}|8[0-9]{7})")


def normal_phone(written: str, *, macao: bool = False) -> str | None:
    """Bring a telephone number to country code and number, ``85291234567``; None for what is none.

    Args:
        macao: an eight-digit number without a country code is of Macao where it may be one;
            otherwise it is of Hong Kong.
    """
    signs = (written if written.isascii() else unicodedata.normalize("NFKC", written)).strip()
    digits = _NOT_DIGITS.sub("", signs)
    if signs.startswith("+"):
        return digits if 7 <= len(digits) <= 15 else None
    digits = digits.removeprefix("00")
    if _MAINLAND_MOBILE.fullmatch(digits):
        return "86" + digits
    if len(digits) == 8:
        return ("853" if macao and _MACAO.fullmatch(digits) else "852") + digits
    digits = digits.removeprefix("0")  # of a mainland area code
    if len(digits) in (10, 11) and not digits.startswith(("852", "853", "86")):
        return "86" + digits
    return digits if 7 <= len(digits) <= 15 else None
