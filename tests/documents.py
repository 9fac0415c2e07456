"""PDFs read back, apart from what made them: their text, and the glyph of each character of it."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from fontTools.cffLib import CFFFontSet
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTFont
from pypdf import PageObject, PdfReader
from pypdf.generic import ContentStream

NO_INK = " \u200b\u00a0"
"""Characters that leave the paper white."""


@dataclass(frozen=True)
class Drawn:
    """A glyph on a page: what it stands for when it is copied, in which font, and how it is drawn."""

    text: str
    font: str
    glyph: int
    outline: tuple[Any, ...]


class Document:
    """A PDF."""

    def __init__(self, body: bytes) -> None:
        self.reader = PdfReader(io.BytesIO(body))
        self.root: Any = self.reader.trailer["/Root"]

    @property
    def text(self) -> str:
        """All it says, as who selects all of it copies it; without places to break at."""
        return "\n".join(page.extract_text() for page in self.reader.pages).replace("\u200b", "")

    @property
    def in_a_line(self) -> str:
        return " ".join(self.text.split())

    @property
    def squeezed(self) -> str:
        """Without any space: where lines end does not matter."""
        return "".join(self.text.split())

    def drawn(self) -> Iterator[Drawn]:
        """Every glyph of every page, in the order they are drawn."""
        for page in self.reader.pages:
            yield from _drawn(page)

    def tongues(self) -> set[str]:
        """The languages that parts of it are said to be in, beside its own."""
        parts = [
            str(operands[1]["/Lang"])
            for page in self.reader.pages
            for operands, operator in _operations(page)
            if operator == b"BDC" and "/Lang" in operands[1]
        ]
        return {*parts, *_languages(self.root["/StructTreeRoot"])}

    def descriptions(self) -> list[str]:
        """What its pictures tell who cannot see them."""
        return [
            str(operands[1]["/Alt"])
            for page in self.reader.pages
            for operands, operator in _operations(page)
            if operator == b"BDC" and "/Alt" in operands[1]
        ]


def _languages(element: Any) -> Iterator[str]:
    """Of an element of the structure and those in it. Source: ISO 32000-1, section 14.7.2."""
    it = element.get_object()
    if isinstance(it, list):
        for each in cast(list[Any], it):
            yield from _languages(each)
    elif isinstance(it, dict):
        if "/Lang" in it:
            yield str(it["/Lang"])
        if "/K" in it:
            yield from _languages(it["/K"])


class _Font:
    def __init__(self, font: Any) -> None:
        descendant = font["/DescendantFonts"][0].get_object()
        descriptor = descendant["/FontDescriptor"].get_object()
        assert font["/Encoding"] == "/Identity-H"
        self.name = str(font["/BaseFont"])
        self._texts = dict(_texts(font["/ToUnicode"].get_object().get_data().decode()))
        self._outlines: dict[int, tuple[Any, ...]] = {}
        if "/FontFile3" in descriptor:
            fonts = CFFFontSet()
            fonts.decompile(io.BytesIO(descriptor["/FontFile3"].get_object().get_data()), None)
            top = fonts[0]
            self._names, self._glyphs = top.charset, top.CharStrings
        else:
            file = TTFont(io.BytesIO(descriptor["/FontFile2"].get_object().get_data()))
            self._names, self._glyphs = file.getGlyphOrder(), file.getGlyphSet()

    def drawn(self, code: int) -> Drawn:
        if code not in self._outlines:
            pen = RecordingPen()
            self._glyphs[self._names[code]].draw(pen)
            self._outlines[code] = tuple(pen.value)
        return Drawn(self._texts.get(code, ""), self.name, code, self._outlines[code])


def _texts(cmap: str) -> Iterator[tuple[int, str]]:
    """What the codes of a font stand for. Source: ISO 32000-1, section 9.10.3."""
    for block in re.findall(r"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        for code, text in re.findall(r"<(\w+)>\s*<(\w*)>", block):
            yield int(code, 16), bytes.fromhex(text).decode("utf-16-be")
    for block in re.findall(r"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, text in re.findall(r"<(\w+)>\s*<(\w+)>\s*<(\w+)>", block):
            start = bytes.fromhex(text).decode("utf-16-be")
            for step in range(int(last, 16) - int(first, 16) + 1):
                yield int(first, 16) + step, start[:-1] + chr(ord(start[-1]) + step)


def _operations(page: PageObject) -> Iterator[tuple[Any, bytes]]:
    contents = page.get_contents()
    assert contents is not None
    yield from ContentStream(contents, page.pdf).operations


def _drawn(page: PageObject) -> Iterator[Drawn]:
    resources: Any = page["/Resources"]
    assert "/XObject" not in resources, "what stands in a form of its own is not looked into here"
    fonts = {name: _Font(font.get_object()) for name, font in resources["/Font"].items()}
    font: _Font | None = None
    for operands, operator in _operations(page):
        if operator == b"Tf":
            font = fonts[operands[0]]
        if operator in (b"TJ", b"Tj"):
            assert font is not None
            for part in operands[0] if operator == b"TJ" else operands:
                if not isinstance(part, int | float):
                    codes = part.original_bytes
                    for place in range(0, len(codes), 2):
                        yield font.drawn(int.from_bytes(codes[place : place + 2], "big"))
