"""What a stored body changes of the accepted text, and what it leaves alone."""

import json

import pytest

from kintung.fhir.splice import Links, served, splice

UUID = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
LINKS = {
    UUID: "Patient/1",
    "urn:oid:1.2.3": "Device/2",
    "Patient?identifier=http://a.example|1": "Patient/3",
    "http://a.example/fhir/Patient/7": "Patient/7",
}


def body(raw: str) -> str:
    type = json.loads(raw)["resourceType"]
    return splice(raw.encode(), type=type, id="new", references={}).text.decode()


def resolved(raw: str, type: str = "Observation") -> str:
    plain = splice(raw.encode(), type=type, id="new", references=LINKS).text
    assert splice(raw.encode(), type=type, id="new", references=Links(LINKS)).text == plain
    return plain.decode()


@pytest.mark.parametrize(
    ("raw", "spliced"),
    [
        ('{"resourceType":"Patient"}', '{"resourceType":"Patient","id":"new","meta":{}}'),
        (
            '{"resourceType":"Patient","active":true}',
            '{"resourceType":"Patient","id":"new","meta":{},"active":true}',
        ),
        ('{"resourceType":"Patient","id":"old"}', '{"resourceType":"Patient","id":"new","meta":{}}'),
        (
            '{"resourceType":"Patient","active":true,"id":"old"}',
            '{"resourceType":"Patient","active":true,"id":"new","meta":{}}',
        ),
        (
            '{"meta":{"source":"a"},"active":true,"resourceType":"Patient"}',
            '{"meta":{"source":"a"},"active":true,"resourceType":"Patient","id":"new"}',
        ),
        (
            '{"id":"old","active":true,"meta":{},"resourceType":"Patient"}',
            '{"id":"new","active":true,"meta":{},"resourceType":"Patient"}',
        ),
        (
            '{"resourceType":"Patient","id":"old","active":true,"meta":{"source":"a"}}',
            '{"resourceType":"Patient","id":"new","active":true,"meta":{"source":"a"}}',
        ),
        (
            '{"resourceType":"Patient","id":"old","meta":{"versionId":"1","source":"a","lastUpdated":"2020"}}',
            '{"resourceType":"Patient","id":"new","meta":{"source":"a"}}',
        ),
        (
            '{"resourceType":"Patient","meta":{"lastUpdated":"2020","_lastUpdated":{"id":"a"},"_versionId":{"id":"b"}}}',
            '{"resourceType":"Patient","id":"new","meta":{}}',
        ),
        (
            '{"resourceType":"Patient","id":"old","contained":[{"resourceType":"Device","id":"c","meta":{"versionId":"4"}}]}',
            '{"resourceType":"Patient","id":"new","meta":{},"contained":[{"resourceType":"Device","id":"c","meta":{"versionId":"4"}}]}',
        ),
        (
            r'{"resourceType":"Patient","\u0069d":"old","m\u0065ta":{"v\u0065rsionId":"1","t\u0061g":[{"code":"a"}]}}',
            r'{"resourceType":"Patient","\u0069d":"new","m\u0065ta":{"t\u0061g":[{"code":"a"}]}}',
        ),
        (
            r'{"resourceType":"Patient","id":"old","name":[{"text":"\"meta\":{ \"id\":\"x\""}]}',
            r'{"resourceType":"Patient","id":"new","meta":{},"name":[{"text":"\"meta\":{ \"id\":\"x\""}]}',
        ),
        (
            '{"resourceType":"Bundle","id":"old","type":"collection","entry":[{"resource":{"resourceType":"Patient","meta":{"source":"a"}}}]}',
            '{"resourceType":"Bundle","id":"new","meta":{},"type":"collection","entry":[{"resource":{"resourceType":"Patient","meta":{"source":"a"}}}]}',
        ),
    ],
    ids=lambda text: text[:48],
)
def test_id_and_meta_find_their_place(raw: str, spliced: str):
    assert body(raw) == spliced


def test_white_space_goes_outside_strings_only_and_tokens_stay():
    """B3"""
    raw = """{
        "resourceType" : "Observation", "id":"a" , "meta" : { } ,
        "valueQuantity" : { "value" : 1.0E+2 , "unit":" m  g\\t" },
        "component": [ 1e-7, 0.000000001, -0, 7.10, 1E400 ], "note":[{"text":"\\u0041\\/ 陳"}]
    }"""
    assert body(raw) == (
        '{"resourceType":"Observation","id":"new","meta":{},"valueQuantity":'
        '{"value":1.0E+2,"unit":" m  g\\t"},"component":[1e-7,0.000000001,-0,7.10,1E400],'
        '"note":[{"text":"\\u0041\\/ 陳"}]}'
    )


@pytest.mark.parametrize(
    ("raw", "meta"),
    [
        ('{"resourceType":"Patient"}', b'{"versionId":"3","lastUpdated":"2026-11-22T01:02:03.123456Z"}'),
        (
            '{"resourceType":"Patient","id":"a","meta":{"source":"b"}}',
            b'{"versionId":"3","lastUpdated":"2026-11-22T01:02:03.123456Z","source":"b"}',
        ),
        (
            '{"active":true,"resourceType":"Patient","meta":{"versionId":"9","tag":[{"code":"x"}]},"id":"a"}',
            b'{"versionId":"3","lastUpdated":"2026-11-22T01:02:03.123456Z","tag":[{"code":"x"}]}',
        ),
    ],
)
def test_a_version_is_served_with_its_number_and_time(raw: str, meta: bytes):
    text, meta_at, _ = splice(raw.encode(), type="Patient", id="a", references={})
    assert text[meta_at - 8 : meta_at] == b'"meta":{'
    found = served(text, meta_at, 3, 1_795_309_323_123_456)
    assert found.count(b'"meta":' + meta) == 1


@pytest.mark.parametrize(
    ("at_micros", "shown"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_last_updated_always_has_six_digits(at_micros: int, shown: str):
    assert shown in served(b'{"meta":{}}', 9, 1, at_micros).decode()


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (f'"subject":{{"reference":"{UUID}"}}', '"subject":{"reference":"Patient/1"}'),
        (
            '"subject":{"reference":"Patient?identifier=http://a.example|1"}',
            '"subject":{"reference":"Patient/3"}',
        ),
        (
            r'"subject":{"reference":"Patient?identifier=http:\/\/a.example|1"}',
            '"subject":{"reference":"Patient/3"}',
        ),
        ('"subject":{"reference":"http://a.example/fhir/Patient/7"}', '"subject":{"reference":"Patient/7"}'),
        (r'"subject":{"reference":"urn:\u006fid:1.2.3"}', '"subject":{"reference":"Device/2"}'),
        ('"subject":{"reference":"urn:uuid:other"}', '"subject":{"reference":"urn:uuid:other"}'),
        (
            f'"extension":[{{"url":"http://a.example/x","valueReference":{{"reference":"{UUID}"}}}}]',
            '"extension":[{"url":"http://a.example/x","valueReference":{"reference":"Patient/1"}}]',
        ),
        # elements that are links by their type
        (
            f'"identifier":[{{"system":"{UUID}","value":"{UUID}"}}]',
            f'"identifier":[{{"system":"Patient/1","value":"{UUID}"}}]',
        ),
        (f'"meta":{{"source":"{UUID}"}}', '"meta":{"source":"Patient/1"}'),
        (
            '"extension":[{"url":"http://a.example/x","valueOid":"urn:oid:1.2.3"}]',
            '"extension":[{"url":"http://a.example/x","valueOid":"Device/2"}]',
        ),
        (
            f'"extension":[{{"url":"http://a.example/x","valueUuid":"{UUID}"}}]',
            '"extension":[{"url":"http://a.example/x","valueUuid":"Patient/1"}]',
        ),
        (
            f'"contained":[{{"photo":[{{"url":"{UUID}","title":"{UUID}"}}],"resourceType":"Patient"}}]',
            f'"contained":[{{"photo":[{{"url":"Patient/1","title":"{UUID}"}}],"resourceType":"Patient"}}]',
        ),
        # strings, canonicals and notes are none
        (f'"note":[{{"text":"{UUID}"}}]', f'"note":[{{"text":"{UUID}"}}]'),
        (f'"valueString":"{UUID}"', f'"valueString":"{UUID}"'),
        (f'"meta":{{"profile":["{UUID}"]}}', f'"meta":{{"profile":["{UUID}"]}}'),
        (f'"unknown":"{UUID}"', f'"unknown":"{UUID}"'),
        # narratives
        (
            rf'"text":{{"div":"<div>{UUID} <a title=\"{UUID}\" href=\"{UUID}\">x</a></div>"}}',
            rf'"text":{{"div":"<div>{UUID} <a title=\"{UUID}\" href=\"Patient/1\">x</a></div>"}}',
        ),
        (
            f'"text":{{"div":"<div><img src = \'{UUID}\'/></div>"}}',
            '"text":{"div":"<div><img src = \'Patient/1\'/></div>"}',
        ),
        (
            rf'"text":{{"div":"\u003cdiv>\u003ca href\u003d\u0022{UUID}\u0022>x\u003c\/a>\u003c\/div>"}}',
            r'"text":{"div":"\u003cdiv>\u003ca href\u003d\u0022Patient/1\u0022>x\u003c\/a>\u003c\/div>"}',
        ),
        (
            r'"text":{"div":"<div><a href=\"http:\/\/a.example\/fhir\/Patient\/7\">x</a></div>"}',
            r'"text":{"div":"<div><a href=\"Patient/7\">x</a></div>"}',
        ),
    ],
    ids=lambda text: text[:56],
)
def test_links_are_resolved_where_the_type_makes_them_links(member: str, expected: str):
    """http.html#trules"""
    raw = f'{{"resourceType":"Observation","id":"a",{member}}}'
    meta = "" if '"meta"' in expected else '"meta":{},'
    assert resolved(raw) == f'{{"resourceType":"Observation","id":"new",{meta}{expected}}}'


def test_links_in_resources_of_bundles_and_parameters_are_resolved():
    raw = (
        '{"resourceType":"Parameters","id":"a","parameter":[{"name":"x","part":[{"name":"y","resource":'
        f'{{"resourceType":"Patient","contact":[{{"organization":{{"reference":"{UUID}"}}}}],"photo":[{{"url":"{UUID}"}}]}}}}]}}]}}'
    )
    found = resolved(raw, "Parameters")
    assert '"organization":{"reference":"Patient/1"}' in found
    assert '"photo":[{"url":"Patient/1"}]' in found
