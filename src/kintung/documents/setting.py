"""Set one document: the program of a process of its own, run by ``press.py``.

Takes JSON on standard input and writes the PDF to standard output: bounded in time and memory, with nothing
but the fonts it is told of. It says nothing of what it sets: exit code 3 is a character that no font has,
4 any other refusal of typst, with the line of the template on standard error.

The PDF is PDF/UA-1 (ISO 14289-1): tagged, with a title and a language; a chart says what it is of. To that
belongs that each character has its glyph, so that typst refuses what would be an empty box.
"""

import json
import re
import resource
import sys
from pathlib import Path

LACKING, REFUSED = 3, 4
OWN = str(Path(__file__).parent)
"""The only folder that a template could read in: of this program, with nothing of a record."""
MEMORY = 1024**3
"""Bytes of address space; a record of a thousand resources takes 0.3 GB, with the program and the fonts."""


def main() -> int:
    asked = json.load(sys.stdin.buffer)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (asked["seconds"], asked["seconds"]))
    from typst import Fonts, TypstError, compile  # noqa: PLC0415 - within the bounds

    try:
        pdf = compile(
            asked["source"].encode(),
            font_paths=Fonts(False, False, asked["folders"]),
            sys_inputs={"data": json.dumps(asked["data"])},
            pdf_standards="ua-1",
            root=OWN,
            timestamp=asked["made"],
        )
    except TypstError as error:
        # Its words may be those of a record: what leaves is where in our template it was.
        where = re.search(r"\.typ:(\d+:\d+)", error.diagnostic)
        sys.stderr.write(where[1] if where else "nowhere")
        return LACKING if "could not be displayed" in error.message else REFUSED
    sys.stdout.buffer.write(pdf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
