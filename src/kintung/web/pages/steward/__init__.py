"""The steward's pages: the pairs that wait, records by name, a pair side by side, what is decided of it."""

from kintung.web.pages.registry import Acts, Shows
from kintung.web.pages.steward.decision import confirmation, decide
from kintung.web.pages.steward.find import find
from kintung.web.pages.steward.pair import pair
from kintung.web.pages.steward.queue import queue

QUEUE = Shows(queue)
PAIR = Shows(pair)
FIND = Shows(find)
DECISION = Shows(confirmation)
DECIDE = Acts(decide)

__all__ = ["DECIDE", "DECISION", "FIND", "PAIR", "QUEUE"]
