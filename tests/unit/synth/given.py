"""People and drafts that tests look at: some thousands, made once."""

from functools import cache
from itertools import islice
from random import Random

from kintung.definitions.population import systems
from kintung.synth import Person, people
from kintung.synth.appearances import draft
from kintung.synth.draft import Draft

SEED = 20221019


@cache
def some_people(count: int = 4_000) -> tuple[Person, ...]:
    return tuple(people(SEED, count))


def drafts(count: int = 4_000) -> list[Draft]:
    """One draft of each person, the systems taken in turn."""
    chance, every = Random(SEED), list(systems().values())
    return [
        draft(person, every[nth % len(every)], nth % 5, chance)
        for nth, person in enumerate(islice(some_people(), count))
    ]
