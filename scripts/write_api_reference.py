"""Write a page for each interaction and operation, and the list of them in the index.

    write_api_reference.py [--check]

``docs/reference/api/interaction`` and ``operation``: from the registry, the OpenAPI document, the
tables of statuses, limits and parameters, what a person has written (``api_parts``) and requests that are run
(``api_runs``; ADR 0019). An interaction that nobody has written of gets its page too. With ``--check``
nothing is written; the exit status says whether the pages are as they would be made.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from api_parts import Answered, Asked, Part, read_parts, read_rows
from api_runs import exchange, is_refused, node

from kintung.consent import Policy
from kintung.web.fhir.interactions import INTERACTIONS
from kintung.web.fhir.openapi import document
from kintung.web.fhir.registry import Carries, Interaction, Reads, Writes

ROOT = Path(__file__).resolve().parents[1]
API = ROOT / "docs" / "reference" / "api"
PARTS = API / "parts"
INDEX = API / "index.md"
BEGIN, END = "<!-- pages: written by scripts/write_api_reference.py -->\n", "<!-- /pages -->\n"

OFFERED: dict[str, Any] = json.loads(document(INTERACTIONS, "http://record.example/fhir"))
WRITTEN = read_parts(PARTS)
WORDS = {row[0].strip("`"): row[1] for row in read_rows(PARTS / "parameters.md")}
OF_PAGES = "NotEquipped"
"""An error of pages, which concerns no interaction."""
MEANINGS = [
    (int(status), error.strip("`"), when)
    for status, error, when, *_ in read_rows(API / "statuses.md")
    if error.strip("`") != OF_PAGES
]

POLICIES = {
    Policy.OPEN: "says nothing of the record, needs no right, leaves no audit record",
    Policy.DISCLOSES: "answers what the caller may see; on record before the answer leaves",
    Policy.DEPOSITS: "writes; criteria match what the caller may see; on record with what is written",
    Policy.CARRIES: "carries other requests; each needs the right of its own entry",
}

OF_SEARCHES = ("TooCostly",)
OF_WRITES = ("Duplicate", "RuleFailed", "OutcomeUnknown", "Conflict", "VersionConflict")
OF_CONDITIONS = ("MultipleMatches", "NoMatch")
"""Errors that concern some interactions only."""
OF_ADDRESSES = 405
"""The status of an address that has no such interaction: no interaction answers it."""

TRIED: Mapping[str, Sequence[tuple[str, str]]] = {
    "history": (("_at", "2022-10-19"), ("_list", "example"), ("_sort", "_lastUpdated")),
    "search": (
        ("_contained", "true"),
        ("_containedType", "container"),
        ("_content", "a"),
        ("_filter", "name eq a"),
        ("_query", "a"),
        ("_score", "true"),
        ("_text", "a"),
    ),
    "": (("_elements", "id"), ("_summary", "true")),
}
"""Parameters of the standard that are tried on what reads: of some by name, and of all."""
PRECONDITIONS = (("If-Match", 'W/"1"'), ("If-None-Match", 'W/"1"'), ("If-None-Exist", "_id=example"))


class Page:
    """The page of one interaction."""

    def __init__(self, interaction: Interaction) -> None:
        self.interaction = interaction
        self.part = WRITTEN.get(interaction.name, Part(f"{interaction.name}.md"))
        path = OFFERED["paths"][interaction.path or "/"]
        self.offered: dict[str, Any] = path[interaction.method.lower()]

    @property
    def path(self) -> str:
        """Below the folder of the API pages."""
        folder = "operation" if self.interaction.operation or "$" in self.interaction.path else "interaction"
        return f"{folder}/{self.interaction.name}.md"

    @cached_property
    def text(self) -> str:
        """The page, as Markdown."""
        blocks = chain(
            self._head(), self._request(), self._examples(), self._statuses(), self._missing(), self._limits()
        )
        return "\n\n".join(block.rstrip("\n") for block in blocks if block) + "\n"

    def _head(self) -> Iterator[str]:
        it = self.interaction
        yield f"# {it.name}"
        yield f"<!-- Written by scripts/write_api_reference.py; by hand: parts/{self.part.source} -->"
        yield it.description
        yield _table(("", ""), self._facts())
        yield self.part.text

    def _facts(self) -> Iterator[tuple[str, str]]:
        it = self.interaction
        yield "address", f"`{address(it)}`" + (", and `HEAD`" if it.method == "GET" else "")
        rights = " and ".join(f"`{right}`" for right in (it.right, it.also) if right is not None)
        yield "right", rights or ("that of each entry" if it.policy is Policy.CARRIES else "none")
        yield "policy", f"`{it.policy}`: {POLICIES[it.policy]}"
        if it.codes:
            yield "in the CapabilityStatement", ", ".join(f"`{code}`" for code in it.codes)
        if it.operation:
            yield "definition", f"<{it.operation}>"

    # --- What is sent -----------------------------------------------------------------

    def _request(self) -> Iterator[str]:
        yield "## Request"
        parameters = [
            (
                f"`{_shown(each)}`",
                _where(each),
                _value(each["schema"]),
                self.part.words.get(_shown(each), WORDS.get(_shown(each), "")),
            )
            for each in self.offered.get("parameters", ())
        ]
        if parameters:
            yield _table(("parameter", "in", "value", ""), parameters)
        if self.interaction.name.startswith(("search", "conditional")):
            is_of_types = any(_shown(each) == "_type" for each in self.offered.get("parameters", ()))
            whose = "that all types searched have" if is_of_types else "of the type"
            yield f"And every [search parameter](../../search-parameters.md) {whose}."
        media = self.offered.get("requestBody", {}).get("content", {})
        if media:
            yield f"Body: {', '.join(f'`{each}`' for each in media)}."
        elif self.interaction.method == "PATCH":
            yield "Body: the patch."
        else:
            yield "No body."

    @property
    def _default(self) -> Asked:
        """The simplest request there is: the example of each part of the address, and of the body."""
        path = self.interaction.path.strip("/")
        for each in self.offered.get("parameters", ()):
            if each["in"] == "path":
                path = path.replace(f"{{{each['name']}}}", _example(each["schema"]))
        if self.interaction.name.startswith("conditional"):
            path += "?_id=example"
        for media, content in self.offered.get("requestBody", {}).get("content", {}).items():
            if "example" in content:
                body = content["example"]
                is_form = media == "application/x-www-form-urlencoded"
                text = urlencode(body) if is_form else json.dumps(body, ensure_ascii=False)
                return Asked(self.interaction.method, path, (("Content-Type", media),), text)
        return Asked(self.interaction.method, path)

    @property
    def _requests(self) -> tuple[Asked, ...]:
        return self.part.requests or (self._default,)

    # --- What comes back --------------------------------------------------------------

    def _examples(self) -> Iterator[str]:
        with node(PARTS / "record.json") as run:
            shown = [exchange(run, asked) for asked in self._requests]
        yield "## Examples" if len(shown) > 1 else "## Example"
        for _, text in shown:
            yield text

    def _statuses(self) -> Iterator[str]:
        yield "## Statuses"
        told = {status for row in self.part.answers for status in row.statuses}
        given = {int(status) for status in self.offered["responses"]} - {OF_ADDRESSES}
        if told - given:
            sys.exit(f"{self.part.source}: {told - given} of {self.interaction.name} are not in OpenAPI")
        rows = [(_first(row), row.answer, row.request) for row in self.part.answers]
        rows += [(status, str(status), self._when(status)) for status in given - told]
        yield _table(("status", "when"), [row[1:] for row in sorted(rows, key=lambda row: row[0])])
        yield "Every refusal is an OperationOutcome: [statuses](../statuses.md), [errors](../../errors.md)."

    def _when(self, status: int) -> str:
        if status < 400:
            return {200: "done", 201: "stored", 202: "begun", 204: "done", 304: "the caller has it already"}[
                status
            ]
        words = [when for code, error, when in MEANINGS if code == status and self._concerns(error)]
        return "; ".join(words) or "; ".join(when for code, _, when in MEANINGS if code == status)

    def _concerns(self, error: str) -> bool:
        it = self.interaction
        writes = isinstance(it.action, Writes | Carries)
        if error in OF_SEARCHES:
            return it.name.startswith(("search", "conditional", "transaction"))
        if error == "StructureInvalid":
            return it.method not in ("GET", "DELETE") and "search" not in it.name
        return writes or error not in OF_WRITES

    # --- What is not there ------------------------------------------------------------

    def _missing(self) -> Iterator[str]:
        yield "## Not supported"
        if self.part.missing:
            yield _sentence(self.part.missing)
        refused = ", ".join(f"`{name}`" for name in self._refused())
        if refused:
            yield f"Refused with 400 `not-supported`: {refused}."
        if not (self.part.missing or refused):
            yield "Nothing that the standard has of it is known to be left out."
        yield "What holds of every interaction (JSON alone, R4 alone) is in [the index](../index.md)."

    def _refused(self) -> Iterator[str]:
        """What the standard has and this interaction refuses, found by trying it."""
        asked = self._default if self.part.requests == () else self.part.requests[0]
        with node(PARTS / "record.json") as run:
            if isinstance(self.interaction.action, Reads):
                for prefix, tried in TRIED.items():
                    for name, value in tried if self.interaction.name.startswith(prefix) else ():
                        mark = "&" if "?" in asked.address else "?"
                        more = asked._replace(address=f"{asked.address}{mark}{name}={value}")
                        if is_refused(run, more, name):
                            yield name
            for name, value in PRECONDITIONS:
                if name not in dict(asked.headers):
                    more = asked._replace(headers=(*asked.headers, (name, value)))
                    if is_refused(run, more, name):
                        yield name

    def _limits(self) -> Iterator[str]:
        yield "## Limits"
        yield _table(("of", "limit"), list(self._bounds()))
        yield "What is over a limit is refused: [limits](../index.md#what-holds-for-every-interaction)."

    def _bounds(self) -> Iterator[tuple[str, str]]:
        for row in read_rows(INDEX):
            names, limits = row[0].split("; "), row[1].split("; ")
            if len(names) != len(limits):
                names, limits = [row[0]], [row[1]]
            for of, limit in zip(names, limits, strict=True):
                if any(re.search(words, of) for words in self._bounded):
                    yield of, limit

    @property
    def _bounded(self) -> Iterator[str]:
        it = self.interaction
        yield "^address$|^header fields$"
        if it.name.startswith(("search", "conditional")) or it.name == "create":
            yield "parameters of a search|characters of a value|^links of"
        if it.name.startswith("search"):
            yield "sort keys"
        if it.name.startswith(("search", "history")):
            yield "_count"
        if it.name.startswith("search") and it.method == "POST":
            yield "^form of"
        elif it.method in ("POST", "PUT", "PATCH"):
            yield "^body, |^depth|^numbers|^commas"
        if isinstance(it.action, Carries):
            yield "^entries of|^answers to|of conditional references"
        yield "^of a batch or transaction" if isinstance(it.action, Carries) else "^time of one answer"


def address(interaction: Interaction) -> str:
    """Method and address, criteria included where it has any."""
    criteria = "?criteria" if interaction.name.startswith("conditional") else ""
    return f"{interaction.method} /fhir{interaction.path}{criteria}"


def _shown(parameter: dict[str, Any]) -> str:
    return f"{{{parameter['name']}}}" if parameter["in"] == "path" else parameter["name"]


def _where(parameter: dict[str, Any]) -> str:
    return {"path": "address", "query": "parameters", "header": "header"}[parameter["in"]]


def _value(schema: dict[str, Any]) -> str:
    """How a value is written, in a few words."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "enum" in schema:
        values = schema["enum"]
        return ", ".join(f"`{value}`" for value in values) if len(values) < 9 else f"one of {len(values)}"
    if "items" in schema:
        return f"{_value(schema['items'])}; may be repeated"
    if "format" in schema:
        return schema["format"]
    if "minimum" in schema:
        return f"{schema['type']}, from {schema['minimum']}"
    return str(schema.get("type", "text"))


def _example(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return next((name for name in ("Patient",) if name in schema["enum"]), schema["enum"][0])
    return "1" if "1-9" in schema.get("pattern", "") else "example"


def _first(row: Answered) -> int:
    return row.statuses[0] if row.statuses else 999


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _table(heads: tuple[str, ...], rows: Any) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def contents(pages: Sequence[Page]) -> str:
    """The list of the pages, by what an address leads to."""
    levels = {"of the node": [], "of a type": [], "of a resource": [], "operations": []}
    for page in pages:
        path = page.interaction.path
        level = "of a resource" if "{id}" in path else "of a type" if "{type}" in path else "of the node"
        levels["operations" if page.path.startswith("operation") else level].append(page)
    blocks = []
    for level in ("of a resource", "of a type", "of the node", "operations"):
        rows = [
            (
                f"[{page.interaction.name}]({page.path})",
                f"`{address(page.interaction)}`",
                page.interaction.description,
            )
            for page in levels[level]
        ]
        if rows:
            blocks.append(_table((level, "address", ""), rows))
    return "\n" + "\n\n".join(blocks) + "\n\n"


def made() -> dict[Path, str]:
    """Every file of the reference that is generated, and its text."""
    pages = [Page(interaction) for interaction in INTERACTIONS]
    index = INDEX.read_text("utf-8")
    head, _, rest = index.partition(BEGIN)
    files = {API / page.path: page.text for page in pages}
    return files | {INDEX: head + BEGIN + contents(pages) + END + rest.partition(END)[2]}


def main() -> None:
    """Write the pages, or with ``--check`` say which differ and exit 1."""
    parser = argparse.ArgumentParser(description="Write the pages of the API")
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted = made()
    there = {page for folder in ("interaction", "operation") for page in (API / folder).glob("*.md")}
    wrong = [page for page, text in wanted.items() if not page.exists() or page.read_text("utf-8") != text]
    gone = sorted(there - set(wanted))
    if check and (wrong or gone):
        names = ", ".join(str(page.relative_to(ROOT)) for page in [*wrong, *gone])
        sys.exit(f"not what the interactions are now: {names}")
    for page in wrong:
        page.parent.mkdir(exist_ok=True)
        page.write_text(wanted[page], "utf-8")
    for page in gone:
        page.unlink()


if __name__ == "__main__":
    main()
