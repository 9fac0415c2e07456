"""GET /record/{id}/summary.pdf: the first page of a record, on paper.

What it shows is gathered as that page gathers it; here it becomes words in one language, which the template
``record/summary.typ`` sets.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from kintung.store.port import View
from kintung.web.fhir.answer import Answer
from kintung.web.outcomes import Headers
from kintung.web.pages.catalogues import N_, messages
from kintung.web.pages.language import Language
from kintung.web.pages.record import results
from kintung.web.pages.record.bonds import Bond
from kintung.web.pages.record.keepers import Origin
from kintung.web.pages.record.observed import Said, Value, Verdict, Within
from kintung.web.pages.record.person import Person
from kintung.web.pages.record.record import Gathered, gathered, script_of
from kintung.web.pages.record.results import Other, Reading, Trend
from kintung.web.pages.record.summary import Item, Part
from kintung.web.pages.registry import Asked
from kintung.web.pages.render import civil_day, document_headers
from kintung.web.site import Site

MOST_LINES = 60
"""Lines of a part of the summary, the newest, and as many of what is over."""
MOST_VALUES = 6
"""Values in the table below a chart, the newest; the chart has all."""
_PLACES = {
    "hong-kong": N_("Hong Kong"), "macao": N_("Macao"), "mainland": N_("Mainland"),
    "patient": N_("By the patient"), "elsewhere": N_("Elsewhere"),
}  # fmt: skip
_MARKS = {"high": N_("high"), "low": N_("low")}
_LEVELS = {"certain": N_("Certain"), "probable": N_("Probable"), "assumed": N_("Assumed")}
_COLUMNS = {
    "alerts": N_("Alert"), "allergies": N_("Allergic to"), "problems": N_("Problem"),
    "medicines": N_("Medicine"), "immunisations": N_("Vaccine"),
}  # fmt: skip
_REGIONS = {Language.HONG_KONG: ("zh", "HK"), Language.MAINLAND: ("zh", "CN"), Language.ENGLISH: ("en", "HK")}
"""As typst names the language of a text."""


def document(site: Site, asked: Asked, view: View) -> Callable[[], Answer]:
    """The summary and the results of a record as a PDF, as they are known now or were on a day.

    Raises:
        NotEquipped: this node makes no documents; said before anything is read.
        NotFound, Deleted, ValueInvalid: as :func:`kintung.web.pages.record.record.gathered`.
    """
    script = script_of(asked.language)
    site.press.require_ready(script)
    words = _Words(site, asked.language)
    read = gathered(site, asked, view, words.describe)
    data, drawings = words.document(read), [trend.chart for trend in read.trends if trend.chart]
    made = site.clock.now_micros() // 1_000_000

    def answer() -> Answer:
        person = read.found.person
        body = site.press.pdf(_template(), data, drawings, script, made)
        headers = _headers(asked.language, person)
        return Answer(200, headers, body, read.found.keys, about=person.about, opened=person.key)

    return answer


@cache
def _template() -> str:
    return (files("kintung.web.pages") / "templates" / "record" / "summary.typ").read_text()


def _headers(language: Language, person: Person) -> Headers:
    """Of nobody is the name of the file: it stays in lists of what was fetched."""
    day = (person.on or person.today).isoformat()
    return document_headers(language, f"summary-{day}.pdf")


class _Words:
    """What a record says, in the words of one language."""

    def __init__(self, site: Site, language: Language) -> None:
        self._site = site
        self._language = language
        self._signs = language.signs
        self._messages = messages(language)
        self._described: dict[str, str] = {}

    def describe(self, title: str, count: int, first: str, last: str) -> str:
        """What a chart tells who cannot see it; kept for the document."""
        said = self._say(_DESCRIPTION, title=title, count=count, first=self._day(first), last=self._day(last))
        self._described[title] = said
        return said

    def document(self, read: Gathered) -> dict[str, Any]:
        """The data of the template, but the drawings."""
        person = read.found.person
        is_unknown = person.on is not None and not person.patients
        nameless = N_("Not known on that day") if is_unknown else N_("without a name")
        name = person.name.characters or person.name.letters or self._say(nameless)
        lang, region = _REGIONS[self._language]
        return {
            "lang": lang,
            "region": region,
            "document": self._after(self._say(_TITLE), name),
            "title": " · ".join((self._say(N_("Kintung")), self._say(_TITLE))),
            "demo": self._demo(),
            "name": name,
            "letters": person.name.letters if person.name.characters else "",
            **self._who(person),
            "whose": self._whose(name, person),
            "pages": self._say(N_("Page %(page)s of %(pages)s"), page="{page}", pages="{pages}"),
            "foot": self._signs.space.join((self._as_at(person), self._made())),
            "as-at": self._as_at(person),
            "is_past": person.on is not None,
            "notices": self._notices(read),
            "lacking": self._say(_LACKING, number="[U+1F600]"),
            "unsaid": self._say(N_("That nothing is recorded does not mean that there is nothing.")),
            "parts": [self._part(part) for part in read.parts],
            "results": self._say(N_("Results")),
            "no-results": self._say(N_("No results recorded")),
            "legend": self._signs.space.join(map(self._say, results.legend(read.trends))),
            "trends": self._trends(read.trends),
            "other-results": self._say(N_("Other results, the latest of each")),
            "others": [self._other(other) for other in read.others],
            "words": {
                "day": self._say(N_("Day")),
                "source": self._say(N_("Source")),
                "result": self._say(N_("Result")),
                "value": self._say(N_("Value")),
                "apart": self._signs.semicolon,
            },
        }

    # --- Who --------------------------------------------------------------------------

    def _who(self, person: Person) -> dict[str, Any]:
        facts = [(N_("Date of birth"), " / ".join(self._day(each) for each in person.born))]
        if person.age is not None:
            facts.append((N_("Age"), self._say(N_("%(n)s years old"), n=self._number(person.age))))
        facts.append((N_("Sex"), " / ".join(self._say(each) for each in person.sexes)))
        if person.died:
            facts.append((N_("Died"), self._day(person.died[:10]) if person.died != "yes" else "✓"))
        facts += [(each.label or N_("Identity number"), each.masked) for each in person.numbers]
        is_known = bool(person.patients) or person.on is None
        is_joined = is_known and len(person.ids) > 1
        joined = self._say(N_("%(n)s records of one person"), n=self._number(len(person.ids)))
        return {
            "facts": [{"label": self._say(label), "said": said} for label, said in facts if said],
            "also": " ".join((self._say(N_("also")), " · ".join(person.others))) if person.others else "",
            "sure": self._sure("certain") if is_joined else None,
            "one": joined if is_joined else self._say(N_("One record")) if is_known else "",
            "bonds": [self._bond(each) for each in person.bonds] if is_joined else [],
            "kept-by": self._say(N_("Kept by")),
            "keepers": [self._origin(each) for each in person.keepers],
        }

    def _bond(self, bond: Bond) -> str:
        """By what records are of one person: the number and who keeps it, or when it was decided."""
        said = self._say(bond.message)
        if bond.number is not None:
            said = self._after(said, f"{self._say(bond.number.label)} {bond.number.masked}")
            keepers = [each.words or self._say(N_("keeper not said")) for each in bond.keepers]
            if keepers:
                said += self._aside(self._signs.space.join((self._say(N_("kept by")), self._listed(keepers))))
        return f"{said}{self._signs.comma}{self._when(bond.at)}" if bond.at else said

    def _whose(self, name: str, person: Person) -> str:
        """At the foot of every page: a sheet that is alone still says whose it is."""
        born = (self._say(N_("born %(day)s"), day=self._day(each)) for each in person.born[:1])
        letters = person.name.letters if person.name.characters else ""
        return " · ".join(filter(None, (_short(name), _short(letters), *born)))

    def _as_at(self, person: Person) -> str:
        if person.on is None:
            return self._say(N_("As it is known on %(day)s."), day=self._day(person.today.isoformat()))
        said = N_("As it was known on %(day)s. What came later is not shown.")
        return self._say(said, day=self._day(person.on.isoformat()))

    def _made(self) -> str:
        return self._say(N_("Made %(when)s."), when=self._when(self._site.clock.now_micros()))

    def _notices(self, read: Gathered) -> list[str]:
        person = read.found.person
        found: list[str] = []
        if person.on and not person.patients:
            found.append(self._say(N_("Nothing was known of this person on that day")))
        if read.found.is_cut:
            found.append(self._say(N_("This record is larger than a page shows")))
        return found

    def _demo(self) -> str:
        if not self._site.demo_day:
            return ""
        return self._say(N_("Demo with synthetic people, as at %(day)s"), day=self._day(self._site.demo_day))

    # --- The summary ------------------------------------------------------------------

    def _part(self, part: Part) -> dict[str, Any]:
        left_out = len(part.now[MOST_LINES:]) + len(part.past[MOST_LINES:])
        over = self._say(N_("%(n)s in the past"), n=self._number(len(part.past)))
        return {
            "title": self._say(part.title),
            "count": self._number(len(part.now)) if part.now else "",
            "nothing": self._say(part.nothing),
            "columns": [self._say(each) for each in (_COLUMNS[part.name], N_("Day"), N_("Source"))],
            "now": [self._line(item) for item in part.now[:MOST_LINES]],
            "over": over,
            "past": [self._line(item) for item in part.past[:MOST_LINES]],
            "more": self._say(_MORE, n=self._number(left_out)) if left_out else "",
        }

    def _line(self, item: Item) -> dict[str, Any]:
        return {
            "title": item.title or self._say(N_("not said")),
            "sure": self._sure(item.sure) if item.sure else None,
            "words": [{"words": self._say(word.message), "kind": word.kind} for word in item.words],
            "notes": item.notes,
            "day": self._day(item.when[:10]) if item.when else self._say(N_("day not said")),
            "origin": self._origin(item.origin),
        }

    # --- Results ----------------------------------------------------------------------

    def _trends(self, trends: Sequence[Trend]) -> list[dict[str, Any]]:
        drawn = [trend for trend in trends if trend.chart]
        places = {trend.measurement.id: place for place, trend in enumerate(drawn)}
        return [self._trend(trend, places.get(trend.measurement.id)) for trend in trends]

    def _trend(self, trend: Trend, drawing: int | None) -> dict[str, Any]:
        last = trend.readings[0]
        values = [value for value in last.values if value is not None]
        older = len(trend.readings) - MOST_VALUES
        names = trend.lines if len(trend.lines) > 1 else (self._say(N_("Value")),)
        is_assumed = any(within.is_assumed and not within.is_own for _, within in trend.range)
        return {
            "title": trend.title,
            "latest": [self._value(value) for value in values],
            "unit": trend.measurement.shown if last.is_in_unit else "",
            "day": self._day(last.day) if last.day else self._say(N_("day not said")),
            "drawing": drawing,
            "described": self._described.get(trend.title, trend.title),
            "range": self._ranges(trend),
            "since": self._say(N_("from %(day)s"), day=self._day(trend.since)) if trend.since else "",
            "assumed": self._sure("assumed") if is_assumed else None,
            "lines": names,
            "rows": [self._row(reading) for reading in trend.readings[:MOST_VALUES]],
            "more": self._older(older) if older > 0 else "",
        }

    def _older(self, count: int) -> str:
        if count == 1:
            return self._say(N_("One older value is in the record."))
        return self._say(N_("%(n)s older values are in the record."), n=self._number(count))

    def _row(self, reading: Reading) -> dict[str, Any]:
        return {
            "day": self._day(reading.day) if reading.day else self._say(N_("day not said")),
            "values": [self._value(value) for value in reading.values],
            "origin": self._origin(reading.origin),
        }

    def _value(self, value: Value | None) -> dict[str, str]:
        if value is None:
            return {"said": "–", "mark": "", "note": ""}
        if value.value is None:
            note = self._say(N_("not in the chart: its unit is not known"))
            return {"said": value.written, "mark": self._mark(value.verdict), "note": note}
        return {
            "said": results.shown(value.value, self._language),
            "mark": self._mark(value.verdict),
            "note": self._say(N_("written as %(value)s"), value=value.written) if value.written else "",
        }

    def _mark(self, verdict: Verdict | None) -> str:
        return self._say(_MARKS[verdict]) if verdict else ""

    def _ranges(self, trend: Trend) -> str:
        """The reference range of each line, in a line."""
        said: list[str] = []
        for name, within in trend.range:
            owned = self._aside(self._say(N_("of the laboratory"))) if within.is_own else ""
            prefix = f"{name} " if len(trend.range) > 1 else ""
            said.append(f"{prefix}{self._within(within)} {trend.measurement.shown}{owned}")
        if not said:
            return ""
        after = self._signs.comma if trend.since else ""
        return self._after(self._say(N_("Reference range")), self._listed(said)) + after

    def _within(self, within: Within) -> str:
        low, high = (
            results.shown(bound, self._language) if bound is not None else ""
            for bound in (within.low, within.high)
        )
        if low and high:
            return f"{low}–{high}"
        return f"≥ {low}" if low else f"{'≤' if within.is_own else '<'} {high}"

    def _other(self, other: Other) -> dict[str, Any]:
        return {
            "title": other.title,
            "values": [self._part_of(each) for each in other.values]
            or [{"said": self._say(N_("not said")), "mark": ""}],
            "day": self._day(other.day) if other.day else self._say(N_("day not said")),
            "origin": self._origin(other.origin),
        }

    def _part_of(self, said: Said) -> dict[str, str]:
        """A value of a result, and of which part of it it is."""
        return {"said": " ".join(filter(None, (said.name, said.words))), "mark": self._mark(said.verdict)}

    # --- Words ------------------------------------------------------------------------

    def _after(self, head: str, said: str) -> str:
        """What stands after a colon."""
        return f"{head}{self._signs.colon}{said}"

    def _aside(self, said: str) -> str:
        return f"{self._signs.opening}{said}{self._signs.closing}"

    def _listed(self, said: Sequence[str]) -> str:
        return self._signs.semicolon.join(said)

    def _origin(self, origin: Origin) -> str:
        place = self._say(_PLACES[origin.place]) if origin.place in _PLACES else ""
        unsaid = "" if place else self._say(N_("keeper not said"))
        apart = ", " if self._language is Language.ENGLISH else " · "
        return apart.join(filter(None, (place, origin.words or unsaid)))

    def _sure(self, level: str) -> dict[str, str]:
        return {"level": level, "words": self._say(_LEVELS[level])}

    def _say(self, message: str, **values: object) -> str:
        said = self._messages.gettext(message)
        return said % values if values else said

    def _day(self, text: str) -> str:
        return civil_day(text, self._language)

    def _number(self, value: int) -> str:
        return str(format_decimal(value, locale=self._language.locale))

    def _when(self, micros: int) -> str:
        zone = timezone(timedelta(minutes=self._site.offset_minutes))
        at = datetime.fromtimestamp(micros / 1_000_000, UTC).astimezone(zone)
        return f"{format_date(at, 'long', locale=self._language.locale)} {at:%H:%M}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_AT_FOOT else f"{name[: _LONGEST_AT_FOOT - 1]}…"


_LONGEST_AT_FOOT = 40
_TITLE = N_("Summary of the record")
_DESCRIPTION = N_(
    "%(title)s: %(count)s values from %(first)s to %(last)s. The newest are in the table below."
)
_MORE = N_("%(n)s more are in the record.")
_LACKING = N_("Characters that this node has no font for are written by their number, such as %(number)s.")
