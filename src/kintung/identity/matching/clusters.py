"""Persons out of links: sets of records, whatever the order in which links came."""

from collections.abc import Iterable


def clusters(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Give for each record of a link the least id among all it is linked to, directly or not."""
    parent: dict[str, str] = {}

    def root(each: str) -> str:
        while parent.setdefault(each, each) != each:
            parent[each] = each = parent[parent[each]]
        return each

    for one, other in links:
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    return {each: root(each) for each in parent}
