"""The seed map: each quotation stands in its document, each claim has its test and its screen or call."""

import ast
import re
from pathlib import Path

import msgspec
import pytest

from kintung.definitions.reader import decode, read
from kintung.definitions.seeds import CLAIMS, File, PolicySystem, Seed, load_seeds, seed_map
from kintung.errors import KintungError, ValueInvalid
from kintung.web.fhir.interactions import REGISTRY
from kintung.web.fhir.registry import Registry
from kintung.web.pages.pages import PAGES
from tests.shared_data import shared_document

ROOT = Path(__file__).resolve().parents[3]
SYSTEMS = seed_map().systems
CLAIMING = [system for system in SYSTEMS if system.state in CLAIMS]
SCREENS = frozenset(page.path for page in PAGES.pages if page.method == "GET" and page.name != "asset")


def number(system: PolicySystem) -> str:
    return f"{system.number}"


def bare(text: str) -> str:
    """Without white space: the documents break lines inside words."""
    return "".join(text.split())


def paragraph(text: str, at: str) -> str:
    """The numbered paragraph ``§12`` of a document, else all of it."""
    if not at.startswith("§"):
        return text
    begins = {int(found[1]): found.start() for found in re.finditer(r"^(\d+)\. ", text, re.MULTILINE)}
    wanted = int(at.removeprefix("§"))
    return text[begins[wanted] : begins.get(wanted + 1, len(text))]


def function_names(file: Path) -> set[str]:
    """The tests that stand in a file."""
    return {
        node.name
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def missing(system: PolicySystem, root: Path = ROOT, screens: frozenset[str] = SCREENS) -> list[str]:
    """What a system names that is not there: tests, screens, calls."""
    gone = [screen for screen in system.screens if screen not in screens]
    gone += [call for call in system.calls if not is_offered(call)]
    for test in system.tests:
        file, _, name = test.partition("::")
        if not (root / file).is_file() or name not in function_names(root / file):
            gone.append(test)
    return gone


def is_offered(call: str, registry: Registry = REGISTRY) -> bool:
    """Whether the API takes a call; ``{type}`` stands for any type."""
    method, _, address = call.partition(" ")
    mount, _, path = address.removeprefix("/").partition("/")
    try:
        registry.find(method, path.replace("{type}", "Patient"))
    except KintungError:
        return False
    return mount == "fhir"


def test_all_systems_are_there() -> None:
    assert [system.number for system in SYSTEMS] == list(range(1, 50))
    assert set(seed_map().documents) == {"000", "001", "002", "003", "004"}
    assert sum(seed_map().counts().values()) == len(SYSTEMS)


@pytest.mark.parametrize("id", sorted(seed_map().documents))
def test_quotations_stand_in_their_document_word_for_word(id: str) -> None:
    text = shared_document(id)
    cited = [seed for system in SYSTEMS for seed in system.seeds if seed.document == id]
    assert len(cited) > 10
    astray = [seed for seed in cited if bare(seed.quote) not in bare(paragraph(text, seed.at))]
    assert astray == []


def test_a_quotation_is_short_and_of_words() -> None:
    assert {
        seed.quote for system in SYSTEMS for seed in system.seeds if not 6 <= len(seed.quote) <= 90
    } == set()


@pytest.mark.parametrize("system", CLAIMING, ids=number)
def test_what_claims_to_work_names_tests_screens_and_calls_that_exist(system: PolicySystem) -> None:
    assert missing(system) == []


def test_planted_claims_are_found() -> None:
    claim = msgspec.structs.replace(
        SYSTEMS[0],
        screens=("/nowhere", "/steward"),
        calls=("GET /fhir/Nothing/{id}", "DELETE /fhir/metadata", "GET /elsewhere/Patient", "POST /fhir"),
        tests=("tests/absent.py::test_it", f"{Path(__file__).relative_to(ROOT)}::test_nothing_of_the_kind"),
    )
    assert missing(claim) == [
        "/nowhere",
        "GET /fhir/Nothing/{id}",
        "DELETE /fhir/metadata",
        "GET /elsewhere/Patient",
        "tests/absent.py::test_it",
        "tests/unit/definitions/test_seeds.py::test_nothing_of_the_kind",
    ]


def test_paragraphs_are_parted() -> None:
    text = "1. one\ntwo\n2. three\n3. four\n"
    assert bare(paragraph(text, "§1")) == "1.onetwo"
    assert bare(paragraph(text, "§3")) == "3.four"
    assert paragraph(text, "一.2") == text


def one(**changes: object) -> dict[str, File]:
    """A map of one system and one document, changed."""
    sound = msgspec.structs.replace(SYSTEMS[0], **changes)
    return {"a.yaml": File(tuple(seed_map().documents.values()), (sound,))}


def test_a_sound_map_is_read() -> None:
    assert load_seeds(one()).systems == (SYSTEMS[0],)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"number": 2}, "not 1 to 1"),
        ({"seeds": (Seed("009", "§1", "字"),)}, "cites 009, which is no document"),
        ({"seeds": ()}, "cites no document"),
        ({"lives_in": ()}, "lives nowhere"),
        ({"tests": ()}, "names no test"),
        ({"calls": (), "screens": ()}, "no screen and no call"),
        ({"says": None}, "does not say how"),
        ({"state": "planned"}, "names tests, screens or calls"),
        ({"state": "no-software", "tests": (), "calls": (), "screens": (), "says": None}, "does not say how"),
    ],
)
def test_a_map_that_contradicts_itself_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueInvalid, match=said):
        load_seeds(one(**changes))


@pytest.mark.parametrize("member", ["state: done", "lives_in: [somewhere]", "stat: works", "since: soon"])
def test_the_reader_is_strict(member: str) -> None:
    name, _, value = member.partition(": ")
    system = {**msgspec.to_builtins(SYSTEMS[0]), name: [value.strip("[]")] if "[" in value else value}
    text = msgspec.json.encode({"a.yaml": {"systems": [system]}})
    with pytest.raises(ValueInvalid):
        decode("seeds", text, File)


def test_each_number_stands_in_one_file() -> None:
    files = read("seeds", File)
    assert sum(len(file.systems) for file in files.values()) == len(SYSTEMS)
