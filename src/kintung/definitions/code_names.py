"""What codes are called in the languages of the pages, from ``code_names/``, and what measurements are."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache

import msgspec

from kintung.definitions.label import Wording
from kintung.definitions.measurements import LOINC, Words, measured, measurements
from kintung.definitions.reader import read
from kintung.errors import ValueInvalid


class CodeName(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"zh_hk": "zh-HK", "zh_cn": "zh-CN"}
):
    """A code and what it is called."""

    code: str
    en: str
    zh_hk: str
    zh_cn: str


class CodeNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names in use from ``start``: of codes of ``systems``, or of those that ``elements`` hold plainly."""

    start: date
    source: str
    codes: tuple[CodeName, ...]
    systems: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    names: tuple[CodeNames, ...]


@cache
def code_names() -> tuple[CodeNames, ...]:
    """Every group of names."""
    return load_code_names(group for file in read("code_names", _File).values() for group in file.names)


def load_code_names(groups: Iterable[CodeNames]) -> tuple[CodeNames, ...]:
    """Check the definitions.

    Raises:
        ValueInvalid: a code of one system or element twice; neither system nor element, or both; no source.
    """
    found = tuple(groups)
    keys = [
        (place, each.code)
        for group in found
        for place in (*group.systems, *group.elements)
        for each in group.codes
    ]
    if len(keys) != len(set(keys)):
        raise ValueInvalid("definitions/code_names: a code is named twice")
    for group in found:
        if not group.source or bool(group.systems) == bool(group.elements):
            raise ValueInvalid(
                "definitions/code_names: names are of systems or of elements, and have a source"
            )
    return found


def name_of(system: str, code: str) -> Wording | None:
    """What a code of a system is called; None where it is not known here."""
    return _by_system().get((system, code))


def name_in(element: str, code: str) -> Wording | None:
    """What a code is called that an element holds without a system, such as ``status``."""
    return _by_element().get((element, code))


@cache
def _by_system() -> Mapping[tuple[str, str], Wording]:
    named = {
        (system, each.code): Wording(each.en, each.zh_hk, each.zh_cn)
        for group in code_names()
        for system in group.systems
        for each in group.codes
    }
    panels = {code: each.label for each in measurements() for code in each.panels}
    lines = {
        code: known.line.label if len(known.measurement.lines) > 1 else known.measurement.label
        for code, known in measured().items()
    }
    return named | {(LOINC, code): _wording(label) for code, label in (panels | lines).items()}


@cache
def _by_element() -> Mapping[tuple[str, str], Wording]:
    return {
        (element, each.code): Wording(each.en, each.zh_hk, each.zh_cn)
        for group in code_names()
        for element in group.elements
        for each in group.codes
    }


def _wording(words: Words) -> Wording:
    return Wording(words.en, words.zh_hk, words.zh_cn)
