"""Elements of a resource that may be anything: what is not of the expected shape is passed over."""

from typing import Any, cast


def listed(value: Any, most: int) -> list[Any]:
    """The first items of a list; none of anything else."""
    return cast("list[Any]", value)[:most] if isinstance(value, list) else []


def objects(value: Any, most: int) -> list[dict[str, Any]]:
    """Those of the first items of a list that are objects."""
    return [cast("dict[str, Any]", each) for each in listed(value, most) if isinstance(each, dict)]
