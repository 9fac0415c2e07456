"""Every type of a Patient's compartment has a place on a record, and a name."""

from kintung.definitions import ownership_rules
from kintung.fhir.search.compartments import members
from kintung.web.pages.catalogues import messages
from kintung.web.pages.language import Language
from kintung.web.pages.record import results, summary
from kintung.web.pages.record.kinds import EVERYTHING, KINDS, LEFT_OUT, NAMES, OF_TYPE
from kintung.web.pages.record.shared import SHARED


def test_every_type_of_the_compartment_has_a_place_or_is_left_out_for_a_reason() -> None:
    placed = {type for kind in KINDS for type in kind.types}
    assert members("Patient") - placed == set(LEFT_OUT)
    assert all(LEFT_OUT.values())
    assert placed == set(NAMES) == set(EVERYTHING.types) == set(OF_TYPE)
    assert sum(len(kind.types) for kind in KINDS) == len(placed), "a type is of one kind"
    assert {*summary.TYPES, *results.TYPES} <= placed


def test_every_type_is_named_in_every_language() -> None:
    for name in NAMES.values():
        said = [messages(language).gettext(name) for language in Language]
        assert all(said)
        assert said[0] != name
        assert said[1] != name


def test_every_type_that_is_found_is_of_persons() -> None:
    kinds = {rule.type: rule.kind for rule in ownership_rules()}
    assert {type for type in NAMES if kinds[type] == "several"} == SHARED - set(LEFT_OUT)
    assert {kinds[type] for type in NAMES} == {"person", "several"}
