"""Write the generated part of ``docs/reference/definitions.md``.

    document_definitions.py [--check]

With ``--check`` nothing is written; the exit status says whether the page is up to date.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from kintung.definitions import Rule, naming_systems, ownership_rules, topics

PAGE = Path(__file__).parents[1] / "docs/reference/definitions.md"
MARK = "<!-- From here on written by scripts/document_definitions.py -->\n"
KINDS = ("person", "several", "derived", "organisation", "public")


def page(text: str) -> str:
    """The page with its generated part made again."""
    by_hand, mark, _ = text.partition(MARK)
    return by_hand + mark + "\n" + "\n".join([*_naming_systems(), "", *_topics(), "", *_ownership()]) + "\n"


def _naming_systems() -> Iterator[str]:
    yield "## Naming systems\n"
    yield "| id | label | vaulted | from | system | source |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for system in naming_systems():
        uris = ", ".join([f"`{uri}`" for uri in system.uris] + [f"`{prefix}…`" for prefix in system.prefixes])
        label = f"{system.label.en}<br>{system.label.zh_hk}"
        vaulted = "yes" if system.vaulted else "no"
        yield f"| `{system.id}` | {label} | {vaulted} | {system.start} | {uris} | {system.source} |"


def _topics() -> Iterator[str]:
    yield "## Topics of subscriptions\n"
    yield "| id | label | triggers | canonical URL | source |"
    yield "| --- | --- | --- | --- | --- |"
    for topic in topics().values():
        label = f"{topic.label.en}<br>{topic.label.zh_hk}"
        yield f"| `{topic.id}` | {label} | {', '.join(topic.triggers)} | `{topic.url}` | {topic.source} |"


def _ownership() -> Iterator[str]:
    yield "## Ownership\n"
    yield "What the kinds mean: [whose data a resource is](../explanation/ownership.md)."
    rules = sorted(ownership_rules(), key=lambda rule: (KINDS.index(rule.kind), rule.reason, rule.type))
    for kind, of_kind in groupby(rules, key=lambda rule: rule.kind):
        yield f"\n### {kind}\n"
        yield "| types | elements | reason |"
        yield "| --- | --- | --- |"
        for _, group in groupby(of_kind, key=lambda rule: (rule.elements, rule.reason)):
            yield _row(list(group))


def _row(rules: list[Rule]) -> str:
    types = ", ".join(rule.type for rule in rules)
    elements = ", ".join(f"`{element}`" for element in rules[0].elements)
    ignored = f" (not to {', '.join(rules[0].ignores)})" if rules[0].ignores else ""
    return f"| {types} | {elements}{ignored} | {rules[0].reason} |"


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the generated part of the page on definitions")
    parser.add_argument("--check", action="store_true")
    text = PAGE.read_text("utf-8")
    made = page(text)
    if parser.parse_args().check:
        return int(made != text)
    PAGE.write_text(made, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
