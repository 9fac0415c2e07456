"""Compile the YAML definitions to the JSON that a node reads.

    compile_definitions.py [--check]

PyYAML takes 40 ms to import, so a node does not read YAML. Each folder of definitions becomes
one file in ``compiled/``. What YAML lets pass is refused here: a member given twice (YAML
keeps the last) and values whose JSON would be another thing. Shapes are checked when
``kintung.definitions`` loads the result, which is done at the end.

With ``--check`` nothing is written; a file that is not what its YAML says is named and the
exit status is 1.
"""

import argparse
import sys
from collections.abc import Hashable
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import yaml

DEFINITIONS = Path(__file__).parents[1] / "src/kintung/definitions"
FOLDERS = (
    "code_names", "corruptions", "matching", "measurements", "name_frequencies", "names", "naming_systems",
    "ownership", "population", "seeds", "subscription_topics", "units",
)  # fmt: skip


class Refused(Exception):
    """A definition that cannot be compiled."""


class _Strict(yaml.SafeLoader):
    """A safe loader that refuses a member given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) != len(node.value):
            raise yaml.YAMLError(f"a member is given twice {node.start_mark}")
        return mapping


def parse(text: str) -> Any:
    """Parse one definition.

    Raises:
        Refused: not YAML, a member given twice, a member name that is not text (an unquoted
            ``no`` or ``1``), or a number with a fraction (an amount is quoted).
    """
    try:
        value: Any = yaml.load(text, Loader=_Strict)
    except yaml.YAMLError as error:
        raise Refused(" ".join(str(error).split())) from error
    _refuse_misread(value, "$")
    return value


def compiled(folder: str) -> bytes:
    """Return the JSON of a folder: a definition a line, by file name."""
    lines: list[bytes] = []
    for path in sorted((DEFINITIONS / folder).glob("*.yaml")):
        try:
            definition = parse(path.read_text("utf-8"))
        except Refused as error:
            raise Refused(f"definitions/{folder}/{path.name}: {error}") from error
        lines.append(msgspec.json.encode(path.name) + b": " + msgspec.json.encode(definition))
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def _refuse_misread(value: Any, path: str) -> None:
    match value:
        case dict():
            for name, member in value.items():
                if not isinstance(name, str):
                    raise Refused(f"the member {name!r} of {path} is not text; quote it")
                _refuse_misread(member, f"{path}.{name}")
        case list():
            for index, item in enumerate(value):
                _refuse_misread(item, f"{path}[{index}]")
        case bool() | int() | str() | date() | None:
            pass
        case _:
            raise Refused(f"{path} is a {type(value).__name__}; quote it")


def _load() -> None:
    """Read what was compiled; what has the wrong shape is refused."""
    import_module("kintung.definitions")
    import_module("kintung.definitions.code_names").code_names()
    import_module("kintung.definitions.corruptions").corruptions()
    import_module("kintung.definitions.name_frequencies").given_names()
    import_module("kintung.definitions.measurements").measurements()
    import_module("kintung.definitions.names").name_definitions()
    import_module("kintung.definitions.population").shares()
    import_module("kintung.definitions.seeds").seed_map()
    import_module("kintung.definitions.units").words()


def main() -> int:
    parser = argparse.ArgumentParser(description="Compile the YAML definitions to JSON")
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = False
    for folder in FOLDERS:
        target, text = DEFINITIONS / f"compiled/{folder}.json", compiled(folder)
        if target.exists() and target.read_bytes() == text:
            continue
        stale = True
        if check:
            print(f"{target} is not what definitions/{folder}/ says; run scripts/compile_definitions.py")
        else:
            target.write_bytes(text)
    _load()
    return int(check and stale)


if __name__ == "__main__":
    sys.exit(main())
