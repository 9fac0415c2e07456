"""Debian's Chromium, driven by playwright, and whether it is there."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

HOW_TO_INSTALL = (
    "Chromium or its Chinese fonts are missing: install both "
    "(Debian: sudo apt-get install chromium fonts-noto-cjk), then run this again."
)
_QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--metrics-recording-only",
)
"""It asks nobody but the node; --no-sandbox because root starts no other."""


def executable() -> str | None:
    """The path of Chromium; None where it is missing."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def has_fonts() -> bool:
    """Whether Chinese characters have glyphs here."""
    lister = shutil.which("fc-list")
    if lister is None:
        return False
    return bool(subprocess.run([lister, ":lang=zh-hk", "family"], capture_output=True, check=False).stdout)


def is_ready() -> bool:
    """Whether pages can be shown as readers see them."""
    return executable() is not None and has_fonts()


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable(), args=list(_QUIET))
        yield opened
        opened.close()
