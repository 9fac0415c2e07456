"""What is read in the text of a resource: words of narratives, contents and codes, and distances.

Source: https://hl7.org/fhir/R4/search.html#content with the readings in spec-readings.md.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

from tests.oracle.tables import Parameter
from tests.oracle.values import Held, fold, walk

INLINE = re.split(" ", "a abbr acronym b big cite code dfn em font i q small span strong sub sup tt var")
KILOMETRES = {"km": 1.0, "m": 0.001, "[mi_us]": 1.609347219, "[mi_i]": 1.609344, "mi": 1.609344}


class _Narrative(HTMLParser):
    """Gathers what a reader of the page sees; a tag that is not inline parts words."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = ""

    def handle_data(self, data: str) -> None:
        self.seen += data

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen += "" if tag in INLINE else " "

    def handle_endtag(self, tag: str) -> None:
        self.seen += "" if tag in INLINE else " "


def told(div: str) -> str:
    page = _Narrative()
    page.feed(div)
    page.close()
    return page.seen


def narrative(held: Held) -> list[str]:
    return [told(div) for div in walk(held.resource, "text.div")]


def content(resource: dict[str, Any]) -> Iterator[str]:
    """All strings but encoded data, and but what a server sets, whatever was sent in its place."""
    stamp = ("versionId", "lastUpdated", "_versionId", "_lastUpdated")
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in stamp}
    yield from strings({**resource, "meta": meta})


def strings(element: Any) -> Iterator[str]:
    """All strings of an element but encoded data."""
    if isinstance(element, list):
        for each in element:
            yield from strings(each)
    elif isinstance(element, dict):
        for name, child in element.items():
            if isinstance(child, str):
                yield from [told(child)] if name == "div" else [] if name == "data" else [child]
            elif name == "data" and isinstance(child, list):
                yield from (text for each in child if not isinstance(each, str) for text in strings(each))
            else:
                yield from strings(child)
    elif isinstance(element, str):
        yield element


def beside_codes(held: Held, parameter: Parameter) -> list[str]:
    """The text of concepts, the displays of codings, the text of the type of identifiers."""
    paths = {
        "CodeableConcept": ("text", "coding.display"),
        "Coding": ("display",),
        "Identifier": ("type.text",),
    }
    return [
        text
        for place in parameter.places
        for element in walk(held.resource, place.path)
        for path in paths.get(place.type, ())
        for text in walk(element, path)
    ]


# -- words ----------------------------------------------------------------------------------


def words(text: str) -> list[str]:
    """Letters, digits and marks that stand together."""
    letters = ["".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in fold(text))]
    return " ".join(letters).split()


def unspaced(phrase: list[str]) -> bool:
    """Is there a letter of a script that is written without spaces?"""
    scripts = ("CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "THAI", "LAO", "MYANMAR", "KHMER", "IDEOGRAPH")
    return any(unicodedata.name(c, "").startswith(scripts) or c in "々〆〇" for c in "".join(phrase))


def said(texts: list[str], phrase: str) -> bool:
    """Does any of the texts have the words of the phrase one after another, the last one begun?"""
    wanted = words(phrase)
    for text in texts:
        found = words(text)
        if unspaced(wanted):
            if "".join(wanted) in "".join(found):
                return True
        elif any(begins(found[at:], wanted) for at in range(len(found))):
            return True
    return False


def begins(found: list[str], wanted: list[str]) -> bool:
    whole, last = wanted[:-1], wanted[-1]
    return (
        found[: len(whole)] == whole and found[len(whole) :][:1] != [] and found[len(whole)].startswith(last)
    )


def words_test(text: str) -> Callable[[list[str]], bool]:
    """``a b``, ``a OR b``, ``"a b"``; no parentheses."""
    either = [re.findall(r'"[^"]*"|\S+', part) for part in re.split(r"\s+OR\s+", text)]
    either = [[phrase for phrase in part if words(phrase)] for part in either]
    return lambda texts: any(all(said(texts, phrase) for phrase in part) for part in either)


# -- places ---------------------------------------------------------------------------------


def near_test(text: str) -> Callable[[dict[str, Any]], bool]:
    """Within a distance on a sphere, by the angle between two directions from its middle."""
    latitude, longitude, distance, unit = (*text.split("|"), "", "")[:4]
    most = float(distance or 5) * KILOMETRES[unit or "km"] if distance else 5.0
    here = direction(float(latitude), float(longitude))

    def test(position: dict[str, Any]) -> bool:
        there = direction(float(position["latitude"]), float(position["longitude"]))
        across = math.dist(here, there) / 2
        return 2 * 6371.0088 * math.asin(min(1.0, across)) <= most

    return test


def direction(latitude: float, longitude: float) -> tuple[float, float, float]:
    north, east = math.radians(latitude), math.radians(longitude)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)
