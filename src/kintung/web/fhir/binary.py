"""Binary as what it holds: read raw, and stored from raw content.

Source: http://hl7.org/fhir/R4/binary.html#rest. Who does not ask for FHIR gets the content under its
own media type, in a form that no browser shows as a page of this node; what is sent under another
media type than that of a resource becomes a Binary. In a Bundle a Binary is always a resource.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping

import msgspec

from kintung.errors import ValueInvalid
from kintung.fhir.references import is_id
from kintung.store.versions import Version
from kintung.web.fhir.answer import Answer, versioned
from kintung.web.fhir.headers import names_json
from kintung.web.fhir.request import Request
from kintung.web.outcomes import Headers, MediaTypeRefused

CONTEXT = b"x-security-context"
"""The header field that says whose content is, as ``Binary.securityContext`` does."""

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA = re.compile(rf"{_WORD}/{_WORD}(?: ?; ?{_WORD}=(?:{_WORD}|\"[ !#-\[\]-~]*\"))*")
_FIELD = re.compile(r"[!-~]{1,1000}")
"""Text that may stand in a header field."""
_UNKNOWN = b"application/octet-stream"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
"""What any page may send to any address by a form: never content."""
_GUARDS: Headers = (
    (b"content-disposition", b"attachment"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
)


class _Context(msgspec.Struct, frozen=True):
    reference: str = ""


class _Binary(msgspec.Struct, frozen=True):
    type: str = msgspec.field(name="contentType", default="")
    data: str = ""
    context: _Context = msgspec.field(name="securityContext", default=_Context())


_BINARIES = msgspec.json.Decoder(_Binary)


# --- Read -----------------------------------------------------------------------------


def wants_content(request: Request) -> bool:
    """Whether a read is of a Binary and asks for FHIR neither in ``_format`` nor in Accept."""
    if request.type != "Binary" or request.part or request.method not in ("GET", "HEAD"):
        return False
    version = f"/_history/{request.version}" if request.version else ""
    if not request.id or request.path != f"Binary/{request.id}{version}":
        return False
    return not (
        any(name == "_format" for name, _ in request.pairs) or names_json(request.headers.get(b"accept"))
    )


def content(version: Version) -> Answer:
    """The content of a Binary, safe in a browser: saved, not shown, and no script in it runs."""
    binary = _BINARIES.decode(version.body)
    context = binary.context.reference
    whose: Headers = ((CONTEXT, context.encode()),) if _FIELD.fullmatch(context) else ()
    found = content_of(binary.type, b64decode(binary.data), version)
    return found._replace(headers=(*found.headers, *whose))


def content_of(type: str, data: bytes, version: Version) -> Answer:
    """What a version holds, of a media type as it is written there, safe as :func:`content`."""
    media = type.encode() if type.isascii() and _MEDIA.fullmatch(type) else _UNKNOWN
    of_version = tuple(
        field for field in versioned(version.version_id, version.at) if field[0] != b"content-type"
    )
    headers = ((b"content-type", media), *of_version, *_GUARDS)
    return Answer(200, headers, data, version.patient_keys, version.at)


# --- Write ----------------------------------------------------------------------------


def brings_content(request: Request) -> bool:
    """Whether a create or an update of a Binary brings content, and not a resource.

    Raises:
        MediaTypeRefused: what it is cannot be understood, or is that of a form.
        ValueInvalid: a resource, which says itself whose it is, comes with X-Security-Context.
    """
    if request.type != "Binary" or request.part or request.path not in ("Binary", f"Binary/{request.id}"):
        return False
    media = _media_of(request.headers)
    if not media or names_json(media.encode()) or "fhir" in media.partition(";")[0]:
        if CONTEXT in request.headers:
            raise ValueInvalid(
                "A resource says whose it is in securityContext; leave X-Security-Context out.",
                path="X-Security-Context",
            )
        return False
    if media.partition(";")[0].strip().lower() in _FORMS or not _MEDIA.fullmatch(media):
        raise MediaTypeRefused(
            "Say what the content is by a media type such as text/plain.", path="Content-Type"
        )
    return True


def resource_of(request: Request, received: bytes) -> bytes:
    """The Binary that holds the content, as JSON; its id is that of the address.

    Raises:
        ValueInvalid: X-Security-Context cannot be a reference, or the address has no id that can be.
    """
    binary: dict[str, object] = {"resourceType": "Binary"}
    if request.id:
        if not is_id(request.id):
            raise ValueInvalid("An id is 1 to 64 letters, digits, hyphens and points.", path="Binary.id")
        binary["id"] = request.id
    binary["contentType"] = _media_of(request.headers)
    context = request.headers.get(CONTEXT)
    if context is not None:
        reference = context.decode("latin-1").strip()
        if not _FIELD.fullmatch(reference):
            raise ValueInvalid(
                "X-Security-Context is a reference such as Patient/1.", path="X-Security-Context"
            )
        binary["securityContext"] = {"reference": reference}
    if received:
        binary["data"] = b64encode(received).decode()
    return msgspec.json.encode(binary)


def _media_of(headers: Mapping[bytes, bytes]) -> str:
    return " ".join(headers.get(b"content-type", b"").decode("latin-1").split())
