"""How an answer in JSON is shown: indented (``_pretty``), and with the FHIR release it was asked in.

Source: http://hl7.org/fhir/R4/http.html#pretty and #version-parameter. Only white space outside of
strings is added: digits and escapes stay as they are stored.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

import msgspec

from kintung.web.fhir.answer import Answer
from kintung.web.fhir.headers import FHIR_JSON, release_named
from kintung.web.fhir.request import MAX_PAIRS

MOST_INDENTED = 1024 * 1024
"""Bytes of an answer that is indented; in deep ones white space may be a hundred times as much."""

_PRETTY, _FORMAT = b"_pretty", b"_format"
_JSON = b"application/json"


class Presentation(NamedTuple):
    """``release`` is the value of ``fhirVersion`` the caller named, "" when it named none."""

    is_indented: bool = False
    release: str = ""

    def of(self, answer: Answer) -> Answer:
        """The answer as the caller wants to see it; what is not JSON, or has no body, as it is."""
        media = dict(answer.headers).get(b"content-type", b"")
        if self == _AS_IT_IS or not answer.body or media not in (FHIR_JSON, _JSON):
            return answer
        body, headers = answer.body, answer.headers
        if self.is_indented and len(body) <= MOST_INDENTED:
            body = msgspec.json.format(body, indent=2)
        if self.release and media == FHIR_JSON:
            named = b"%s; fhirVersion=%s" % (FHIR_JSON, self.release.encode())
            headers = tuple((name, named if name == b"content-type" else value) for name, value in headers)
        return answer._replace(body=body, headers=headers)


_AS_IT_IS = Presentation()


def presentation(query: bytes, headers: Mapping[bytes, bytes]) -> Presentation:
    """What a caller said of it in the address, or the form of a search, and in Accept.

    What cannot be understood is refused elsewhere, and says nothing here.
    """
    accept = headers.get(b"accept", b"")
    if _PRETTY not in query and _FORMAT not in query and b"ersion" not in accept:
        return _AS_IT_IS
    pairs = _pairs(query)
    formats = [value.replace(" ", "+") for name, value in pairs if name == "_format"]
    release = next(_releases(formats or accept.decode("latin-1").split(",")), "")
    return Presentation(("_pretty", "true") in pairs, release)


def _pairs(text: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text.decode(), max_num_fields=MAX_PAIRS)
    except ValueError:
        return []


def _releases(medias: Iterable[str]) -> Iterator[str]:
    return (release for media in medias if (release := release_named(media)))
