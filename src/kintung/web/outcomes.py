"""From errors to statuses and OperationOutcomes: the one place that knows both.

Domains raise the errors of ``kintung.errors`` and know no HTTP. The few errors only HTTP
can cause are defined here. Source: http://hl7.org/fhir/R4/http.html and
http://hl7.org/fhir/R4/operationoutcome.html.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from kintung.errors import (
    BadInput,
    Conflict,
    Deleted,
    Duplicate,
    Forbidden,
    Issue,
    KintungError,
    MultipleMatches,
    NoMatch,
    NotEquipped,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    RuleFailed,
    StructureInvalid,
    Throttled,
    TimedOut,
    TooCostly,
    TooLong,
    Unavailable,
    ValueInvalid,
    VersionConflict,
)

MAX_ISSUES = 100
"""Issues one answer lists; the last of a longer list says how many were left out."""

Headers = tuple[tuple[bytes, bytes], ...]


class MethodNotAllowed(NotSupported):
    """The address is known, and this method is not offered there; ``allowed`` are."""

    def __init__(self, message: str, allowed: Iterable[str]) -> None:
        super().__init__(message)
        self.allowed = ", ".join(sorted(allowed))


class NotAcceptable(NotSupported):
    """None of the formats asked for is spoken here."""


class MediaTypeRefused(NotSupported):
    """The body is in a format, character set or encoding that is not spoken here.

    ``patches`` is what a patch may be, as Accept-Patch says it, where it was one.
    """

    def __init__(self, message: str, *, path: str | None = None, patches: bytes = b"") -> None:
        super().__init__(message, path=path)
        self.patches = patches


class AddressTooLong(TooLong):
    """The request target is over its limit."""


class HeadersTooLong(TooLong):
    """The header fields are over their limit."""


STATUS: dict[type[KintungError], int] = {
    KintungError: 500,
    BadInput: 400,
    StructureInvalid: 400,
    ValueInvalid: 400,
    NotSupported: 400,
    TooCostly: 400,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    NotAcceptable: 406,
    Conflict: 409,
    Deleted: 410,
    VersionConflict: 412,
    MultipleMatches: 412,
    NoMatch: 412,
    TooLong: 413,
    AddressTooLong: 414,
    MediaTypeRefused: 415,
    Duplicate: 422,
    RuleFailed: 422,
    Throttled: 429,
    HeadersTooLong: 431,
    Unavailable: 503,
    NotEquipped: 503,
    TimedOut: 503,
    OutcomeUnknown: 503,
}

_RETRY_AFTER = (b"retry-after", b"1")


def status_of(error: KintungError) -> int:
    """The HTTP status of an error."""
    return STATUS[type(error)]


def headers_of(error: KintungError) -> Headers:
    """The header fields an error brings besides those of every answer."""
    if isinstance(error, MethodNotAllowed):
        return ((b"allow", error.allowed.encode()),)
    if isinstance(error, MediaTypeRefused) and error.patches:
        return ((b"accept-patch", error.patches),)
    if isinstance(error, Throttled):
        return ((b"retry-after", b"%d" % error.after),)
    if isinstance(error, Unavailable) and not isinstance(error, NotEquipped):
        return (_RETRY_AFTER,)
    return ()


def outcome(issues: Sequence[Issue], about: str = "") -> bytes:
    """An OperationOutcome as JSON; of many issues the first 100. ``about`` is the place of those without."""
    shown = [_issue(issue, about) for issue in issues[:MAX_ISSUES]]
    if len(issues) > MAX_ISSUES:
        left_out = f"{len(issues) - MAX_ISSUES} more issues were left out."
        shown.append(_issue(Issue("too-long", left_out, severity="information")))
    return msgspec.json.encode({"resourceType": "OperationOutcome", "issue": shown})


def all_well(message: str, warnings: Sequence[Issue] = ()) -> bytes:
    """An OperationOutcome that says nothing is wrong, and what is doubtful all the same."""
    return outcome([Issue("informational", message, severity="information"), *warnings])


def _issue(issue: Issue, about: str = "") -> dict[str, Any]:
    shown: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.code,
        "details": {"text": issue.message},
    }
    if issue.path or about:
        shown["expression"] = [issue.path or about]
    return shown
