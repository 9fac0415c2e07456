"""Header fields of the FHIR API: read once into values, written from values.

Source: http://hl7.org/fhir/R4/http.html sections 3.1.0.1.3 to 3.1.0.5.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache
from typing import Literal, NamedTuple

from kintung.errors import BadInput, NotSupported, ValueInvalid
from kintung.web.outcomes import Headers, MediaTypeRefused, NotAcceptable

FHIR_JSON = b"application/fhir+json; charset=utf-8"
PLAIN: Headers = (
    (b"content-type", FHIR_JSON),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)
"""Header fields of every answer of the FHIR API."""

PRECONDITIONS = (b"if-match", b"if-none-match", b"if-none-exist")
"""Header fields that decide whether a write is done."""

_JSON_TYPES = frozenset({"application/fhir+json", "application/json", "text/json", "application/json+fhir"})
_FORMATS = _JSON_TYPES | {"json"}
_RANGES = _JSON_TYPES | {"*/*", "application/*"}
_RELEASE = re.compile(r";?\s*fhirversion\s*=\s*\"?([^\";\s]*)", re.IGNORECASE)
_RELEASES = ("4.0", "4.0.1")
_ONE_RELEASE = "This node speaks FHIR R4 only; leave out fhirVersion or give 4.0."
_ETAG = re.compile(r'\s*(?:W/)?"(?P<version>[^"]*)"\s*')
_KEY = re.compile(r"[\x20-\x7e]{1,128}")
_SECOND = 1_000_000
_FIRST = -62_135_596_800
"""0001-01-01T00:00:00Z, in seconds from 1970: an HTTP date has a year of four digits."""
_LAST = 253_402_300_799
"""9999-12-31T23:59:59Z"""

RESPOND_ASYNC = "respond-async"
"""The wish to be answered later: RFC 7240 section 4.1."""

Return = Literal["minimal", "representation", "OperationOutcome"]


# --- What is asked for ----------------------------------------------------------------


class Prefer(NamedTuple):
    """What the caller would like (section 3.1.0.1.9); ``returns`` None when it does not say."""

    returns: Return | None = None
    lenient: bool = False
    respond_async: bool = False


@lru_cache(maxsize=64)
def prefer(field: bytes | None) -> Prefer:
    """Read a Prefer field; what is not known is left out, as RFC 7240 asks."""
    wishes = {wish.strip().replace('"', "") for wish in (field or b"").decode("latin-1").split(",")}
    wishes = {part.strip() for wish in wishes for part in wish.split(";")}
    returns: Return | None = None
    if "return=minimal" in wishes:
        returns = "minimal"
    elif "return=representation" in wishes:
        returns = "representation"
    elif "return=OperationOutcome" in wishes:
        returns = "OperationOutcome"
    return Prefer(returns, "handling=lenient" in wishes, RESPOND_ASYNC in wishes)


def without_respond_async(field: bytes | None) -> bytes:
    """A Prefer field without that wish, b"" when no other is left."""
    wishes = [wish for wish in re.split(rb"\s*[,;]\s*", (field or b"").strip()) if wish]
    return b", ".join(wish for wish in wishes if wish.replace(b'"', b"") != RESPOND_ASYNC.encode())


@lru_cache(maxsize=256)
def require_json_acceptable(accept: bytes | None) -> None:
    """Refuse an Accept field that leaves no room for JSON.

    Raises:
        NotAcceptable: XML alone, or anything else that is not JSON.
    """
    if not accept or not accept.strip():
        return
    is_of_release = False
    for choice in accept.decode("latin-1").split(","):
        media, _, parameters = choice.partition(";")
        if media.strip().lower() in _RANGES and not _is_zero(parameters):
            if _is_r4(parameters):
                return
            is_of_release = True
    if is_of_release:
        raise NotAcceptable(_ONE_RELEASE, path="Accept")
    raise NotAcceptable("This node speaks JSON only; ask for application/fhir+json.", path="Accept")


@lru_cache(maxsize=256)
def names_json(field: bytes | None) -> bool:
    """Whether an Accept or Content-Type field names JSON or FHIR outright, and not by a wildcard."""
    medias = [
        choice.partition(b";")[0].strip().lower().decode("latin-1") for choice in (field or b"").split(b",")
    ]
    return any(media in _JSON_TYPES or media.startswith("application/fhir+") for media in medias)


def require_json_format(value: str) -> None:
    """Refuse a ``_format`` other than JSON."""
    media, _, parameters = value.replace(" ", "+").partition(";")
    if media.strip().lower() not in _FORMATS:
        raise NotAcceptable("This node speaks JSON only; leave out _format or give json.", path="_format")
    if not _is_r4(parameters):
        raise NotAcceptable(_ONE_RELEASE, path="_format")


def require_pretty(pairs: Iterable[tuple[str, str]]) -> None:
    """Refuse a ``_pretty`` that is neither true nor false, nor empty, which says nothing."""
    for name, value in pairs:
        if name == "_pretty" and value not in ("", "true", "false"):
            raise ValueInvalid("_pretty is true or false.", path="_pretty")


JSON_PATCH = b"application/json-patch+json"
PATCH_FORMATS = JSON_PATCH + b", application/fhir+json"
"""What a patch may be, as Accept-Patch says it: RFC 5789, section 3.1."""


@lru_cache(maxsize=256)
def require_content(method: str, content_type: bytes | None) -> None:
    """Refuse a body that is not JSON in UTF-8; a body without Content-Type is taken for it.

    PATCH takes JSON Patch too.

    Raises:
        MediaTypeRefused: XML, another format, another character set or FHIR release.
    """
    if not content_type or not content_type.strip():
        return
    media, _, parameters = content_type.decode("latin-1").partition(";")
    charset = re.search(r"charset\s*=\s*\"?([^\";\s]*)", parameters, re.IGNORECASE)
    utf8 = charset is None or charset[1].lower() in ("utf-8", "utf8")
    is_json_patch = method == "PATCH" and media.strip().lower() == JSON_PATCH.decode()
    if not (is_json_patch or media.strip().lower() in _JSON_TYPES) or not utf8:
        if method == "PATCH":
            raise MediaTypeRefused(
                f"Send a patch as {JSON_PATCH.decode()}, or Parameters as application/fhir+json; in UTF-8.",
                path="Content-Type",
                patches=PATCH_FORMATS,
            )
        raise MediaTypeRefused("Send the body as application/fhir+json in UTF-8.", path="Content-Type")
    if not _is_r4(parameters):
        raise MediaTypeRefused(_ONE_RELEASE, path="Content-Type")


def require_form_content(content_type: bytes | None) -> None:
    """Refuse a search body that is not a form."""
    media = (content_type or b"application/x-www-form-urlencoded").partition(b";")[0]
    if media.strip().lower() != b"application/x-www-form-urlencoded":
        raise MediaTypeRefused("Send a search as application/x-www-form-urlencoded.", path="Content-Type")


@lru_cache(maxsize=256)
def accepts_gzip(field: bytes) -> bool:
    """Whether an Accept-Encoding field takes gzip: by its name before ``*``, and not at weight 0.

    Source: RFC 9110 section 12.5.3.
    """
    weights: dict[str, bool] = {}
    for choice in field.decode("latin-1").split(","):
        coding, _, parameters = choice.partition(";")
        weights[coding.strip().lower()] = not _is_zero(parameters)
    named = [weights[name] for name in ("gzip", "x-gzip") if name in weights]
    return any(named) if named else weights.get("*", False)


def _is_zero(parameters: str) -> bool:
    weight = re.search(r"(?:^|;)\s*[qQ]\s*=\s*([0-9.]*)", parameters)
    return weight is not None and weight[1].strip("0.") == "" and weight[1] != ""


def release_named(media: str) -> str:
    """The ``fhirVersion`` of a media type where this node speaks it, else ""."""
    release = _RELEASE.search(media)
    return release[1] if release is not None and release[1] in _RELEASES else ""


def _is_r4(parameters: str) -> bool:
    return _RELEASE.search(parameters) is None or release_named(parameters) != ""


# --- Preconditions and keys -----------------------------------------------------------


def versions_held(field: bytes | None) -> tuple[str, ...] | None:
    """The versions an If-None-Match field says the caller has: as ``versions_named``, or a bare number.

    Widely used clients send the version as ``meta.versionId`` has it. Here that can only save an
    answer; where a write is decided the quotes are required.
    """
    if field is not None and field.isdigit():
        return (field.decode(),)
    return versions_named(field, "If-None-Match")


def versions_named(field: bytes | None, name: str) -> tuple[str, ...] | None:
    """The versions an If-Match or If-None-Match field names: ``("3",)``, ``("*",)``, None if absent.

    Raises:
        ValueInvalid: not ``*`` and not a list of entity tags such as ``W/"3"``.
    """
    if field is None:
        return None
    text = field.decode("latin-1").strip()
    if text == "*":
        return ("*",)
    tags = [_ETAG.fullmatch(tag) for tag in text.split(",")]
    versions = tuple(tag["version"] for tag in tags if tag)
    if len(versions) != len(tags):
        raise ValueInvalid(f'{name} is a version such as W/"3".', path=name)
    return versions


def names_version(named: tuple[str, ...] | None, version_id: int) -> bool:
    """Whether ``named`` holds ``*`` or this version."""
    return named is not None and ("*" in named or str(version_id) in named)


def idempotency_key(field: bytes | None) -> str | None:
    """The key of a request that may be sent twice and is to have one effect.

    Raises:
        ValueInvalid: not 1 to 128 printable ASCII characters.
    """
    if field is None:
        return None
    key = field.decode("latin-1").strip()
    if not _KEY.fullmatch(key):
        raise ValueInvalid("Idempotency-Key is 1 to 128 printable ASCII characters.", path="Idempotency-Key")
    return key


def refuse_preconditions_but(tested: bytes, headers: Mapping[bytes, bytes]) -> None:
    """Refuse preconditions this interaction does not test: they must not be passed over in silence."""
    for name in PRECONDITIONS:
        if name in headers and name != tested:
            shown = name.decode().title()
            raise NotSupported(f"{shown} is not offered on this interaction; leave it out.", path=shown)


@lru_cache(maxsize=256)
def http_seconds(field: bytes) -> int | None:
    """An HTTP date as seconds since 1970; None when it is not one, which RFC 9110 says to ignore."""
    try:
        read = parsedate_to_datetime(field.decode("latin-1"))
        return int(read.replace(tzinfo=read.tzinfo or UTC).timestamp())
    except (ValueError, OverflowError, BadInput):
        return None


# --- What is said ---------------------------------------------------------------------


def etag(version_id: int) -> bytes:
    """The weak entity tag of a version: ``W/"3"``."""
    return b'W/"%d"' % version_id


def last_modified(at: int) -> bytes:
    """An instant in UTC microseconds as an HTTP date, to the second; the nearest there is."""
    return _http_date(min(max(at // _SECOND, _FIRST), _LAST))


@lru_cache(maxsize=4096)
def _http_date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()


def instant(at: int) -> str:
    """An instant in UTC microseconds as FHIR writes it."""
    seconds, micros = divmod(at, _SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{micros:06}Z"
