"""Documents for paper, as PDF: set by typst in a process of its own, in fonts that have every character.

Needs the extra ``reports``; a node without it, or without fonts, says so and makes none.
"""

from kintung.documents.fonts import FAMILIES, Script
from kintung.documents.press import Press

__all__ = ["FAMILIES", "Press", "Script"]
