"""The text of a resource: its narrative, and all that it says.

Source: http://hl7.org/fhir/R4/narrative.html and http://hl7.org/fhir/R4/search.html#content.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any, cast

_WITHIN_A_WORD = re.compile(
    r"</?(?:a|abbr|acronym|b|big|cite|code|dfn|em|font|i|q|small|span|strong|sub|sup|tt|var)(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)
"""Tags that part no words: H<sub>2</sub>O is one."""
_TAG = re.compile(r"<[^<>]*>")
"""Neither looks past the next ``<``: the time is linear in the text, whatever it is."""

_DATA = "data"
"""Members that hold what nobody reads: of Attachment, Binary, Signature and SampledData."""
_STAMP = ("versionId", "lastUpdated")
"""Members of ``meta`` that the node sets: else ``_content=2026`` found all that was written in that year."""


def narrative(resource: dict[str, Any]) -> Iterator[str]:
    """Yield the text of the narrative, without tags and comments, entities resolved."""
    div = resource.get("text", {}).get("div")
    if isinstance(div, str):
        yield told(div)


def content(resource: dict[str, Any]) -> Iterator[str]:
    """Yield every string of a resource, also of what it contains, the narrative as ``narrative`` has it.

    Encoded data is passed over, and what the node stamps a version with.
    """
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in _STAMP}
    waiting: list[tuple[str, Any]] = [("", resource | {"meta": meta})]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += cast(dict[str, Any], value).items()
        elif isinstance(value, list):
            waiting += [(name, each) for each in cast(list[Any], value)]
        elif isinstance(value, str) and name != _DATA:
            yield told(value) if name == "div" else value


def told(div: str) -> str:
    """What an XHTML div says."""
    text = _TAG.sub(" ", _WITHIN_A_WORD.sub("", _without_comments(div)))
    return unescape(text)


def _without_comments(div: str) -> str:
    before, begun, rest = div.partition("<!--")
    kept = [before]
    while begun:
        _, _, after = rest.partition("-->")
        before, begun, rest = after.partition("<!--")
        kept.append(before)
    return "".join(kept)
