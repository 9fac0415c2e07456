"""What the pages that find a person do, for the registry of pages."""

from kintung.web.pages.find.find import ask, find
from kintung.web.pages.registry import Carries, Shows

FIND = Shows(find)
ASK = Carries(ask)
