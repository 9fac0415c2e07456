"""Write the generated part of ``docs/reference/definitions.md``.

    document_definitions.py [--check]

With ``--check`` nothing is written; the exit status says whether the page is up to date.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import groupby
from math import log2
from pathlib import Path
from typing import Protocol

from kintung.definitions import Rule, naming_systems, ownership_rules, topics
from kintung.definitions.code_names import code_names
from kintung.definitions.corruptions import corruptions, pairs, spellings
from kintung.definitions.label import Label
from kintung.definitions.matching import matching_weights
from kintung.definitions.measurements import Line, Measurement, Words, measurements
from kintung.definitions.name_frequencies import given_names, latin_names, surname_tables, western_names
from kintung.definitions.names import Definition, name_definitions
from kintung.definitions.population import age_tables, place_tables, shares, systems
from kintung.definitions.seeds import seed_map
from kintung.definitions.units import units


class Labelled(Protocol):
    @property
    def label(self) -> Label: ...


PAGE = Path(__file__).parents[1] / "docs/reference/definitions.md"
MARK = "<!-- From here on written by scripts/document_definitions.py -->\n"
KINDS = ("person", "several", "derived", "organisation", "public")


def page(text: str) -> str:
    """The page with its generated part made again."""
    by_hand, mark, _ = text.partition(MARK)
    parts = (
        _naming_systems,
        _topics,
        _measurements,
        _units,
        _code_names,
        _forms_of_names,
        _population,
        _names,
        _corruptions,
        _weights,
        _ownership,
        _seeds,
    )
    return by_hand + mark + "\n" + "\n\n".join("\n".join(part()) for part in parts) + "\n"


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


def _measurements() -> Iterator[str]:
    yield "## Measurements\n"
    yield "What a record shows as trends; a range that an Observation brings itself is shown before ours.\n"
    yield "| id | label | LOINC | unit | other units | from | source |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for each in measurements():
        others = "<br>".join(
            f"`{unit.code}` × {unit.factor}{f' + {unit.add}' if unit.add != '0' else ''}: {unit.source}"
            for unit in each.units
            if unit.code != each.unit
        )
        codes = "<br>".join(_codes(each, line) for line in each.lines)
        yield (
            f"| `{each.id}` | {_words(each.label)} | {codes} | {each.shown} (`{each.unit}`) | {others} "
            f"| {each.start} | {each.source} |"
        )
    yield ""
    yield "| line | reference range | from | known | source |"
    yield "| --- | --- | --- | --- | --- |"
    for each in measurements():
        for line in each.lines:
            for within in line.ranges:
                bounds = " and ".join(
                    part
                    for part in (
                        f"from {within.low}" if within.low else "",
                        f"under {within.below}" if within.below else "",
                    )
                    if part
                )
                known = "assumed" if within.assumed else "from a source"
                yield (
                    f"| `{each.id}.{line.id}` | {bounds} {each.shown} | {within.start} | {known} "
                    f"| {within.source} |"
                )


def _codes(measurement: Measurement, line: Line) -> str:
    panels = f" (in {', '.join(measurement.panels)})" if measurement.panels else ""
    return f"{line.label.en}: {', '.join(line.codes)}{panels}"


def _words(words: Words) -> str:
    return f"{words.en}<br>{words.zh_hk}<br>{words.zh_cn}"


def _units() -> Iterator[str]:
    yield "## Units\n"
    yield "How people write units of UCUM, where no rule tells: signs, and codes that are said in words.\n"
    yield "| id | signs | words | from | source |"
    yield "| --- | --- | --- | --- | --- |"
    for each in units():
        signs = "; ".join(f"`{symbol.code}` {symbol.written}" for symbol in each.symbols)
        said = "<br>".join(f"`{word.code}` {word.en}, {word.zh_hk}, {word.zh_cn}" for word in each.words)
        yield f"| `{each.id}` | {signs} | {said} | {each.start} | {each.source} |"


def _code_names() -> Iterator[str]:
    yield "## Names of codes\n"
    yield "What a code is called where the resource brings no translation of it.\n"
    yield "| of | names | from | source |"
    yield "| --- | --- | --- | --- |"
    for group in code_names():
        of = "<br>".join(f"`{place}`" for place in (*group.systems, *group.elements))
        named = "<br>".join(f"`{each.code}` {each.en}, {each.zh_hk}, {each.zh_cn}" for each in group.codes)
        yield f"| {of} | {named} | {group.start} | {group.source} |"


def _forms_of_names() -> Iterator[str]:
    found = name_definitions()
    surnames = found.surnames
    count = (
        f"{len(''.join(surnames.single.split()))} of one character, {len(surnames.compound.split())} of two"
    )
    romanisations = {"hong_kong": found.hong_kong, "macao": found.macao}
    rows: list[tuple[str, Definition, str]] = [
        (name, rules, f"{len(rules.finals)} finals, {len(rules.syllables)} syllables of their own")
        for name, rules in romanisations.items()
    ]
    rows += [
        ("characters", found.characters, f"{len(found.characters.readings)} entries"),
        ("marriage", found.marriage, "、".join((found.marriage.between, *found.marriage.titles))),
        ("private_use", found.private_use, f"{len(found.private_use.exceptions)} code points"),
        ("surnames", surnames, f"{count}; {len(surnames.readings)} read or spelled otherwise"),
        ("variants", found.variants, found.variants.pairs),
    ]
    yield "## Forms of names\n"
    yield "By which a name is compared across scripts; readings of characters are in a table of their own.\n"
    yield "| id | label | what is in it | from | source |"
    yield "| --- | --- | --- | --- | --- |"
    for name, each, inside in rows:
        yield f"| `{name}` | {_label(each)} | {inside} | {each.start} | {each.source} |"


def _population() -> Iterator[str]:
    yield "## Population\n"
    yield "People of the region, by which [synthetic people](../how-to/make-synthetic-people.md) are made.\n"
    yield "| id | label | from | people | source |"
    yield "| --- | --- | --- | --- | --- |"
    for ages in age_tables():
        count = sum(row.people for row in ages.rows) if ages.total is None else ages.total
        people = f"{count:,} in {len(ages.rows)} groups"
        yield f"| `{ages.id}` | {_label(ages)} | {ages.start} | {people} | {ages.source} |"
    for places in place_tables().values():
        people = f"{sum(row.people for row in places.rows):,} in {len(places.rows)} places"
        yield f"| `{places.id}` | {_label(places)} | {places.start} | {people} | {places.source} |"
    yield ""
    yield "| id | label | of | share | from | known | source |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for share in shares().values():
        known = "assumed" if share.assumed else "from a source"
        yield (
            f"| `{share.id}` | {_label(share)} | {share.of} | {share.share} | {share.start} | {known} "
            f"| {share.source} |"
        )
    yield ""
    yield "| id | label | organisation | share of appearances, by region | from | source |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for system in systems().values():
        seen = ", ".join(f"{region} {share}" for region, share in system.seen.items())
        yield (
            f"| `{system.id}` | {_label(system)} | {system.number}, {system.country} | {seen} "
            f"| {system.start} | {system.source} |"
        )


def _names() -> Iterator[str]:
    yield "## Names of synthetic people\n"
    yield "| id | label | what is in it | source |"
    yield "| --- | --- | --- | --- |"
    for table in surname_tables():
        known = ", ".join(f"{han} {share} %" for han, share in table.known.items())
        inside = (
            f"as `{table.same_as}`" if table.same_as else f"known: {known}; assumed: {len(table.assumed)}"
        )
        yield f"| `{table.id}` | {_label(table)} | {inside} | {table.source} |"
    for names in given_names():
        whole = f"; whole: {'、'.join(names.whole)}" if names.whole else ""
        single = f"; alone: {names.single}" if names.single else ""
        inside = f"first: {names.first}; second: {names.second}{single}{whole}"
        yield f"| `{names.id}` | {_label(names)} | {inside} | {names.source} |"
    for western in western_names():
        yield f"| `{western.id}` | {_label(western)} | {', '.join(western.given)} | {western.source} |"
    for latin in latin_names().values():
        count = f"{len(latin.family)} surnames, {len(latin.male) + len(latin.female)} given names"
        yield f"| `{latin.id}` | {_label(latin)} | {count} | {latin.source} |"


def _corruptions() -> Iterator[str]:
    yield "## Corruptions\n"
    yield "What goes wrong when a synthetic person is written down, and how often; `kintung synth --rates`"
    yield "multiplies the rates.\n"
    yield "| id | label | feature | changes | rate | of | from | known | source |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for each in corruptions().values():
        known = "assumed" if each.assumed else "from a source"
        changes = ", ".join(f"`{element}`" for element in each.changes)
        yield (
            f"| `{each.id}` | {_label(each)} | {each.feature} | {changes} | {each.rate} | {each.of} "
            f"| {each.start} | {known} | {each.source} |"
        )
    yield ""
    yield "| id | label | what is in it | from | source |"
    yield "| --- | --- | --- | --- | --- |"
    for table in pairs().values():
        yield f"| `{table.id}` | {_label(table)} | {table.pairs} | {table.start} | {table.source} |"
    for forms in spellings().values():
        inside = "; ".join(f"{han} {', '.join(latin)}" for han, latin in forms.spellings.items())
        yield f"| `{forms.id}` | {_label(forms)} | {inside} | {forms.start} | {forms.source} |"


def _label(of: Labelled) -> str:
    return f"{of.label.en}<br>{of.label.zh_hk}"


def _weights() -> Iterator[str]:
    weights = matching_weights()
    yield "## Weights of matching\n"
    training = weights.training
    yield f"`{weights.id}`, from {weights.start}: {weights.label.en}, {weights.label.zh_hk}."
    yield weights.source.strip()
    yield (
        f"Trained with {training.version} on {training.people:,} people of seed {training.seed} at "
        f"{training.rates} times the rates of corruption. Least scores in bits: certain {weights.certain}, "
        f"probable {weights.probable}, queue {weights.queue}, borne out {weights.borne_out}; "
        f"`verified` is `{weights.verified}`.\n"
    )
    yield "| comparison | level | m | u | bits |"
    yield "| --- | --- | --- | --- | --- |"
    for comparison, levels in weights.comparisons.items():
        for level, of in levels.items():
            bits = log2(float(of.m) / float(of.u))
            yield f"| `{comparison}` | {level} | {of.m} | {of.u} | {bits:+.1f} |"
    most = list(weights.surnames.items())[:12]
    yield (
        "\nThe commonest surnames: "
        + ", ".join(f"{surname} {float(share):.2%}" for surname, share in most)
        + "."
    )


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


def _seeds() -> Iterator[str]:
    found = seed_map()
    yield "## Seed map\n"
    counts = ", ".join(f"{count} {state}" for state, count in found.counts().items())
    yield f"What public documents of policy ask for, and how far each has come: {counts}."
    yield "The page `/seeds` of a node shows it with the words of each document.\n"
    yield "| id | document | publisher | published |"
    yield "| --- | --- | --- | --- |"
    for document in found.documents.values():
        yield f"| {document.id} | {document.title} | {document.publisher.en} | {document.published} |"
    yield ""
    yield "| # | system | cited | lives in | state | shown by | tests |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for system in found.systems:
        cited = ", ".join(f"{seed.document} {seed.at}" for seed in system.seeds)
        shown = "<br>".join(f"`{address}`" for address in (*system.screens, *system.calls))
        tests = "<br>".join(f"`{test}`" for test in system.tests)
        says = f"; {system.says.en}" if system.says else ""
        label, homes = f"{system.system.en}<br>{system.system.zh_hk}", ", ".join(system.lives_in)
        yield (
            f"| {system.number} | {label} | {cited} | {homes} "
            f"| {system.state} since {system.since}{says} | {shown} | {tests} |"
        )


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
