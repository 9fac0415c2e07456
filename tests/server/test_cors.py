"""HEAD and OPTIONS on every address, and pages of other origins: those the operator lists, and no other."""

from collections.abc import Iterator

import httpx
import pytest

from kintung.consent import Right
from kintung.store.reader import Reader
from kintung.web.fhir.interactions import INTERACTIONS, REGISTRY
from kintung.web.fhir.registry import Later
from kintung.web.site import WebSettings
from kintung.web.this_machine import this_machine_and
from tests.records import patient
from tests.server.api import Api, outcome, persona
from tests.server.api import api as opened

APP = "https://app.example"
PATHS = sorted({each.path for each in INTERACTIONS})


ASKED = {"lastn": "?patient=p&code=weight", "ihe-pix": "?sourceIdentifier=urn:oid:1.2.3|red"}
"""What an interaction is not answered without."""
SUBSCRIPTION = {
    "resourceType": "Subscription",
    "id": "p",
    "status": "off",
    "reason": "a test",
    "criteria": "Observation?",
    "channel": {"type": "rest-hook", "endpoint": "https://ward.example/hook"},
}


def address(path: str) -> str:
    """An address of that form, of a type that it is offered for."""
    types = next((each.types for each in INTERACTIONS if each.path == path and each.types), ("Patient",))
    type = "Patient" if "Patient" in types else types[0]
    return path.strip("/").format(type=type, id="p", version="1", member="Observation")


def cors(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.fixture
def listed() -> Iterator[Api]:
    with opened(settings=WebSettings(allow_origins=(APP, "http://localhost:3000"))) as found:
        found.store(patient("p"))
        yield found


@pytest.mark.parametrize(
    "interaction",
    [each for each in INTERACTIONS if each.method == "GET" and not isinstance(each.action, Later)],
    ids=lambda it: it.name,
)
def test_head_is_get_without_its_body(api: Api, interaction: object) -> None:
    known = [{"system": "urn:oid:1.2.3", "value": "red"}]
    api.store(patient("p", "Chan" * 500, identifier=known), SUBSCRIPTION)
    path = address(interaction.path) + ASKED.get(interaction.name, "")  # type: ignore[attr-defined]
    shown, head = api.get(path), api.call("HEAD", path)
    assert (shown.status_code, head.status_code, head.content) == (200, 200, b"")
    assert shown.content
    differing = {name for name in shown.headers if shown.headers[name] != head.headers.get(name)}
    # Bundles with a link to more pages hold a cursor that is drawn anew; here there is no more.
    assert differing == set()


@pytest.mark.parametrize("path", PATHS)
def test_options_says_which_methods_an_address_takes(api: Api, path: str) -> None:
    api.personas["nobody"] = persona("nobody", Reader.nothing())
    answer = api.call("OPTIONS", address(path), persona="nobody")
    assert (answer.status_code, answer.content) == (204, b"")
    methods = {each.method for each in INTERACTIONS if each.path == path}
    assert methods <= set(answer.headers["allow"].split(", "))
    assert answer.headers["allow"] == ", ".join(REGISTRY.methods(address(path)))
    assert cors(answer) == {}


def test_options_says_nothing_of_the_record(listed: Api) -> None:
    answers = [listed.call("OPTIONS", f"Patient/{id}", headers={"Origin": APP}) for id in ("p", "never")]
    assert answers[0].headers == answers[1].headers
    assert outcome(listed.call("OPTIONS", "Parrot/p", headers={"Origin": APP}))[:2] == (404, "not-found")


def test_a_page_of_a_listed_origin_asks_first_and_may(listed: Api) -> None:
    asked = {
        "Origin": APP,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type,if-match",
    }
    answer = listed.call("OPTIONS", "Patient/p", headers=asked)
    assert answer.status_code == 204
    told = cors(answer)
    assert told["access-control-allow-origin"] == APP
    assert "PUT" in told["access-control-allow-methods"].split(", ")
    allowed = {name.lower() for name in told["access-control-allow-headers"].split(", ")}
    assert {"authorization", "content-type", "if-match", "prefer", "idempotency-key"} <= allowed
    assert "access-control-allow-credentials" not in told
    assert "origin" in answer.headers.get_list("vary")


@pytest.mark.parametrize("path", ["Patient/p", "Patient", "Patient/never", "Patient?colour=red", "nowhere"])
def test_every_answer_to_a_listed_origin_can_be_read(listed: Api, path: str) -> None:
    answer = listed.get(path, headers={"Origin": APP})
    assert answer.status_code == listed.get(path).status_code
    assert cors(answer)["access-control-allow-origin"] == APP
    exposed = cors(answer)["access-control-expose-headers"].split(", ")
    assert {"ETag", "Location", "Last-Modified", "Content-Location"} <= set(exposed)
    assert {"X-Security-Context", "Content-Disposition", "Accept-Patch", "Allow"} <= set(exposed)


def test_a_refusal_for_want_of_a_right_can_be_read(listed: Api) -> None:
    listed.personas["depositor"] = persona("depositor", Reader.everything(), Right.DEPOSIT)
    answer = listed.get("Patient/p", persona="depositor", headers={"Origin": APP})
    assert (answer.status_code, cors(answer)["access-control-allow-origin"]) == (403, APP)


@pytest.mark.parametrize(
    "origin",
    ["https://app.example.evil.example", "http://app.example", "https://APP.example", "null", "*", ""],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_another_origin_is_told_nothing(listed: Api, origin: str, method: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    answer = listed.call(method, "Patient/p", headers=asked)
    assert cors(answer) == {}
    assert "origin" in answer.headers.get_list("vary")


def test_the_statement_says_whether_pages_may_ask(api: Api, listed: Api) -> None:
    said = [each.get("metadata").json()["rest"][0]["security"]["cors"] for each in (api, listed)]
    assert said == [False, True]


def test_options_says_what_a_patch_may_be(api: Api) -> None:
    formats = "application/json-patch+json, application/fhir+json"
    assert api.call("OPTIONS", "Patient/p").headers["accept-patch"] == formats
    assert "accept-patch" not in api.call("OPTIONS", "Patient/p/_history").headers


def test_by_default_no_page_may_read(api: Api) -> None:
    answer = api.get("metadata", headers={"Origin": APP})
    assert cors(answer) == {}
    assert "origin" not in answer.headers.get_list("vary")


def test_every_origin_is_told_so_without_its_name() -> None:
    with opened(settings=WebSettings(allow_origins=("*",))) as anybody:
        answer = anybody.get("metadata", headers={"Origin": "https://any.example"})
        assert cors(answer)["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in cors(answer)
        assert cors(anybody.get("metadata")) == {}


def test_an_unprotected_node_lets_in_pages_that_are_listed() -> None:
    gate = this_machine_and((APP,))
    assert gate({b"host": b"localhost", b"origin": APP.encode()}).actor == "unprotected"
    for origin in (b"https://other.example", b"null"):
        with pytest.raises(Exception, match="other places"):
            gate({b"host": b"localhost", b"origin": origin})
    with pytest.raises(Exception, match="its own machine"):
        gate({b"host": b"record.example", b"origin": APP.encode()})
