"""The summary of a record: problems, allergies, medicines, immunisations, alerts; what is over apart."""

from collections.abc import Sequence
from typing import NamedTuple

from kintung.web.pages.catalogues import N_
from kintung.web.pages.language import Language
from kintung.web.pages.record.elements import Resource, code, concept, listed, text, time_of, told
from kintung.web.pages.record.keepers import Origin
from kintung.web.pages.record.person import Known, Stored
from kintung.web.pages.record.titles import title

TYPES = (
    "AllergyIntolerance", "Condition", "Flag", "Immunization", "MedicationRequest", "MedicationStatement",
)  # fmt: skip
MOST_SHOWN = 12
"""Lines of a part that stand open; more are folded away below them."""

SURE: dict[str, str] = {
    "confirmed": "certain", "provisional": "probable", "differential": "probable", "unconfirmed": "probable",
    "presumed": "probable",
}  # fmt: skip
"""Codes of condition-ver-status and allergyintolerance-verification, and the badge of each."""


class Word(NamedTuple):
    """A word about something: a message, and the kind of its badge."""

    message: str
    kind: str = "plain"


WORDS: dict[str, Word] = {
    "refuted": Word(N_("Refuted")),
    "resolved": Word(N_("Resolved")),
    "remission": Word(N_("In remission")),
    "inactive": Word(N_("No longer active")),
    "recurrence": Word(N_("Came back"), "warn"),
    "relapse": Word(N_("Came back"), "warn"),
    "on-hold": Word(N_("On hold"), "warn"),
    "stopped": Word(N_("Stopped")),
    "completed": Word(N_("Finished")),
    "cancelled": Word(N_("Cancelled")),
    "draft": Word(N_("Draft")),
    "not-done": Word(N_("Not given"), "warn"),
    "high": Word(N_("High risk"), "bad"),
    "severe": Word(N_("Severe"), "bad"),
}
"""Codes that are said beside a line; what is active, or given, needs no word."""


class Item(NamedTuple):
    """One line: ``sure`` is the badge of certainty, "" for none; ``when`` a FHIR date, "" for none."""

    path: str
    title: str
    when: str
    origin: Origin
    sure: str
    words: tuple[Word, ...]
    notes: tuple[str, ...]
    is_past: bool


class Part(NamedTuple):
    """A part of the summary; ``title`` and ``nothing`` are messages."""

    name: str
    title: str
    nothing: str
    now: tuple[Item, ...]
    past: tuple[Item, ...]

    @property
    def open(self) -> tuple[Item, ...]:
        return self.now[:MOST_SHOWN]

    @property
    def folded(self) -> tuple[Item, ...]:
        return self.now[MOST_SHOWN:]


def summary(found: Known) -> tuple[Part, ...]:
    """The parts, alerts and allergies first; in each the latest first."""
    return (
        _part(found, "alerts", N_("Alerts"), N_("No alerts recorded"), ("Flag",)),
        _part(found, "allergies", N_("Allergies"), N_("No allergies recorded"), ("AllergyIntolerance",)),
        _part(found, "problems", N_("Problems"), N_("No problems recorded"), ("Condition",)),
        _part(
            found,
            "medicines",
            N_("Medicines"),
            N_("No medicines recorded"),
            ("MedicationRequest", "MedicationStatement"),
        ),
        _part(
            found, "immunisations", N_("Immunisations"), N_("No immunisations recorded"), ("Immunization",)
        ),
    )


def _part(found: Known, name: str, title: str, nothing: str, types: Sequence[str]) -> Part:
    stored = (each for each in found.stored if each.version.type in types)
    items = [_item(found, each) for each in stored if not _is_error(each.resource)]
    items.sort(key=lambda item: item.when, reverse=True)
    now = tuple(item for item in items if not item.is_past)
    return Part(name, title, nothing, now, tuple(item for item in items if item.is_past))


def _is_error(resource: Resource) -> bool:
    """Was it entered in error? Then it never was; its own page still shows it."""
    return "entered-in-error" in (text(resource, "status"), code(resource.get("verificationStatus")))


def _item(found: Known, stored: Stored) -> Item:
    resource = stored.resource
    clinical, verified = code(resource.get("clinicalStatus")), code(resource.get("verificationStatus"))
    status = text(resource, "status")
    said = [verified, clinical, text(resource, "criticality"), status if status != "completed" else ""]
    if stored.version.type.startswith("Medication") and status == "completed":
        said.append(status)
    return Item(
        stored.path,
        title(resource, found.language),
        time_of(resource, *_TIMES),
        found.origin(stored),
        SURE.get(verified, ""),
        tuple(dict.fromkeys(WORDS[each] for each in said if each in WORDS)),
        tuple(filter(None, _notes(resource, found.language))),
        _is_past(stored.version.type, clinical, verified, status),
    )


_TIMES = ("onsetDateTime", "onsetPeriod", "occurrenceDateTime", "authoredOn", "effectiveDateTime",
          "effectivePeriod", "recordedDate", "dateAsserted", "period")  # fmt: skip


def _is_past(type: str, clinical: str, verified: str, status: str) -> bool:
    if type == "Immunization":
        return False
    if type.startswith("Medication"):
        return status not in ("active", "on-hold", "draft", "intended", "unknown", "")
    if type == "Flag":
        return status != "active"
    return clinical in ("inactive", "resolved", "remission") or verified == "refuted"


def _notes(resource: Resource, language: Language) -> list[str]:
    """What is said beside a line, in the words of who wrote it: reactions and doses."""
    reactions = [
        concept(sign, language)
        for each in listed(resource, "reaction")
        for sign in listed(each, "manifestation")
    ]
    doses = [
        told(each, "text", language)
        for name in ("dosageInstruction", "dosage")
        for each in listed(resource, name)
    ]
    return [", ".join(filter(None, reactions)), *doses]
