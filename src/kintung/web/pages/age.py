"""How old somebody is, where a day of birth is known."""

from datetime import date


def age(born: str, on: date) -> int | None:
    """Whole years on a day; None for a FHIR date that is no day, and for one to come."""
    try:
        day = date.fromisoformat(born)
    except ValueError:
        return None
    if day > on:
        return None
    return on.year - day.year - ((on.month, on.day) < (day.month, day.day))
