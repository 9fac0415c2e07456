"""Birth dates as they are compared: whole, known in part, swapped, of another calendar."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def birth_features(written: Any) -> Iterator[tuple[str, Any]]:
    """Give the features of a FHIR date: ``1950``, ``1950-03`` or ``1950-03-04``.

    1 January counts as a whole date and as a year alone too: mainland systems write it for an
    unknown day. A text that is no date, or names a day that never was, gives nothing.
    """
    match = _DATE.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        return
    year, month, day = match.groups()
    if day is not None:
        yield from _whole(year, month, day)
    elif month is None or "01" <= month <= "12":
        yield "birth", written
        yield "birth_marks", frozenset({year})
        yield "birth_open", frozenset({written})
        yield "birth_spans", frozenset({year, written})


def _whole(year: str, month: str, day: str) -> Iterator[tuple[str, Any]]:
    try:
        number = date(int(year), int(month), int(day)).toordinal()
    except ValueError:
        return
    written = f"{year}-{month}-{day}"
    yield "birth", written
    yield "birth_day", written
    yield "birth_number", number
    yield "birth_marks", frozenset({year, f"-{month}-{day}"})
    yield "birth_spans", frozenset({year, f"{year}-{month}", written})
    yield "birth_parts", frozenset({f"{year}-{month}", f"-{month}-{day}", f"{year}--{day}"})
    if month == day == "01":
        yield "birth_new_year", written
        yield "birth_open", frozenset({year})
    elif day <= "12" and day != month:
        yield "birth_swapped", f"{year}-{day}-{month}"
