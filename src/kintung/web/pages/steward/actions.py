"""What the pages of the steward do, for the registry of pages."""

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
