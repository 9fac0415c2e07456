"""People and drafts that tests look at: some thousands, made once."""

from functools import cache
from itertools import islice
from random import Random

from kintung.definitions.population import systems
from kintung.synth import Person, people
from kintung.synth.appearances import draft
from kintung.synth.draft import Draft

SEED = 20221019
NOT_ISSUED = {
    "hkid": r"QZ[0-9]{6}[0-9A]",
    "hk-birth-certificate": r"QZ[0-9]{6}[0-9A]",
    "hk-certificate-of-exemption": r"SYN[0-9]{6}",
    "ehr-number": r"SYN[0-9]{9}",
    "mainland-id": r"9999[0-9]{13}[0-9X]",
    "mainland-residence-permit": r"810000[0-9]{8}9[0-9]{2}[0-9X]",
    "home-return-permit": r"[HM]99[0-9]{6}",
    "exit-entry-permit": r"CZ[0-9]{7}",
    "macao-bir": r"19[0-9]{6}",
    "passport": r"ZZ9[0-9]{6}",
}
"""Normal forms of numbers that stand for nobody, by the id of their naming system."""


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
