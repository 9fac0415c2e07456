"""What pages bring along, under names that change with the bytes, so that browsers may keep them for ever."""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from kintung.errors import NotFound

MOUNT = "/assets"
MOST_BYTES = 60_000
"""Style sheets and scripts together."""
_FOLDER = files("kintung.web.pages") / "assets"
_TYPES = {
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
}


class Asset(NamedTuple):
    """A file of ``assets/``; ``address`` holds the hash of its bytes."""

    address: str
    type: bytes
    body: bytes


STYLES = ("tokens", "frame", "forms", "lists", "pieces", "find", "record", "steward", "seeds", "api", "print")
"""The parts of the one style sheet, in the order they are joined: of two rules alike the later holds."""


def part(name: str) -> bytes:
    """One part of the style sheet, as it is written in ``assets/styles``."""
    return (_FOLDER / "styles" / f"{name}.css").read_bytes()


def _asset(name: str) -> Asset:
    body = b"".join(map(part, STYLES)) if name == "kintung.css" else (_FOLDER / name).read_bytes()
    stem, _, ending = name.rpartition(".")
    return Asset(f"{MOUNT}/{stem}.{sha256(body).hexdigest()[:16]}.{ending}", _TYPES[ending], body)


@cache
def assets() -> dict[str, Asset]:
    """Every asset, by its address."""
    return {asset.address: asset for asset in (_asset("kintung.css"), _asset("mark.svg"), _asset("find.js"))}


def asset(address: str) -> Asset:
    """The asset at an address; raises NotFound where there is none."""
    found = assets().get(address)
    if found is None:
        raise NotFound("There is nothing at this address.")
    return found


STYLE = next(address for address in assets() if address.endswith(".css"))
"""Address of the one style sheet."""
MARK = next(address for address in assets() if address.endswith(".svg"))
"""Address of the icon."""
FIND = next(address for address in assets() if address.endswith(".js"))
"""Address of the script that finds people while a name is typed."""
