"""Synthetic people of Hong Kong, Macao and Guangdong, and how several systems write them down.

Pure: the generator of chance is made from a seed or given. People come by the tables of
``kintung.definitions``; see ``docs/how-to/make-synthetic-people.md``.
"""

from kintung.synth.appearances import MOST_APPEARANCES, MOST_RATES, Appearance, appearances
from kintung.synth.chance import Chance, seeded
from kintung.synth.numbers import MOST_PEOPLE
from kintung.synth.people import Person, people

__all__ = [
    "MOST_APPEARANCES",
    "MOST_PEOPLE",
    "MOST_RATES",
    "Appearance",
    "Chance",
    "Person",
    "appearances",
    "people",
    "seeded",
]
