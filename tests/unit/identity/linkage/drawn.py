"""Records of a few names, dates and numbers, so that many agree in one thing or another."""

from kintung.identity.matching import Record, record
from tests.property.identity.matching.given import BIRTHS, NAMES, NUMBERS, PHONES, PLACES
from tests.scale import seeded


def drawn(count: int) -> list[Record]:
    chance = seeded("records for Splink")
    return [
        record(
            {
                "resourceType": "Patient",
                "id": f"p{index}",
                "name": chance.sample(NAMES, chance.randrange(3)),
                "identifier": chance.sample(NUMBERS, chance.randrange(3)),
                "birthDate": chance.choice([*BIRTHS, None]),
                "gender": chance.choice(["male", "female", None]),
                "telecom": chance.sample(PHONES, chance.randrange(2)),
                "address": chance.sample(PLACES, chance.randrange(2)),
            }
        )
        for index in range(count)
    ]
