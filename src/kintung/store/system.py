"""The capability of what must bypass a person's Reader: check, export, followers, reindex.

Created only in ``kintung.app``; an import contract keeps it out of reach of ``kintung.web``.
"""

from typing import final


@final
class System:
    """Proof that the caller is a part of the node and not a request."""

    __slots__ = ("purpose",)

    def __init__(self, purpose: str) -> None:
        self.purpose = purpose
