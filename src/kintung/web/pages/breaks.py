"""Where lines of a page are broken: phrases, quantities and what programs read stay whole. Pure."""

import re
from functools import lru_cache

from markupsafe import Markup, escape

_PHRASE = re.compile("(?<=[，。、：；])(?!$)")
_SHORT_END = re.compile(r" (?=\S{1,2}$)|(?<=[0-9]) (?=\S{1,8}$)")
"""Before what is too short for a line of its own, or is the unit of a number: stage 3a, 140/90 mmHg."""
_UNIT = re.compile(r"(?<=[A-Za-z]/)(?=[0-9])")
"""Where a unit may be broken: mL/min/ 1.73 m²."""
_CODE = re.compile(r"(?<=[^/]_)|(?<=/)(?<! /)(?!/|$)|(?<=::)|(?<=\})(?!/|$)")
"""Where an address or the name of a test may be: after its signs, before a slash nowhere."""
_PATH = re.compile(r"(?<=/fhir/)(?!$)|(?<=/)(?=\$)")
"""Where the path of a request may be: before what it asks for."""
_MEMBER, _PARAMETER, _TOKEN, _NAMED = (
    re.compile(each) for each in (r"(?<=,)", "(?<=&)", "(?=%7C)", '(?<=":)')
)
_HUMP = re.compile("(?<!^)(?=[A-Z])")


def whole(text: str) -> Markup:
    """What stays on one line where it fits."""
    return Markup('<span class="phrase">{}</span>').format(text)


def phrases(text: str) -> Markup:
    """A line of Chinese whose phrases stay whole where they fit: it is broken after a sign first."""
    parts = _PHRASE.split(escape(text))
    if len(parts) == 1:
        return escape(text)
    return Markup("").join(whole(Markup(part)) for part in parts)  # noqa: S704 - escaped above


def held(text: str) -> str:
    """What was recorded, its last short word held by the one before it."""
    return _UNIT.sub("\u200b", _SHORT_END.sub("\u00a0", text))


@lru_cache(maxsize=4_096)
def code(text: str) -> Markup:
    """What programs read, an address or the name of a test; a last part with a hyphen stays whole."""
    head, slash, tail = text.rpartition("/")
    if "-" in tail:
        return _broken(_CODE, f"{head}{slash}") + whole(_broken(_CODE, tail))
    return _broken(_CODE, text)


@lru_cache(maxsize=4_096)
def type_name(name: str) -> Markup:
    """The name of a resource type, which is broken between its words: Medication|Request."""
    return _broken(_HUMP, name)


def shell(line: str) -> Markup:
    """A line of a shell: options, parameters of an address and members of JSON stay whole."""
    return Markup(" ").join(map(_word, line.split(" ")))


def _word(word: str) -> Markup:
    if "{" in word:
        return Markup("").join(whole(_broken(_NAMED, part)) for part in _MEMBER.split(word) if part)
    if "/" not in word:
        return whole(word)
    path, mark, query = word.partition("?")
    parameters = (whole(_broken(_TOKEN, part)) for part in _PARAMETER.split(query) if part)
    return _broken(_PATH, path) + mark + Markup("").join(parameters)


def _broken(places: re.Pattern[str], text: str) -> Markup:
    return Markup("<wbr>").join(places.split(text))
