"""``near`` of a Location: within a distance of a place, ``22.28|114.16|5|km``.

Distances are those of a great circle on a sphere of the Earth's mean radius, at most 0.6 % off.
Source: http://hl7.org/fhir/R4/location.html#positional.
"""

import re
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Any

from kintung.errors import ValueInvalid

RADIUS = 6371.0088
"""Of the Earth, in kilometres: the mean of WGS84."""
UNITS = {"km": 1.0, "m": 0.001, "[mi_us]": 1.609347219, "[mi_i]": 1.609344, "mi": 1.609344}
"""Kilometres of each unit of UCUM, and of a mile as most write it."""
DEFAULT_KILOMETRES = 5.0
"""What is near where no distance is given."""

_DEGREES = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,20})?", re.ASCII)
_DISTANCE = re.compile(r"\d{1,9}(?:\.\d{1,20})?", re.ASCII)
_FORM = "it is written latitude|longitude|distance|units, as in 22.28|114.16|5|km"


@dataclass(frozen=True, slots=True)
class Near:
    """Within so many kilometres of a place; degrees north and east."""

    latitude: float
    longitude: float
    kilometres: float


def near(parts: list[str]) -> Near:
    """Read ``latitude|longitude``, with a distance and its units or without.

    Raises:
        ValueInvalid: it is no place on Earth, no distance, or in no unit known here.
    """
    latitude, longitude, distance, unit = (*parts, "", "")[:4] if 2 <= len(parts) <= 4 else ("",) * 4
    if not (_DEGREES.fullmatch(latitude) and _DEGREES.fullmatch(longitude)):
        raise ValueInvalid(_FORM)
    if abs(float(latitude)) > 90 or abs(float(longitude)) > 180:
        raise ValueInvalid(f"a latitude is within 90 degrees and a longitude within 180; {_FORM}")
    if not distance:
        return Near(float(latitude), float(longitude), DEFAULT_KILOMETRES)
    if not _DISTANCE.fullmatch(distance):
        raise ValueInvalid(f"a distance is a number from 0; {_FORM}")
    if unit and unit not in UNITS:
        raise ValueInvalid(f"a unit of distance is one of {', '.join(UNITS)}; {_FORM}")
    return Near(float(latitude), float(longitude), float(distance) * UNITS[unit or "km"])


def is_near(place: Near, resource: dict[str, Any]) -> bool:
    """Is a Location there? One without a position is nowhere."""
    position = resource.get("position", {})
    latitude, longitude = position.get("latitude"), position.get("longitude")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return False
    return _kilometres(place, float(latitude), float(longitude)) <= place.kilometres


def _kilometres(place: Near, latitude: float, longitude: float) -> float:
    """By the haversine, which keeps its digits when the two are close."""
    here, there = radians(place.latitude), radians(latitude)
    north = sin((there - here) / 2) ** 2
    east = sin(radians(longitude - place.longitude) / 2) ** 2
    return 2 * RADIUS * asin(min(1.0, sqrt(north + cos(here) * cos(there) * east)))
