"""Make a PDF of data: in a process of its own, with bounds, one answer or a plain refusal.

A process, because typst in a thread can be neither stopped nor bounded, keeps what it has set, and would end
a worker with it where a text made it fail.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from kintung.documents import setting, texts
from kintung.documents.fonts import FAMILIES, Script, chosen, faces, family
from kintung.errors import NotEquipped, TimedOut, Unavailable

_PROGRAM = Path(setting.__file__)


class Press:
    """Makes documents, so many at once, each within so many seconds.

    ``fonts`` is a folder of fonts besides those of the system, "" for none.
    """

    def __init__(self, fonts: str, seconds: float, at_once: int) -> None:
        self._folder = fonts
        self._seconds = seconds
        self._places = BoundedSemaphore(at_once)

    def is_ready(self, script: Script) -> bool:
        """Are the program and the fonts of a region there?"""
        return bool(family(script, self._folder))

    def require_ready(self, script: Script) -> None:
        """Refuse what cannot be made here.

        Raises:
            NotEquipped: the extra ``reports`` or the fonts of a region are not installed.
        """
        if not faces(self._folder):
            raise NotEquipped("Documents need the extra reports: pip install 'kintung[reports]'.")
        if not self.is_ready(script):
            raise NotEquipped(
                f"Documents need a font of {FAMILIES[script][0]} or its like; Debian: fonts-noto-cjk."
            )

    def pdf(
        self, source: str, data: dict[str, Any], drawings: Sequence[str], script: Script, made: int
    ) -> bytes:
        """The PDF of a template and what it shows.

        Args:
            source: of the template, in typst; it finds the data as JSON in ``sys.inputs.data``: as
                ``said`` what is given here, its texts made fit, as ``drawings`` these, as ``fonts`` the
                families to set it in, as ``lacking`` whether characters are written by their number.
            drawings: SVG of our own, with no text of a record.
            made: when it is made, in seconds.

        Raises:
            NotEquipped: as :meth:`require_ready`.
            TimedOut: it took too long, or too much.
            Unavailable: as many documents are being made as may be at once.
        """
        self.require_ready(script)
        if not self._places.acquire(blocking=False):
            raise Unavailable("Other documents are being made; try again in a while.")
        try:
            fitted = texts.fit(data)
            for is_alone in (False, True):
                fonts = chosen(texts.characters(fitted), script, self._folder, is_alone=is_alone)
                shown = {
                    "said": texts.breaking(texts.numbered(fitted, fonts.lacking)),
                    "drawings": list(drawings),
                    "fonts": fonts.families,
                    "lacking": bool(fonts.lacking),
                }
                done = self._set(
                    {"source": source, "data": shown, "folders": fonts.folders, "made": made,
                     "seconds": ceil(self._seconds)}
                )  # fmt: skip
                if done.returncode != setting.LACKING:
                    break
        finally:
            self._places.release()
        if done.returncode < 0:
            raise TimedOut("The document took more than it may; try again later.")
        if done.returncode != 0:
            where = done.stderr.decode(errors="replace")[:20]
            raise RuntimeError(f"typst refused the template at {where}")
        return done.stdout

    def _set(self, asked: dict[str, Any]) -> "subprocess.CompletedProcess[bytes]":
        """Run the program; isolated, so that neither this folder nor the environment says what it is."""
        try:
            return subprocess.run(  # noqa: S603 - our own program; what it is told comes by standard input
                [sys.executable, "-I", str(_PROGRAM)],
                input=json.dumps(asked).encode(),
                capture_output=True,
                timeout=self._seconds,
                check=False,
                cwd="/",
                env={"PATH": os.defpath, "RAYON_NUM_THREADS": "1"},
            )
        except subprocess.TimeoutExpired:
            raise TimedOut("The document took too long; try again later.") from None
