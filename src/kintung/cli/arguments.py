"""Kinds of arguments that argparse does not know."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from kintung.errors import BadInput
from kintung.subscriptions import allowed

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # pyright: ignore[reportPrivateUsage]
"""Where a command adds its parser; argparse has no public name for it."""

_BASE = re.compile(r"https?://[^/?#\s]+[^?#\s]*")
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
"""An origin as browsers write it: no path, not even a slash, and letters small."""


def number_between(least: int, most: int) -> Callable[[str], int]:
    """A type of argument: a whole number, both bounds allowed."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")

    return parse


def add_notified(parser: argparse.ArgumentParser) -> None:
    """The options ``--notify-origin`` and ``--notify-network``."""
    parser.add_argument(
        "--notify-origin",
        type=_origin,
        action="append",
        default=[],
        metavar="ORIGIN",
        help="where Subscriptions may be sent, such as https://ward.example.hk; may be given several times",
    )
    parser.add_argument(
        "--notify-network",
        type=_network,
        action="append",
        default=[],
        metavar="NETWORK",
        help="in which addresses of these origins may be that are not public, such as 10.20.0.0/16",
    )


def add_fonts(parser: argparse.ArgumentParser) -> None:
    """The option ``--fonts``."""
    parser.add_argument(
        "--fonts",
        type=_folder,
        default="",
        metavar="FOLDER",
        help="fonts for PDFs, besides those of the system",
    )


def _folder(text: str) -> str:
    path = Path(text).resolve()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return str(path)


def _origin(text: str) -> str:
    return _accepted(text, [text], [])


def _network(text: str) -> str:
    return _accepted(text, [], [text])


def _accepted(text: str, origins: list[str], networks: list[str]) -> str:
    try:
        allowed(origins, networks)
    except BadInput as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None
    return text


def add_base_url(parser: argparse.ArgumentParser) -> None:
    """The option ``--base-url``: the address of the FHIR API, kept without a slash at its end."""
    parser.add_argument(
        "--base-url",
        type=_base_url,
        default="",
        metavar="URL",
        help="address of the FHIR API as clients know it; references under it are stored as local ones",
    )


def origin(text: str) -> str:
    """A type of argument: an origin as browsers write it. ``*`` is none: a node is not for every page."""
    if _ORIGIN.fullmatch(text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is not an origin such as https://app.example.hk")


def _base_url(text: str) -> str:
    if not text or _BASE.fullmatch(text):
        return text.rstrip("/")
    raise argparse.ArgumentTypeError(f"{text!r} is not an address such as https://record.example.hk/fhir")
