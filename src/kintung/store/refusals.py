"""What every store says when it refuses: the same words, so that no answer tells which one it is."""

from kintung.errors import Deleted, NotFound, VersionConflict


def absent(type: str, id: str, version_id: int | None = None) -> NotFound:
    """One answer for absent and hidden."""
    version = "" if version_id is None else f"/_history/{version_id}"
    return NotFound(f"{type}/{id}{version} is not known.", path=type)


def deleted(type: str, id: str) -> Deleted:
    """The last version is a deletion that the reader could see."""
    return Deleted(f"{type}/{id} was deleted.", path=type)


def out_of_reach(type: str, id: str) -> NotFound:
    """What a write changes or labels is absent, or hidden from the reader of the unit."""
    return NotFound(f"There is no {type}/{id} here that you may change.")


def moved_on(type: str, id: str) -> VersionConflict:
    """A write does not follow the version the reader sees."""
    return VersionConflict(f"{type}/{id} is at another version now; read it again and repeat the change.")


def written_twice() -> VersionConflict:
    """A unit writes a resource once."""
    return VersionConflict("One resource was to be written twice at once; write it once.")
