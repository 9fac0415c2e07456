"""Published resources are valid: the official R4 examples and a hundred Synthea patients, by both judges."""

import gzip
from collections import Counter
from collections.abc import Iterator

import pytest

from kintung.fhir.json import parse, split_bundle
from kintung.fhir.structure import is_valid, schema, validate
from kintung.fhir.structure.walk import issues_of
from tests import scale
from tests.shared_data import shared

GAPS: dict[str, str] = {}
"""Official examples that are not valid, by type and id, with the reason."""


def lines(path: str) -> Iterator[bytes]:
    with gzip.open(shared(path)) as text:
        yield from text


def test_official_examples_are_valid():
    seen: Counter[str] = Counter()
    refused: dict[str, list[str]] = {}
    for line in lines("fhir-r4-examples/examples.ndjson.gz"):
        resource = parse(line)
        seen[resource["resourceType"]] += 1
        issues = validate(resource)
        assert issues_of(resource) == issues
        if issues:
            refused[f"{resource['resourceType']}/{resource['id']}"] = [issue.message for issue in issues]
    assert (seen.total(), len(seen)) == (426, 113)
    assert refused.keys() == GAPS.keys(), refused


def test_four_examples_use_targets_their_definitions_do_not_name():
    """Allowed beside the defined ones (``ALSO_TARGETS`` of the build script), and only there."""
    for subject, allowed, refused in (
        ("DeviceUseStatement", "Procedure/1", "Patient/1"),
        ("Observation", "Encounter/1", "Procedure/1"),
    ):
        element = "performer" if subject == "Observation" else "reasonReference"
        base = {"resourceType": subject, element: [{"reference": allowed}]}
        paths = [issue.path for issue in validate(base)]
        assert f"{subject}.{element}[0].reference" not in paths
        paths = [issue.path for issue in validate({**base, element: [{"reference": refused}]})]
        assert f"{subject}.{element}[0].reference" in paths


def test_synthea_entries_are_valid():
    """All 31,409 by ``is_valid``, nearly all of them by the fast judge; the walk sees a part of them too."""
    seen, accepted_fast = 0, 0
    judge = schema.validator()
    for number, line in enumerate(lines("synthea-r4-100/bundles.ndjson.gz")):
        split = split_bundle(line)
        assert is_valid(split.envelope)
        for entry in split.entries:
            assert entry.resource is not None
            assert is_valid(entry.resource)
            accepted_fast += judge.is_valid({entry.resource["resourceType"]: entry.resource})
            if number < scale.counts(5, 100):
                assert issues_of(entry.resource) == []
        seen += len(split.entries)
    assert seen == 31_409
    assert accepted_fast == seen


@pytest.mark.parametrize("count", [426])
def test_most_official_examples_pass_the_fast_judge(count: int):
    """The fast judge is only of use if it seldom asks the walk."""
    judge = schema.validator()
    fast = 0
    for line in lines("fhir-r4-examples/examples.ndjson.gz"):
        resource = parse(line)
        fast += judge.is_valid({resource["resourceType"]: resource})
    assert fast >= 0.97 * count
