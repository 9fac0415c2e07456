"""Header fields, one at a time; the answers over HTTP are in tests/server."""

import pytest

from kintung.errors import ValueInvalid
from kintung.web.fhir.headers import (
    Prefer,
    http_seconds,
    idempotency_key,
    instant,
    last_modified,
    prefer,
    versions_named,
)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (None, Prefer()),
        (b"return=minimal", Prefer("minimal")),
        (b'return="representation"', Prefer("representation")),
        (b"handling=lenient, return=OperationOutcome", Prefer("OperationOutcome", lenient=True)),
        (b"handling=lenient; return=minimal", Prefer("minimal", lenient=True)),
        (b"respond-async", Prefer(respond_async=True)),
        (b"return=everything", Prefer()),
    ],
)
def test_prefer(field: bytes | None, expected: Prefer) -> None:
    assert prefer(field) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (None, None),
        (b'W/"3"', ("3",)),
        (b'"3"', ("3",)),
        (b' W/"3" , "4"', ("3", "4")),
        (b"*", ("*",)),
        (b'""', ("",)),
    ],
)
def test_versions_named(field: bytes | None, expected: tuple[str, ...] | None) -> None:
    assert versions_named(field, "If-Match") == expected


@pytest.mark.parametrize("field", [b"3", b"", b'W/"3', b'w/"3"', b'"3" "4"', b'W/"3",', b'"3", *'])
def test_versions_named_wrongly_are_refused(field: bytes) -> None:
    with pytest.raises(ValueInvalid) as refused:
        versions_named(field, "If-Match")
    assert refused.value.path == "If-Match"


@pytest.mark.parametrize("key", [b"", b"a" * 129, b"a\tb", b"a\x7f", "鍵".encode(), b"a\x00"])
def test_an_idempotency_key_is_printable_and_short(key: bytes) -> None:
    with pytest.raises(ValueInvalid):
        idempotency_key(key)


def test_idempotency_keys() -> None:
    assert idempotency_key(None) is None
    assert idempotency_key(b"a" * 128) == "a" * 128
    assert idempotency_key(b" !~ ") == "!~"


def test_dates_of_http_and_of_fhir() -> None:
    at = 1_666_137_600_000_001
    assert last_modified(at) == b"Wed, 19 Oct 2022 00:00:00 GMT"
    assert http_seconds(last_modified(at)) == at // 1_000_000
    assert instant(at) == "2022-10-19T00:00:00.000001Z"
    assert instant(0) == "1970-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    "field", [b"", b"yesterday", b"Wed, 99 Oct 2022 00:00:00 GMT", b"\xff", b"0" * 5_000]
)
def test_a_date_that_is_none_is_passed_over(field: bytes) -> None:
    assert http_seconds(field) is None
