"""Pages lead where who asks has a right to go, and do not go by rights otherwise."""

import html
import itertools
import re
from collections.abc import Iterator

import httpx
import pytest

from kintung.consent import Policy, Right
from kintung.store.links import LinkChange, LinkKind
from kintung.store.reader import Reader
from kintung.store.writes import Prepared
from kintung.web.pages.pages import PAGES
from kintung.web.pages.registry import Tells
from kintung.web.pages.sections import SECTIONS
from tests.records import patient
from tests.server.api import Api, persona
from tests.server.api import api as opened

ROOT = "http://record.example"
GIVEN = (Right.VIEW, Right.STEWARD, Right.DEPOSIT)
"""Rights that pages ask for, and one that none does."""
WHO = [
    frozenset(rights) for count in range(len(GIVEN) + 1) for rights in itertools.combinations(GIVEN, count)
]
_NAVIGATION = re.compile(r'<nav class="sections".*?</nav>', re.DOTALL)
_LINK = re.compile(r'<a [^>]*href="([^"]+)"')
_SCREEN = re.compile(r'<a href="/(?:find|record|steward)[^"]*">(<code>.*?</code>)</a>')
"""Of the map of policy: an address that one may open leads there."""
_TYPED = re.compile(r'(name="token" value=|sought=)"?[\w-]+')
MOST = 400
NAMED = {
    "id": "p1",
    "type": "DocumentReference",
    "rid": "d1",
    "n": "0",
    "one": "p1",
    "other": "p2",
    "decision": "merge",
}
"""What stands in the addresses of pages."""
REPORT = {
    "resourceType": "DocumentReference",
    "id": "d1",
    "status": "current",
    "subject": {"reference": "Patient/p1"},
    "content": [{"attachment": {"contentType": "text/plain", "data": "aGVsbG8="}}],
}


def name(rights: frozenset[Right]) -> str:
    return "-".join(sorted(rights)) or "nothing"


@pytest.fixture
def api() -> Iterator[Api]:
    """Two people who may be one, and callers with each set of rights, who see both."""
    with opened() as found:
        found.store(patient("p1", "Chan", birthDate="1948"), patient("p2", "Chan"), REPORT)
        found.prepared(Prepared(links=(LinkChange("p1", "p2", LinkKind.PROBABLE, "rule", "", 900),)))
        for rights in WHO:
            found.personas[name(rights)] = persona(name(rights), Reader.everything("all"), *rights)
        yield found


def get(api: Api, path: str, who: str) -> httpx.Response:
    return api.get(f"{ROOT}{path}", persona=who, headers={"accept-language": "en"})


def sections(page: httpx.Response) -> list[str]:
    """Where the header leads, in order."""
    found = _NAVIGATION.search(page.text)
    return [] if found is None else _LINK.findall(found[0])


def open_pages() -> list[str]:
    """Pages that tell of the node alone, which everybody is shown."""
    paths = [page.path for page in PAGES.pages if isinstance(page.action, Tells)]
    return [path.replace("{type}", "Patient") for path in paths]


def test_every_right_that_a_section_asks_for_is_that_of_its_page() -> None:
    for section in SECTIONS:
        page, _ = PAGES.find("GET", section.path)
        assert page.right is section.right


@pytest.mark.parametrize("rights", WHO, ids=name)
def test_the_header_leads_to_each_section_one_has_a_right_to(api: Api, rights: frozenset[Right]) -> None:
    wanted = [each.path for each in SECTIONS if each.right is None or each.right in rights]
    for path in (*open_pages(), *wanted, "/find/nothing", "/record/p1", "/steward/pairs/p1/p9"):
        assert sections(get(api, path, name(rights))) == wanted, path


@pytest.mark.parametrize("rights", WHO, ids=name)
def test_no_page_leads_to_one_that_is_refused(api: Api, rights: frozenset[Right]) -> None:
    """All that is reached by links from the first page, and from the pages that need no link."""
    left, met, refused = ["/", *open_pages()], set[str](), list[tuple[str, str, int]]()
    if Right.VIEW in rights:
        left += ["/record/p1", "/record/p1/DocumentReference/d1"]
    if Right.STEWARD in rights:
        left += ["/steward/pairs/p1/p2"]
    came = dict.fromkeys(left, "")
    while left and len(met) < MOST:
        path = left.pop()
        bare = path.partition("#")[0]
        if bare in met or not bare.startswith("/") or bare.startswith(("//", "/fhir", "/assets")):
            continue
        met.add(bare)
        page = get(api, bare, name(rights))
        if page.status_code >= 400:
            refused.append((came[path], bare, page.status_code))
        assert not page.is_redirect, bare
        for link in map(html.unescape, _LINK.findall(page.text)):
            came.setdefault(link, bare)
            left.append(link)
    assert refused == []
    assert {each.path for each in SECTIONS if each.right in (None, *rights)} <= {
        path.partition("?")[0] for path in met
    }


def test_pages_do_not_differ_by_rights_otherwise(api: Api) -> None:
    """In every byte, but for where they lead and the token of a form."""

    def bare(path: str, rights: frozenset[Right]) -> tuple[int, str]:
        page = get(api, path, name(rights))
        return page.status_code, _TYPED.sub("", _NAVIGATION.sub("", _SCREEN.sub(r"\1", page.text)))

    for path in (*open_pages(), "/find/nothing"):
        if path == "/":  # what it leads to is all it has: see the test before
            continue
        assert len({bare(path, rights) for rights in WHO}) == 1, path
    for page in PAGES.pages:
        if page.method != "GET" or page.policy is not Policy.DISCLOSES:
            continue
        path = page.path.format(**NAMED)
        allowed = {bare(path, rights) for rights in WHO if page.right in rights}
        refused = {bare(path, rights) for rights in WHO if page.right not in rights}
        assert [len(allowed), len(refused)] == [1, 1], path
        assert ({status for status, _ in allowed}, {status for status, _ in refused}) == ({200}, {403}), path
