"""Identity numbers of people who are not: of valid form, with a right check digit, where none is issued.

| kind | made | why none is issued there |
| --- | --- | --- |
| HKID, birth certificate | ``QZ`` and six digits | no card is known to begin with QZ |
| mainland ID | areas 999999, 999998 ... | no place has them |
| residence permit | sequence 900 to 999 | a number 900 would need 450 holders of one sex born on one day |
| Home Return Permit | ``H99``, ``M99`` and six digits | given out in order, to under ten million people |
| exit-entry permit | ``CZ`` and seven digits | letters are used up in order |
| Macao card | ``19`` and five digits | given out in order, to under 900,000 people |
| passport | ``ZZ9`` and six digits | assumed |
| Certificate of Exemption, eHealth number | ``SYN`` and digits | no form is published |
| telephone | begins with 0 (mainland: 100) | no number does |

All of it is assumed, as ``docs/reference/definitions.md`` says: no issuer publishes its ranges.
"""

from collections import defaultdict
from datetime import date
from typing import Literal

from kintung.definitions.population import Sex
from kintung.identity.identifiers import hkid_check_digit, mainland_check_digit

MOST_PEOPLE = 1_000_000
"""People of one population: HKIDs that begin with QZ suffice for no more."""

Region = Literal["hong-kong", "hong-kong-in-guangdong", "macao", "guangdong"]


def scattered(number: int, below: int, factor: int = 7_368_787) -> int:
    """Return another number below the bound (a power of ten), so that neighbours are not alike.

    Different numbers give different ones where the factor has no divisor in common with ten. Kinds of
    numbers have factors of their own, so that one tells nothing of another.
    """
    return (number * factor + 40_961) % below


def hkid(number: int) -> str:
    """Return an HKID in normal form: ``QZ000002A``."""
    body = f"QZ{scattered(number, 1_000_000):06}"
    return body + hkid_check_digit(body)


def macao_card(number: int) -> str:
    """Return the number of a Macao card in normal form; the rule of its last digit is not published."""
    body = f"19{scattered(number, 100_000, 4_910_257):05}"
    return f"{body}{sum(map(int, body)) % 10}"


def home_return_permit(region: Region, number: int) -> str:
    """Return the nine signs that a Home Return Permit keeps for life."""
    return f"{'M' if region == 'macao' else 'H'}99{scattered(number, 1_000_000, 2_905_441):06}"


def exit_entry_permit(number: int) -> str:
    return f"CZ{scattered(number, 10_000_000, 6_203_843):07}"


def passport(number: int) -> str:
    return f"ZZ9{scattered(number, 1_000_000, 3_117_649):06}"


def exemption_certificate(number: int) -> str:
    return f"SYN{scattered(number, 1_000_000, 8_650_907):06}"


def ehealth_number(number: int) -> str:
    return f"SYN{scattered(number, 1_000_000_000, 516_308_123):09}"


def telephone(country: str, number: int) -> str:
    """Return a national number: eight digits, on the mainland eleven."""
    return (
        f"100{scattered(number, 100_000_000):08}"
        if country == "CN"
        else f"0{scattered(number, 10_000_000):07}"
    )


class BirthNumbers:
    """Mainland IDs and residence permits: how many were given out for a birth date and sex."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, date, Sex], int] = defaultdict(int)

    def mainland_id(self, born: date, sex: Sex) -> str:
        """Return the next resident ID; an odd sequence is a man's. Another area begins after 500."""
        areas, nth = divmod(self._next("", born, sex), 500)
        return _checked(f"{999_999 - areas}{born:%Y%m%d}{2 * nth + (sex == 'male'):03}")

    def residence_permit(self, region: Region, born: date, sex: Sex) -> str | None:
        """Return the next residence permit, or None when the fifty of a birth date are given out."""
        area = "820000" if region == "macao" else "810000"
        nth = self._next(area, born, sex)
        return _checked(f"{area}{born:%Y%m%d}{900 + 2 * nth + (sex == 'male'):03}") if nth < 50 else None

    def _next(self, area: str, born: date, sex: Sex) -> int:
        nth = self._given[area, born, sex]
        self._given[area, born, sex] = nth + 1
        return nth


def _checked(body: str) -> str:
    return body + mainland_check_digit(body)


def printed(system: str, normal: str) -> str:
    """Return a number as its document shows it: check digits in brackets."""
    if system in ("hkid", "hk-birth-certificate", "macao-bir"):
        return f"{normal[:-1]}({normal[-1]})"
    return normal
