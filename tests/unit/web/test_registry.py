"""The registry: nothing loads without a policy, and every address leads to one interaction."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from kintung.consent import Policy, Right, Undeclared
from kintung.errors import NotFound, NotSupported
from kintung.fhir.search import Answered, Parameter, parse_query
from kintung.fhir.search import parameters as parameters_of
from kintung.fhir.search.parameters import Branch, parameter
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.interactions import INTERACTIONS, REGISTRY
from kintung.web.fhir.registry import (
    RESOURCE_TYPES,
    Interaction,
    Reads,
    Recordless,
    Registry,
    Writes,
    searched_by,
)
from kintung.web.outcomes import MethodNotAllowed

API = Path(__file__).resolve().parents[3] / "docs" / "reference" / "api"
RECORDLESS = Recordless(lambda site, request: Answer(200, ()))
READS = Reads(lambda site, request, view: Answer(200, ()))


def interaction(
    action: Recordless | Reads, right: Right | None, policy: object, path: str = "/$new"
) -> Interaction:
    return Interaction("new", "GET", path, action, right, policy, "New.")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("action", "right", "policy"),
    [
        (RECORDLESS, None, None),
        (RECORDLESS, None, "open"),
        (READS, Right.VIEW, None),
        (READS, None, Policy.DISCLOSES),
        (READS, None, Policy.DEPOSITS),
        (RECORDLESS, Right.VIEW, Policy.OPEN),
        (RECORDLESS, Right.DEPOSIT, Policy.CARRIES),
        # What reads or writes the record cannot be declared open.
        (READS, None, Policy.OPEN),
    ],
)
def test_an_entry_without_a_policy_that_fits_does_not_load(
    action: Recordless | Reads, right: Right | None, policy: object
) -> None:
    with pytest.raises(Undeclared):
        Registry([interaction(action, right, policy)])


def test_an_entry_with_a_policy_loads() -> None:
    registry = Registry([interaction(READS, Right.VIEW, Policy.DISCLOSES)])
    assert registry.find("GET", "$new").interaction.name == "new"


def test_every_parameter_of_every_type_is_loaded_with_the_registry() -> None:
    assert {(each.type, each.code) for each in searched_by()} == {
        (type, code) for type in RESOURCE_TYPES for code in parameters_of(type)
    }
    with pytest.raises(Undeclared, match=r"Basic\.new declares nothing"):
        Registry(INTERACTIONS, [*searched_by(), Parameter("Basic", "new", "token", (Branch(1),))])


@pytest.mark.parametrize(
    ("code", "answered"),
    [
        ("code", None),
        ("code", "columns"),
        ("code", "nothing"),
        ("_id", None),
        ("_id", "rows"),
        ("_lastUpdated", "nothing"),
        ("code-value-concept", "nothing"),
        ("code-value-concept", "columns"),
        ("code", "bodies"),
        ("_id", "bodies"),
        ("_text", "rows"),
        ("_text", "nothing"),
        ("_content", None),
    ],
)
def test_a_parameter_without_a_declaration_that_fits_does_not_load(
    code: str, answered: Answered | None
) -> None:
    declared = parameter("Observation", code)
    Registry(INTERACTIONS, [declared])
    with pytest.raises(Undeclared, match=rf"Observation\.{code} "):
        Registry(INTERACTIONS, [replace(declared, answered=answered)])


def test_nothing_is_searched_by_a_parameter_that_declares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def undeclared(types: tuple[str, ...], code: str) -> Parameter:
        return replace(parameter(types[0], code), answered=None)

    parse_query("Observation", [("code", "1")], now_micros=0)
    monkeypatch.setattr("kintung.fhir.search.asked.together", undeclared)
    with pytest.raises(NotSupported):
        parse_query("Observation", [("code", "1")], now_micros=0)


OF_MATCHING = {"match"}
"""Asked by strangers too, who have no right to view."""


@pytest.mark.parametrize("each", INTERACTIONS, ids=lambda each: each.name)
def test_what_an_interaction_does_is_what_it_declares(each: Interaction) -> None:
    expected = {Reads: (Policy.DISCLOSES, Right.VIEW), Writes: (Policy.DEPOSITS, Right.DEPOSIT)}
    if each.name in OF_MATCHING:
        assert (each.policy, each.right) == (Policy.DISCLOSES, Right.MATCH)
        return
    assert (each.policy, each.right) == expected.get(type(each.action), (each.policy, None))


@pytest.mark.parametrize("each", INTERACTIONS, ids=lambda each: each.name)
def test_an_address_leads_to_its_interaction(each: Interaction) -> None:
    type = each.types[0] if each.types else "Patient"
    named = {"type": type, "id": "1", "version": "2", "member": "Observation"}
    found = REGISTRY.find(each.method, each.path.strip("/").format(**named))
    assert found.interaction is each
    assert found.parameters == {name: named[name] for name in re.findall(r"{(\w+)}", each.path)}


def test_head_is_get() -> None:
    assert REGISTRY.find("HEAD", "Patient/1").interaction.name == "read"


@pytest.mark.parametrize(
    "path",
    ["Parrot", "Parrot/1", "Patient//_history", "/", "Patient/1/", "a/b/c/d/e", "Patient/\0", "Patient/1\n"],
)
def test_an_address_that_is_none_is_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        REGISTRY.find("GET", path)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path", ["Patient/$everything", "Patient/_me", "Patient/1/_history/_x", "Patient/$x/_history"]
)
def test_an_operation_that_is_not_offered_is_no_resource(method: str, path: str) -> None:
    with pytest.raises(NotFound):
        REGISTRY.find(method, path)


def test_a_method_that_is_none_is_told_the_others() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        REGISTRY.find("TRACE", "Patient/1")
    assert refused.value.allowed == "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"


def test_every_status_of_an_error_is_in_the_api_pages() -> None:
    from kintung.web.outcomes import STATUS  # noqa: PLC0415

    text = (API / "statuses.md").read_text()
    rows = {(name, int(status)) for status, name in re.findall(r"^\| (\d{3}) \| `(\w+)`", text, re.M)}
    assert rows == {(error.__name__, status) for error, status in STATUS.items()}
