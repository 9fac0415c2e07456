"""Numbers that the pages give are those of the code."""

import re
from dataclasses import fields
from pathlib import Path

from kintung.cli.serve import MOST_DELETED
from kintung.cli.synth import SEED
from kintung.fhir.limits import MAX_DIGITS, MAX_EXPONENT
from kintung.fhir.subset import MOST_ELEMENTS
from kintung.identity import typed
from kintung.identity.matching.numbers import MOST_SAME
from kintung.identity.name_search.rows import MOST_TEXTS
from kintung.identity.seeking import MOST_ALIKE, MOST_IN_VAIN
from kintung.store.in_bodies import ONE
from kintung.store.inclusion import INCLUDED_BYTES, MOST_INCLUDED, MOST_ROUNDS
from kintung.store.sharing import MOST_SHARING
from kintung.subscriptions.filters import MOST_CRITERIA
from kintung.subscriptions.outbound import MOST_ANSWERED, SECONDS
from kintung.subscriptions.schedule import (
    FIRST_PAUSE,
    GIVEN_UP_AFTER,
    HANDSHAKE_GIVEN_UP_AFTER,
    LONGEST_PAUSE,
    SECOND,
)
from kintung.subscriptions.service import DELIVERERS
from kintung.subscriptions.subscription import LEAST_HEARTBEAT_SECONDS, MOST_HEADERS
from kintung.synth import MOST_APPEARANCES, MOST_PEOPLE, MOST_RATES
from kintung.web.fhir import lastn
from kintung.web.fhir.conditional import COMPARISONS
from kintung.web.fhir.meta import MOST
from kintung.web.fhir.presentation import MOST_INDENTED
from kintung.web.limits import LIMITS, MEMBERS
from kintung.web.pages.find import records as found_records
from tests.leaks.plants import LEAKS, LEAKS_TOLD
from tests.leaks.templates import TEMPLATES

ROOT = Path(__file__).resolve().parents[2]
THREATS = (ROOT / "docs" / "explanation" / "threat-model.md").read_text()


def test_the_threat_model_counts_templates_and_leaks() -> None:
    assert re.findall(r"^- (\d+) templates ask", THREATS, re.MULTILINE) == [str(len(TEMPLATES))]
    assert re.findall(r"Leaks are planted in the product, (\d+) of them", THREATS) == [str(len(LEAKS))]
    assert re.findall(r"(\d+) leaks planted in the telling", THREATS) == [str(len(LEAKS_TOLD))]


MB = 1024 * 1024
ROWS = {
    "body, as sent and inflated": (f"{LIMITS.json.bytes // MB} MB", "json.bytes"),
    "members of a gzip": (f"{MEMBERS:,}", ""),
    "address": (f"{LIMITS.address:,} characters", "address"),
    "header fields": (f"{LIMITS.headers // 1024} kB; 100 of them", "headers"),
    "form of a search": (f"{LIMITS.form // 1024} kB", "form"),
    "depth of JSON": (f"{LIMITS.json.depth}", "json.depth"),
    "commas and opening brackets outside strings": (f"{LIMITS.json.values:,}", "json.values"),
    "numbers": (f"{MAX_DIGITS} significant digits; exponents within ±{MAX_EXPONENT}", ""),
    "entries of a Bundle": (f"{LIMITS.json.entries:,}", "json.entries"),
    "`_count`": (f"{LIMITS.search.count:,}", "search.count"),
    "matches counted for `_total=estimate`": (f"{LIMITS.search.estimated:,}", "search.estimated"),
    "parameters of a search; alternatives of one": (
        f"{LIMITS.search.parameters}; {LIMITS.search.values}",
        "search.parameters search.values",
    ),
    "what the parameters of a search cost together": (f"{LIMITS.search.cost:,}", "search.cost"),
    "characters of a value; of all names and values": (
        f"{LIMITS.search.value_length:,}; {LIMITS.search.length:,}",
        "search.value_length search.length",
    ),
    "sort keys": (f"{LIMITS.search.sort_keys}", "search.sort_keys"),
    "Observations that `$lastn` looks at; their bodies": (
        f"{lastn.MOST:,}; {lastn.MOST_BYTES // MB} MB",
        "",
    ),
    "links of a chain, forward and back": (f"{LIMITS.search.links}", "search.links"),
    "words looked for in texts": (f"{LIMITS.search.words}", "search.words"),
    f"texts read for a page, one for each {ONE // 1024} kB": (f"{LIMITS.search.bodies:,}", "search.bodies"),
    "resources a page includes; their bodies": (
        f"{MOST_INCLUDED:,}; {INCLUDED_BYTES // MB} MB",
        "",
    ),
    "names of `_elements`": (f"{MOST_ELEMENTS}", ""),
    "steps of `:iterate` from a match": (f"{MOST_ROUNDS}", ""),
    "time of one answer; of a batch or transaction": (
        f"{LIMITS.seconds:g} s; {LIMITS.bundle_seconds:g} s",
        "seconds bundle_seconds",
    ),
    "comparisons of conditional references with what their transaction writes": (f"{COMPARISONS:,}", ""),
    "resources that `$meta` looks at, of those with a profile, a tag or a label": (f"{MOST:,} each", ""),
    "resources that one conditional delete may delete, by the operator": (f"1 to {MOST_DELETED:,}", ""),
    "an answer that `_pretty` indents": (f"{MOST_INDENTED // MB} MB", ""),
    "answers to the entries of a batch or transaction": (f"{LIMITS.bundle_answer // MB} MB", "bundle_answer"),
    "arrival of a body": (f"{LIMITS.receive_seconds:g} s", "receive_seconds"),
    "requests at once, of the node; of one client": (
        f"{LIMITS.in_flight}; {LIMITS.in_flight_each} a worker",
        "in_flight in_flight_each",
    ),
    "bodies at once": (f"{LIMITS.bodies // MB} MB a worker", "bodies"),
    "requests of one caller that are answered later; how long an answer is kept": (
        f"{LIMITS.asynchronous_each}; {LIMITS.asynchronous_seconds / 60:g} min",
        "asynchronous_each asynchronous_seconds",
    ),
    "questions of one client by `$match` and `$ihe-pix`; of persons it may not see": (
        f"{LIMITS.match_each}; {LIMITS.match_stranger_each} in {LIMITS.match_seconds:g} s, a worker",
        "match_each match_stranger_each match_seconds",
    ),
    "Patients that `$match` compares, by number; by likeness; in vain": (
        f"{MOST_SAME}; {MOST_ALIKE}; {MOST_IN_VAIN}",
        "",
    ),
    "Patients with one key of likeness": (f"{MOST_SHARING}", ""),
    "PDFs made at once": (f"{LIMITS.documents} a worker", "documents"),
    "of a refused body, what is taken in; for how long": (
        f"{LIMITS.discarded // MB} MB; {LIMITS.discard_seconds:g} s",
        "discarded discard_seconds",
    ),
}
"""The rows of the table of limits, and the fields of ``kintung.web.limits.Limits`` each is of."""
NO_LIMITS_OF_CALLERS = {"threads", "carriers", "search.default_count"}


def test_the_table_of_limits_is_that_of_the_code() -> None:
    page = (ROOT / "docs" / "reference" / "api" / "index.md").read_text()
    table = page.partition("| of | limit |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|", table, re.MULTILINE)[1:]
    assert dict(rows) == {of: limit for of, (limit, _) in ROWS.items()}


def test_every_limit_has_a_row() -> None:
    groups = {"json.": LIMITS.json, "search.": LIMITS.search, "": LIMITS}
    names = {f"{group}{each.name}" for group, limits in groups.items() for each in fields(limits)}
    told = {name for _, names in ROWS.values() for name in names.split()}
    assert names - {"json", "search"} == told | NO_LIMITS_OF_CALLERS


def test_the_page_on_subscriptions_has_the_limits_of_the_code() -> None:
    page = (ROOT / "docs" / "how-to" / "subscribe.md").read_text()
    rows = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", page, re.MULTILINE))
    hour, day = 3_600 * SECOND, 24 * 3_600 * SECOND
    assert rows == {
        "limit": "value",
        "---": "---",
        "criteria; headers of a channel": f"{MOST_CRITERIA:,} characters; {MOST_HEADERS}",
        "one exchange; what is read of its answer": f"{SECONDS:g} s; {MOST_ANSWERED // 1024} KiB",
        "pause after a failure": f"{FIRST_PAUSE // SECOND} s to {LONGEST_PAUSE // hour} hours",
        "attempts end after; those of a handshake": (
            f"{GIVEN_UP_AFTER // day} days; {HANDSHAKE_GIVEN_UP_AFTER // hour} hour"
        ),
        "heartbeats": f"{LEAST_HEARTBEAT_SECONDS} s apart at least",
        "notifications under way at once": f"{DELIVERERS}, each to another Subscription",
    }


def test_the_pages_on_synthetic_people_give_their_bounds() -> None:
    page = (
        (ROOT / "docs/reference/commands.md")
        .read_text()
        .partition("## kintung synth")[2]
        .partition("\n## ")[0]
    )
    for told in (
        f"1,000 by default and {MOST_PEOPLE:,} at most",
        f"`--seed` is {SEED} by default",
        f"0 to {MOST_RATES}; 1 by default",
        f"1 to {MOST_APPEARANCES}; 3 by default",
    ):
        assert told in page


def test_pages_say_up_to_how_many_names_are_sought_in_other_forms() -> None:
    readings = (ROOT / "docs/explanation/spec-readings.md").read_text()
    names = (ROOT / "docs/explanation/names.md").read_text()
    assert re.findall(r"without modifier and with at most (\d+) alternatives", readings) == [str(MOST_TEXTS)]
    assert re.findall(r"more than (\d+) alternatives", names) == [str(MOST_TEXTS)]


def test_the_page_on_finding_a_person_says_its_limits() -> None:
    page = (ROOT / "docs" / "how-to" / "find-a-person.md").read_text()
    assert f"At most {typed.MOST_CHARACTERS} characters are taken, {typed.MOST_PARTS} numbers" in page
    assert f"A page has {found_records.EACH} records" in page
