"""The JSON front door: what is refused, where the error points, and what is kept (B2, B3, B7)."""

import json
import tracemalloc
from decimal import Decimal

import pytest

from kintung.errors import BadInput, StructureInvalid, TooLong, ValueInvalid
from kintung.fhir.json import LIMITS, Limits, parse, split_bundle
from kintung.fhir.structure import is_valid
from kintung.fhir.tokens import tokens

OBSERVATION = b'{"resourceType":"Observation","component":[{"valueQuantity":{"value":%s}}]}'
NUMBER_AT = "Observation.component[0].valueQuantity.value"
PATIENT = b'{"resourceType":"Patient","name":[{"family":%s}]}'
FAMILY_AT = "Patient.name[0].family"


def number(text: str):
    return parse(OBSERVATION % text.encode())["component"][0]["valueQuantity"]["value"]


def nested(depth: int, opening: bytes = b'{"a":', closing: bytes = b"}") -> bytes:
    return opening * depth + b"1" + closing * depth


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.0E+2", Decimal("1.0E+2")),
        ("1e-7", Decimal("1E-7")),
        ("0.000000001", Decimal("1E-9")),
        ("7.10", Decimal("7.10")),
        ("7.0", Decimal("7.0")),
        ("-0.0", Decimal("-0.0")),
        ("1" * 40, int("1" * 40)),
        ("-" + "1" * 40, -int("1" * 40)),
        ("1." + "0" * 39, Decimal("1." + "0" * 39)),
        ("0." + "0" * 399 + "1", Decimal("1E-400")),
        ("1E400", Decimal("1E400")),
        ("1e-400", Decimal("1E-400")),
        ("0e-400", Decimal("0E-400")),
        ("9223372036854775808", 2**63),
        ("18446744073709551616", 2**64),
    ],
)
def test_digits_are_kept(text: str, value: Decimal | int):
    """B3"""
    found = number(text)
    assert str(found) == str(value)
    assert type(found) is type(value)


def test_minus_zero_is_zero_in_the_value_and_minus_zero_in_the_text():
    assert number("-0") == 0
    assert type(number("-0")) is int


@pytest.mark.parametrize(
    "text",
    [
        "1" * 41,
        "-" + "1" * 41,
        "1" * 4301,
        "1" * 100_000,
        "1." + "0" * 40,
        "1." + "1" * 1_000_000,
        "1E401",
        "15e400",
        "1e-401",
        "1.5e-400",
        "0e401",
        "0e-401",
        "0." + "0" * 400 + "1",
        "1E3000000",
        "1E-9999",
        "1E99999999999999999999",
        "1E-99999999999999999999",
        "0E99999999999999999999",
    ],
    ids=lambda text: text[:24],
)
def test_numbers_beyond_the_limits_are_refused_before_they_are_computed(text: str):
    """B2"""
    with pytest.raises(TooLong) as error:
        number(text)
    assert error.value.path == NUMBER_AT


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "01", "1.", ".5", "+1", "1e", "1e+", "0x10", "-", "1_000", "'1'"]
)
def test_what_is_no_json_number_is_refused_with_its_path(text: str):
    with pytest.raises(StructureInvalid) as error:
        number(text)
    assert error.value.path == NUMBER_AT
    assert "line 1, column" in str(error.value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (rb'"\u0000"', ValueInvalid),
        (rb'"a\u0000b"', ValueInvalid),
        (rb'"\ud800"', ValueInvalid),
        (rb'"\uDFFF tail"', ValueInvalid),
        (rb'"\ude00\ud83d"', ValueInvalid),
        (b'"\xed\xa0\x80"', StructureInvalid),
        (b'"\xff"', StructureInvalid),
        (b'"\xc0\xaf"', StructureInvalid),
        (b'"a\nb"', StructureInvalid),
        (b'"\x00"', StructureInvalid),
        (rb'"\x41"', StructureInvalid),
        (b'"no end', StructureInvalid),
        (b'"a","family":"b"', StructureInvalid),
        (rb'"a","f\u0061mily":"b"', StructureInvalid),
        (rb'"\u003a","family":"a:b"', StructureInvalid),
        (rb'"\u003A","family":"b"', StructureInvalid),
    ],
)
def test_broken_strings_and_repeated_members_are_refused_with_their_path(text: bytes, kind: type[BadInput]):
    """B2"""
    with pytest.raises(kind) as error:
        parse(PATIENT % text)
    assert error.value.path == FAMILY_AT


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'"\\u0000"', "\\u0000"),
        (rb'"\\ud800"', "\\ud800"),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"a\u003ab"', "a:b"),
        (b'"' + b"1" * 60 + b'"', "1" * 60),
        (b'"[[[[{{{{"', "[[[[{{{{"),
        (rb'"\"[\\"', '"[\\'),
        ("\ufeff陳\u00a0ﬁ e\u0301".join('""').encode(), "\ufeff陳\u00a0ﬁ e\u0301"),
    ],
)
def test_strings_that_only_look_broken_are_kept(text: bytes, value: str):
    assert parse(PATIENT % text)["name"][0]["family"] == value


@pytest.mark.parametrize("length", [1_000_000, 10_000_000])
def test_long_strings_cost_their_length(length: int):
    """B2"""
    for letter in (b"a", b"\\n", b"{", b"1"):
        text = b'"' + letter * (length // len(letter)) + b'"'
        assert len(parse(PATIENT % text)["name"][0]["family"]) == length // len(letter)


@pytest.mark.parametrize("raw", [b"", b"  ", b"{", b'{"a":1} x', b"[1", b"nul", b'{"a" 1}', b"{'a':1}"])
def test_what_is_no_json_is_refused_by_line_and_column(raw: bytes):
    with pytest.raises(StructureInvalid, match=r"not JSON at line 1, column \d+"):
        parse(raw)


def test_line_and_column_count_from_one():
    with pytest.raises(StructureInvalid, match="line 3, column 4"):
        parse(b'{\n"a":1,\n"b"?2}')


@pytest.mark.parametrize("raw", [b"[]", b'"x"', b"1", b"null", b"true", b'[{"resourceType":"Patient"}]'])
def test_the_top_must_be_an_object(raw: bytes):
    with pytest.raises(StructureInvalid, match="not an object"):
        parse(raw)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_only_utf8_without_a_mark_is_read(encoding: str):
    with pytest.raises(StructureInvalid):
        parse('{"resourceType":"Patient"}'.encode(encoding))


def test_size_is_limited():
    """B7"""
    with pytest.raises(TooLong, match="101 bytes"):
        parse(b'"' + b"a" * 99 + b'"', Limits(bytes=100))
    assert parse(b'{"a":"' + b"a" * 92 + b'"}', Limits(bytes=100))


def test_the_number_of_values_is_limited():
    """Twenty million empty arrays are 60 MB of text and 2.5 GB decoded."""
    assert parse(b'{"a":[' + b"[]," * 7 + b"[]]}", Limits(values=17))
    with pytest.raises(TooLong, match="16 commas"):
        parse(b'{"a":[' + b"[]," * 7 + b"[]]}", Limits(values=16))
    with pytest.raises(TooLong):
        parse(b'{"a":[' + b"[]," * 20_000_000 + b"[]]}")


@pytest.mark.parametrize(
    ("tail", "kind"),
    [
        (b',"id":"a","id":"b"', StructureInvalid),
        (rb',"id":"\u003a"', None),
        (rb',"id":"\u0000"', ValueInvalid),
        (b',"id":"' + b"1" * 41 + b'"', None),
        (b',"id":1E3000000', TooLong),
    ],
)
def test_a_fault_far_back_in_a_large_text_is_found(tail: bytes, kind: type[BadInput] | None):
    """B7: beyond the first 8 MB the rule is named without the place."""
    unit = b'{"url":"http://a.example/x","valueString":"y"},'
    raw = b'{"resourceType":"Patient","extension":[%s{"url":"z","valueString":"y"}]%s}' % (
        unit * 200_000,
        tail,
    )
    if kind is None:
        assert len(parse(raw)["extension"]) == 200_001
    else:
        with pytest.raises(kind) as error:
            parse(raw)
        assert error.value.path is None


@pytest.mark.parametrize("deep", [b"[" * 100_000, b'{"a":' * 100_000, nested(10_000), b"[{" * 50_000])
def test_depth_of_a_hundred_thousand_is_refused(deep: bytes):
    """B7"""
    with pytest.raises(TooLong, match="100 objects and arrays"):
        parse(deep)


@pytest.mark.parametrize(
    "shell",
    [
        b"%s",
        b'{"b":"]]]]","a":%s}',
        b'{"b":"}\\"}","a":%s}',
        b'{"b":["]",["]",["]"]]],"a":%s}',
        b'{"b":"\\\\","c":"[[[[","a":%s}',
    ],
)
def test_depth_is_exact_whatever_strings_hold(shell: bytes):
    inside = LIMITS.depth - (shell != b"%s")
    assert parse(shell % nested(inside))
    with pytest.raises(TooLong):
        parse(shell % nested(inside + 1))


def test_brackets_in_strings_do_not_hide_depth():
    """Each level closes in a string before it opens the next: counted with its strings, it is flat."""
    depth = LIMITS.depth
    assert parse(b'{"a":' + b'["]",' * (depth - 1) + b"1" + b"]" * (depth - 1) + b"}")
    with pytest.raises(TooLong):
        parse(b'{"a":' + b'["]",' * depth + b"1" + b"]" * depth + b"}")


def test_many_shallow_arrays_are_not_deep():
    assert parse(b'{"a":[' + b",".join([b"[[]]"] * 5_000) + b"]}")


def test_a_name_that_is_no_identifier_is_not_repeated_in_the_path():
    with pytest.raises(StructureInvalid) as error:
        parse(b'{"resourceType":"Patient","Chan Tai Man":1,"Chan Tai Man":2}')
    assert error.value.path == "Patient.`?`"
    assert "Chan" not in str(error.value)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"{", "Resource"),
        (b'{"\xff', "Resource"),
        (b'{"resourceType":"Patient","name":[{', "Patient.name[0]"),
        (b'{"resourceType":"Patient","name":[{}, {,', "Patient.name[1]"),
    ],
)
def test_what_ends_before_a_member_is_named_leads_to_what_holds_it(raw: bytes, path: str) -> None:
    with pytest.raises(StructureInvalid) as error:
        parse(raw)
    assert error.value.path == path


def test_memory_stays_in_proportion_to_the_text():
    raw = PATIENT % (b'"' + b"x" * 20_000_000 + b'"')
    tracemalloc.start()
    try:
        parse(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(raw)


def test_tokens_tell_their_path():
    text = b'{"a":[1,{"b":"x"}],"c":true}'
    seen = [(each.kind, text[each.start : each.end], list(each.path)) for each in tokens(text)]
    assert ("number", b"1", ["a", 0]) in seen
    assert ("string", b'"x"', ["a", 1, "b"]) in seen
    assert ("word", b"true", ["c"]) in seen
    assert seen[-1] == ("close", b"}", [])


# --- Bundles ---


def bundle(*entries: str, more: str = "") -> bytes:
    return f'{{"resourceType":"Bundle","type":"transaction",{more}"entry":[{",".join(entries)}]}}'.encode()


def test_a_bundle_is_split_into_the_text_and_the_value_of_each_resource():
    resource = '{ "resourceType" : "Observation", "valueQuantity":{"value":7.10} }'
    request = '{"method":"POST","url":"Observation"}'
    split = split_bundle(
        bundle(
            f'{{"fullUrl":"urn:uuid:1","resource":{resource},"request":{request}}}',
            '{"request":{"method":"DELETE","url":"Patient/1"}}',
            more='"id":"b",',
        )
    )
    first, second = split.entries
    assert first.full_url == "urn:uuid:1"
    assert first.request == {"method": "POST", "url": "Observation"}
    assert first.text == resource.encode()
    assert first.resource == parse(resource.encode())
    assert (second.full_url, second.resource, second.text) == (None, None, None)
    assert split.envelope == {
        "resourceType": "Bundle",
        "type": "transaction",
        "id": "b",
        "entry": [
            {
                "fullUrl": "urn:uuid:1",
                "request": {"method": "POST", "url": "Observation"},
            },
            {"request": {"method": "DELETE", "url": "Patient/1"}},
        ],
    }


PERSON = '{"resourceType":"Patient"}'


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (bundle('{"resource":{"resourceType":"Patient","a":1,"a":2}}'), "Bundle.entry[0].resource.a"),
        (bundle(f'{{"resource":{PERSON}}}', '{"fullUrl":"a","fullUrl":"b"}'), "Bundle.entry[1].fullUrl"),
        (bundle(f'{{"resource":{PERSON},"resource":{PERSON}}}'), "Bundle.entry[0].resource"),
        (bundle('{"fullUrl":"\\u003a","fullUrl":"a:b"}'), "Bundle.entry[0].fullUrl"),
        (bundle(more='"id":"a","id":"b",'), "Bundle.id"),
        (bundle(more='"entry":[],'), "Bundle.entry"),
        (bundle(more='"total":1E99999999999999999999,'), "Bundle.total"),
        (bundle(more=f'"total":{"1" * 41},'), "Bundle.total"),
        (bundle(f'{{"search":{{"score":1.{"1" * 41}}}}}'), "Bundle.entry[0].search.score"),
        (bundle('{"fullUrl":"\\u0000"}'), "Bundle.entry[0].fullUrl"),
        (bundle('{"fullUrl":"\\ud800"}'), "Bundle.entry[0].fullUrl"),
        (bundle('{"resource":{"resourceType":"Patient","x":"\\ud800"}}'), "Bundle.entry[0].resource.x"),
        (bundle('{"resource":[]}'), "Bundle.entry[0].resource"),
        (bundle('{"resource":null}'), "Bundle.entry[0].resource"),
        (bundle("1"), "Bundle.entry"),
        (b'{"resourceType":"Bundle","entry":{}}', "Bundle.entry"),
        (b'{"resourceType":"Patient","entry":[]}', "Bundle.resourceType"),
        (b'{"entry":[]}', "Bundle.resourceType"),
    ],
    ids=lambda each: each[:60] if isinstance(each, str) else "",
)
def test_a_faulty_bundle_is_refused_with_the_path_in_the_whole(raw: bytes, path: str):
    with pytest.raises(BadInput) as error:
        split_bundle(raw)
    assert error.value.path == path


def test_depth_in_a_bundle_is_that_of_the_whole():
    fits, too_deep = (bundle(f'{{"resource":{nested(depth).decode()}}}') for depth in (97, 98))
    for read in (parse, split_bundle):
        assert read(fits)
        with pytest.raises(TooLong):
            read(too_deep)


def test_a_bundle_of_a_hundred_thousand_entries_is_refused():
    """B7"""
    with pytest.raises(TooLong, match="100000 entries") as error:
        split_bundle(bundle(*["{}"] * 100_000))
    assert error.value.path == "Bundle.entry"


def test_a_bundle_in_a_bundle_stays_one_resource():
    inner = bundle(f'{{"resource":{PERSON}}}').decode()
    split = split_bundle(bundle(f'{{"resource":{inner}}}'))
    assert [entry.text for entry in split.entries] == [inner.encode()]


def test_bundles_without_entries():
    assert split_bundle(b'{"resourceType":"Bundle","type":"batch"}').entries == []
    assert split_bundle(bundle()).envelope["entry"] == []  # which structure validation refuses


def test_an_entry_with_nothing_but_a_resource_does_not_seem_empty():
    envelope = split_bundle(bundle(f'{{"resource":{PERSON}}}', "{}")).envelope
    assert envelope["entry"] == [{"resource": {"resourceType": "Parameters"}}, {}]


def test_split_and_parse_agree():
    raw = bundle(f'{{"resource":{PERSON},"search":{{"score":0.50}}}}', '{"fullUrl":"x:y"}')
    whole = parse(raw)
    split = split_bundle(raw)
    assert [entry.resource for entry in split.entries] == [each.get("resource") for each in whole["entry"]]
    del whole["entry"][0]["resource"]
    assert json.dumps(split.envelope, default=str) == json.dumps(whole, default=str)
    assert is_valid(split.envelope)
