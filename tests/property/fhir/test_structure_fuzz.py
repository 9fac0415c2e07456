"""Whatever is sent, the front door and structure validation answer, quickly, in their own words (B2)."""

from typing import Any

import pytest

from kintung.errors import BadInput
from kintung.fhir.json import parse, split_bundle
from kintung.fhir.splice import served, splice
from kintung.fhir.structure import is_valid, schema, validate
from kintung.fhir.structure.definitions import definitions
from kintung.fhir.structure.walk import issues_of
from tests import scale
from tests.generators.structures import broken, resource, text

TYPES = definitions().resources


def answer(raw: bytes) -> list[str] | None:
    """Codes of the issues, [] when valid, None when the text is refused at the front door."""
    try:
        value = parse(raw)
        issues = validate(value)
    except BadInput as refused:
        complaints = [issue for issue in refused.issues if not (issue.message and issue.code)]
        return None if refused.issues and not complaints else ["unsaid"]
    judges_agree(value, [issue.path for issue in issues])
    if not issues:
        stored(raw, value)
    return [issue.code for issue in issues]


def judges_agree(value: dict[str, Any], paths: list[str | None]) -> None:
    """The fast judge accepts nothing that the thorough one faults."""
    assert [issue.path for issue in issues_of(value)] == paths
    assert is_valid(value) == (not paths)


def stored(raw: bytes, value: dict[str, Any]) -> None:
    """A valid resource can be stored and served, and is valid then."""
    spliced = splice(raw, type=value["resourceType"], id="new", references={})
    body = parse(served(spliced.text, spliced.meta_at, 1, 1_795_309_323_123_456))
    assert validate(body) == []
    for name in value.keys() - {"id", "meta"}:
        assert body[name] == value[name]


@pytest.mark.parametrize("type", TYPES)
def test_resources_made_from_the_definition_are_valid(type: str):
    random = scale.seeded(f"made {type}")
    judge = schema.validator()
    fast = 0
    for number in range(scale.counts(6, 200)):
        raw = text(resource(type, random, fullness=(0.05, 0.3, 0.9)[number % 3])).encode()
        value = parse(raw)
        assert [issue.message for issue in issues_of(value)] == []
        assert is_valid(value)
        stored(raw, value)
        fast += judge.is_valid({type: value})
    assert fast, "the fast judge accepts none of them"


def test_broken_resources_are_refused_or_valid_and_nothing_else():
    random = scale.seeded("broken structures")
    answers: list[list[str] | None] = []
    for number in range(scale.counts(20 * 146, 700 * 146)):
        type = TYPES[number % len(TYPES)]
        answers.append(answer(broken(resource(type, random, fullness=0.1), random)))
    counted = {
        "front door": sum(each is None for each in answers),
        "valid": sum(each == [] for each in answers),
        **{
            code: sum(code in (each or ()) for each in answers)
            for code in ("structure", "value", "required", "code-invalid", "invariant")
        },
    }
    assert ["unsaid"] not in answers
    assert all(count >= len(answers) / 1000 for count in counted.values()), counted
    assert counted["valid"] < len(answers) / 3, counted


def test_a_bundle_is_refused_exactly_when_its_text_is():
    """``split_bundle`` takes shortcuts; ``parse`` of the same text must come to the same end."""
    random = scale.seeded("broken bundles")
    refused = 0
    total = scale.counts(400, 20_000)
    for _ in range(total):
        entries = [
            {"fullUrl": "urn:uuid:1", "resource": resource(random.choice(TYPES), random, fullness=0.05)}
            for _ in range(random.choice((1, 2, 3)))
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        raw = broken(bundle, random)
        whole = outcome(parse, raw)
        split = outcome(split_bundle, raw)
        if isinstance(whole, dict) and is_shaped(whole):
            assert not isinstance(split, str), raw
            assert [entry.resource for entry in split.entries] == [
                each.get("resource") for each in whole.get("entry", ())
            ]
        else:
            assert isinstance(split, str), raw
            refused += 1
    assert total / 10 < refused < total * 9 / 10


def outcome(read: Any, raw: bytes) -> Any:
    """What ``read`` returns; of a refusal its class."""
    try:
        return read(raw)
    except BadInput as error:
        return type(error).__name__


def is_shaped(whole: dict[str, Any]) -> bool:
    """Whether a Bundle can be taken apart: entries are objects, resources too."""
    entries = whole.get("entry", [])
    return (
        whole.get("resourceType") == "Bundle"
        and isinstance(entries, list)
        and all(isinstance(each, dict) and isinstance(each.get("resource", {}), dict) for each in entries)
    )
