"""Random requests to the API, writes and reads mixed, good and bad, over few resources so that they meet.

They are drawn before any is answered: what an adapter says decides nothing of what is asked next.
"""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.property.store import given

JSON_PATCH = "application/json-patch+json"


class Call(NamedTuple):
    """One request; ``path`` is under the base. ``form`` says what was drawn, for the count of forms."""

    form: str
    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


def call(rng: Random) -> Call:
    """Draw a request."""
    form = rng.choices(list(_FORMS), weights=[weight for weight, _ in _FORMS.values()])[0]
    drawn = _FORMS[form][1](rng)
    headers = drawn.headers
    if rng.random() < 0.2:
        wish = rng.choice(("return=minimal", "return=representation", "return=OperationOutcome"))
        headers = (*headers, ("prefer", wish))
    if rng.random() < 0.05:
        headers = (*headers, ("prefer", "handling=lenient"))
    return drawn._replace(form=form, headers=headers)


def _text(resource: Any) -> bytes:
    return json.dumps(resource, ensure_ascii=False).encode()


def _if_match(rng: Random) -> tuple[tuple[str, str], ...]:
    return rng.choice(((), (), (("if-match", f'W/"{rng.randint(1, 4)}"'),), (("if-match", "*"),)))


def _query(rng: Random) -> str:
    """A search, mostly with something of the answer asked for."""
    search = given.search(rng)
    more = rng.choice(
        (
            *("", "", "_count=2", "_count=5", "_count=3", "_total=accurate", "_count=0"),
            *("_summary=true", "_summary=count", "_summary=data&_count=3", "_elements=status,name,code"),
            *("_include=*&_count=3", "_include=Observation:subject", "_include:iterate=Patient:organization"),
            *(
                "_revinclude=Observation:subject&_count=2",
                "_include=List:item&_include:iterate=*",
                "_include=x",
            ),
            *("_total=none&_count=1", "_format=json", "_count=-1", "_sort=nothing", "nothing=x", "_total=x"),
        )
    )
    joint = "" if search.endswith("?") else "&"
    return f"{search}{joint}{more}" if more else search


def _search(rng: Random) -> Call:
    return Call("", "GET", _query(rng))


def _search_by_post(rng: Random) -> Call:
    type, _, query = _query(rng).partition("?")
    path = f"{type}/_search".lstrip("/")
    return Call("", "POST", path, query.encode(), (("content-type", "application/x-www-form-urlencoded"),))


def _read(rng: Random) -> Call:
    headers = (("if-none-match", f'W/"{rng.randint(1, 3)}"'),) if rng.random() < 0.2 else ()
    return Call("", rng.choice(("GET", "GET", "GET", "HEAD")), given.name(rng), None, headers)


def _vread(rng: Random) -> Call:
    return Call("", "GET", f"{given.name(rng)}/_history/{rng.choice((1, 1, 2, 2, 3, 4, 0, 'x'))}")


def _history(rng: Random) -> Call:
    name = given.name(rng)
    of = rng.choice((name, name, name.partition("/")[0], ""))
    query = rng.choice(
        (
            *("", "?_count=2", "?_count=3", "?_since=2022-10-19T01:00:00Z", "?_since=x", "?_count=0"),
            *(
                "?_at=2022-10-19T00:20",
                "?_sort=_lastUpdated&_count=2",
                "?_sort=-_lastUpdated",
                "?_sort=status",
            ),
        )
    )
    return Call("", "GET", f"{of}/_history{query}".lstrip("/"))


def _compartment(rng: Random) -> Call:
    of = rng.choice(("Patient", "Patient", "Patient", "Device", "Practitioner", "Group"))
    member = rng.choice(("*", "*", "Observation", "List", "Device", "RiskAssessment", "Organization"))
    query = rng.choice(("", "", "?_count=2", "?_sort=-_lastUpdated", "?code=weight", "?_type=Observation"))
    return Call("", "GET", f"{of}/{rng.choice(given.PATIENTS)}/{member}{query}")


def _everything(rng: Random) -> Call:
    query = rng.choice(
        (
            *("", "", "?_count=2", "?_type=Observation", "?_since=2022-10-19T00:20:00Z", "?_type=x", "?x=y"),
            *("?start=2022-01-01&end=2022-12-31", "?end=2022", "?start=x"),
        )
    )
    of = rng.choice(("Patient", "Patient", "Patient", "Encounter"))
    return Call("", "GET", f"{of}/{rng.choice(given.PATIENTS)}/$everything{query}")


def _last(rng: Random) -> Call:
    query = rng.choice(("", "&max=2", "&code=weight", "&max=x", "&_count=2", "&category=vital-signs"))
    return Call("", "GET", f"Observation/$lastn?patient={rng.choice(given.PATIENTS)}{query}")


def _meta(rng: Random) -> Call:
    name = given.name(rng)
    if rng.random() < 0.5:
        return Call("", "GET", rng.choice((f"{name}/$meta", f"{name.partition('/')[0]}/$meta", "$meta")))
    changed = rng.choice(({"tag": [{"code": "a"}]}, {"profile": ["http://x"]}, {"security": [{"code": "R"}]}))
    body = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": changed}]}
    return Call("", "POST", f"{name}/$meta-{rng.choice(('add', 'delete'))}", _text(body))


def _broken(rng: Random, resource: dict[str, Any]) -> dict[str, Any]:
    """The resource with one thing wrong."""
    wrong: tuple[tuple[str, Any], ...] = (
        ("status", 7),
        ("status", "nothing"),
        ("unknown", "x"),
        ("id", "no id"),
        ("meta", []),
        ("subject", {"reference": 1}),
        ("name", {}),
        ("identifier", [{"system": "x", "value": ""}]),
        ("text", {"status": "generated"}),
        ("effectiveDateTime", "2022-02-30"),
    )
    member, value = rng.choice(wrong)
    return resource | {member: value}


def _resource(rng: Random) -> dict[str, Any]:
    resource = given.resource(rng)
    return _broken(rng, resource) if rng.random() < 0.1 else resource


def _create(rng: Random) -> Call:
    resource = _resource(rng)
    resource.pop("id", None)
    headers = (("if-none-exist", _criteria(rng, resource["resourceType"])),) if rng.random() < 0.4 else ()
    return Call("", "POST", resource["resourceType"], _text(resource), headers)


def _criteria(rng: Random, type: str) -> str:
    """Criteria of a conditional interaction, of one type."""
    for _ in range(20):
        found, _, criteria = given.search(rng).partition("?")
        if found == type and "_sort" not in criteria:
            return quote(criteria, safe="=&%|:/.,+-")
    return f"_id={rng.choice(given.PATIENTS)}"


def _update(rng: Random) -> Call:
    resource = _resource(rng)
    path = f"{resource['resourceType']}/{resource['id']}"
    return Call("", "PUT", path, _text(resource), _if_match(rng))


def _update_by_criteria(rng: Random) -> Call:
    resource = _resource(rng)
    type = resource["resourceType"]
    if rng.random() < 0.5:
        resource.pop("id", None)
    return Call("", "PUT", f"{type}?{_criteria(rng, type)}", _text(resource), _if_match(rng))


def _delete(rng: Random) -> Call:
    return Call("", "DELETE", given.name(rng), None, _if_match(rng))


def _delete_by_criteria(rng: Random) -> Call:
    type = given.name(rng).partition("/")[0]
    return Call("", "DELETE", f"{type}?{_criteria(rng, type)}")


def _patch(rng: Random) -> Call:
    name = given.name(rng)
    path = (
        name if rng.random() < 0.8 else f"{name.partition('/')[0]}?{_criteria(rng, name.partition('/')[0])}"
    )
    return Call("", "PATCH", path, _text(_operations(rng)), (("content-type", JSON_PATCH), *_if_match(rng)))


def _operations(rng: Random) -> list[dict[str, Any]]:
    operations: tuple[dict[str, Any], ...] = (
        {"op": "replace", "path": "/status", "value": rng.choice(("final", "amended", "active"))},
        {"op": "add", "path": "/active", "value": rng.random() < 0.5},
        {"op": "remove", "path": "/gender"},
        {"op": "add", "path": "/name/-", "value": {"family": rng.choice(given.FAMILIES)}},
        {"op": "replace", "path": "/name/0/family", "value": rng.choice(given.FAMILIES)},
        {"op": "test", "path": "/status", "value": "final"},
        {"op": "copy", "from": "/name/0", "path": "/name/1"},
        {"op": "remove", "path": "/code/coding/0/system"},
        {"op": "add", "path": "/subject", "value": {"reference": f"Patient/{rng.choice(given.PATIENTS)}"}},
        {"op": "replace", "path": "/id", "value": "other"},
        {"op": "nothing", "path": "/status"},
    )
    return [rng.choice(operations) for _ in range(rng.choice((1, 1, 2, 3)))]


def _validate(rng: Random) -> Call:
    resource = _resource(rng)
    return Call("", "POST", f"{resource['resourceType']}/$validate", _text(resource))


def _bundle(rng: Random) -> Call:
    """A batch or a transaction; some of its entries refer to those before.

    A batch writes once at most: its entries are done side by side, in no order of their own.
    """
    type = rng.choice(("batch", "transaction", "transaction"))
    entries: list[dict[str, Any]] = []
    created: list[str] = []
    for number in range(rng.randint(1, 5)):
        entry = _entry(rng, created, _READS if type == "batch" and entries else _STEPS)
        if entry["request"]["method"] == "POST" and "resource" in entry:
            created.append(f"urn:uuid:00000000-0000-4000-8000-00000000000{number}")
            entry["fullUrl"] = created[-1]
        entries.append(entry)
    return Call("", "POST", "", _text({"resourceType": "Bundle", "type": type, "entry": entries}))


_READS: tuple[Callable[[Random], Call], ...] = (_search, _read, _vread, _history)
_STEPS: tuple[Callable[[Random], Call], ...] = (
    *(_create, _create, _update, _update, _delete, _update_by_criteria, _delete_by_criteria),
    *_READS,
)


def _entry(rng: Random, created: list[str], steps: Sequence[Callable[[Random], Call]]) -> dict[str, Any]:
    drawn = rng.choice(steps)(rng)
    request: dict[str, Any] = {"method": drawn.method, "url": drawn.path}
    fields = {"if-match": "ifMatch", "if-none-match": "ifNoneMatch", "if-none-exist": "ifNoneExist"}
    request |= {fields[name]: value for name, value in drawn.headers if name in fields}
    if drawn.body is None:
        return {"request": request}
    resource = json.loads(drawn.body)
    if resource.get("resourceType") == "Observation" and rng.random() < 0.5:
        patient = rng.choice((*created, "Patient?identifier=" + given.HKID + "|A123456(3)"))
        resource["subject"] = {"reference": patient}
    return {"resource": resource, "request": request}


def _garbage(rng: Random) -> Call:
    """What no client should send."""
    method = rng.choice(("GET", "POST", "PUT", "PATCH", "DELETE"))
    path = rng.choice(
        ("", "Patient", "Patient/1", "Nothing/1", "Patient/no id", "Patient/1/_history/1", "$x")
    )
    body = rng.choice(
        (b"", b"{", b"[]", b'"x"', b"\xff", b'{"resourceType":"Patient","resourceType":"x"}', b"null")
    )
    return Call("", method, path, None if method == "GET" else body)


_FORMS: dict[str, tuple[int, Callable[[Random], Call]]] = {
    "search": (26, _search),
    "search by POST": (3, _search_by_post),
    "read": (7, _read),
    "vread": (4, _vread),
    "history": (6, _history),
    "compartment": (3, _compartment),
    "everything": (3, _everything),
    "lastn": (2, _last),
    "meta": (3, _meta),
    "create": (10, _create),
    "update": (18, _update),
    "conditional update": (4, _update_by_criteria),
    "delete": (5, _delete),
    "conditional delete": (2, _delete_by_criteria),
    "patch": (6, _patch),
    "validate": (2, _validate),
    "bundle": (8, _bundle),
    "garbage": (3, _garbage),
}
"""Each form with its weight."""

FORMS = tuple(_FORMS)
