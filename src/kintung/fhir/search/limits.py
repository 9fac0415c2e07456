"""Bounds on what one search may ask."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """Bounds on what one search may ask.

    ``parameters`` and ``values`` (alternatives of one parameter) and ``value_length``
    (characters of one alternative) and ``length`` (characters of names and values together)
    refuse what is over; ``count`` is lowered to the limit; an ``estimated`` total ends there.
    ``cost`` bounds what all parameters ask together: each costs its different alternatives and
    ``_STANDING``, a chain that for each type it may lead to, a composite a multiple of that; a name
    costs the other forms it is sought in as well.
    ``links`` are those of one chain, forward and back. ``words`` are those looked for in texts,
    ``bodies`` what is opened for it (``Query.most_bodies``).
    """

    parameters: int = 100
    values: int = 500
    value_length: int = 4_096
    length: int = 1_000_000
    cost: int = 5_000
    links: int = 3
    sort_keys: int = 10
    words: int = 50
    bodies: int = 5_000
    count: int = 1_000
    estimated: int = 10_000
    default_count: int = 20


SEARCH_LIMITS = SearchLimits()
