"""What the registry of pages takes of this package."""

from kintung.web.pages.record.attachments import attached
from kintung.web.pages.record.days import dated
from kintung.web.pages.record.document import document
from kintung.web.pages.record.item import item
from kintung.web.pages.record.record import record
from kintung.web.pages.record.timeline import timeline
from kintung.web.pages.registry import Prints, Shows

RECORD = Shows(dated(record))
DOCUMENT = Prints(dated(document))
TIMELINE = Shows(dated(timeline))
ITEM = Shows(dated(item))
CONTENT = Shows(attached)
