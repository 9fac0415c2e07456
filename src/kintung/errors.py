"""Every way a call into Kintung can fail.

    KintungError
    ├── BadInput              what was sent cannot be understood
    │   ├── StructureInvalid  not what the FHIR definition of its type allows
    │   ├── ValueInvalid      an element or parameter holds an impossible value
    │   ├── TooLong           over a stated limit of size, depth or number
    │   └── NotSupported      understood, and not offered here
    ├── NotFound              absent, or hidden from the reader: the two are the same
    ├── Deleted               was there, and the reader could see it
    ├── Forbidden             the caller lacks the right
    ├── Conflict              the record is not in the state the caller assumes
    │   ├── VersionConflict   ``If-Match`` names another version
    │   ├── MultipleMatches   a criterion that must match one matches several
    │   ├── NoMatch           a criterion that must match one matches none
    │   └── Duplicate         an idempotency key was used for another request
    ├── RuleFailed            a business rule refuses it
    ├── TooCostly             the search would cost more than a reader may ask for
    ├── Throttled             too much at once from this caller
    └── Unavailable           the node cannot do it now; nothing was stored
        ├── NotEquipped       not until its operator installs what it needs
        ├── TimedOut          the time allowed for the request ran out
        └── OutcomeUnknown    the record failed while it was made durable: it may have been stored

Each class carries the code of the FHIR R4 value set ``issue-type`` that it means
(http://hl7.org/fhir/R4/valueset-issue-type.html). Domains raise these and know no
HTTP; ``kintung.web.outcomes`` alone turns them into a status.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing found wrong.

    ``code`` is of FHIR R4 ``issue-type``; ``path`` is a FHIRPath to the element at
    fault (``Patient.name[0].family``), or the name of a parameter or header.
    """

    code: str
    message: str
    path: str | None = None
    severity: str = "error"


class KintungError(Exception):
    """Base of every error a caller may meet; ``issues`` holds at least one."""

    issue: ClassVar[str] = "exception"

    def __init__(self, message: str, *, path: str | None = None, issues: Sequence[Issue] = ()) -> None:
        super().__init__(message)
        self.path = path
        self.issues: tuple[Issue, ...] = tuple(issues) or (Issue(self.issue, message, path),)


class BadInput(KintungError):
    issue = "invalid"


class StructureInvalid(BadInput):
    issue = "structure"


class ValueInvalid(BadInput):
    issue = "value"


class TooLong(BadInput):
    issue = "too-long"


class NotSupported(BadInput):
    issue = "not-supported"


class NotFound(KintungError):
    issue = "not-found"


class Deleted(KintungError):
    issue = "deleted"


class Forbidden(KintungError):
    issue = "forbidden"


class Conflict(KintungError):
    issue = "conflict"


class VersionConflict(Conflict):
    issue = "conflict"


class MultipleMatches(Conflict):
    issue = "multiple-matches"


class NoMatch(Conflict):
    issue = "not-found"


class Duplicate(Conflict):
    issue = "duplicate"


class RuleFailed(KintungError):
    issue = "business-rule"


class TooCostly(KintungError):
    issue = "too-costly"


class Throttled(KintungError):
    """``after``: seconds until it is worth asking again."""

    issue = "throttled"

    def __init__(self, message: str, *, path: str | None = None, after: int = 1) -> None:
        super().__init__(message, path=path)
        self.after = after


class Unavailable(KintungError):
    issue = "transient"


class NotEquipped(Unavailable):
    issue = "not-supported"


class TimedOut(Unavailable):
    issue = "timeout"


class OutcomeUnknown(Unavailable):
    issue = "no-store"
