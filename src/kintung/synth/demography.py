"""Who there is: regions, sexes and ages by the tables, and families of people whose ages fit.

Nothing is left to chance in how many there are of a region, sex and age group: each next person
goes to the group that is furthest behind its share (Webster's method of apportionment), so any
population is within one person of the tables in every group. Chance orders them and gives the
rest.
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from operator import attrgetter
from typing import NamedTuple

from kintung.definitions.population import Sex, ages, shares
from kintung.synth.chance import Chance
from kintung.synth.numbers import Region

AS_OF = date(2026, 6, 30)
"""The day that ages are counted on."""

REGIONS: tuple[Region, ...] = ("hong-kong", "hong-kong-in-guangdong", "macao", "guangdong")

GROWN = 25
OLDEST_MOTHER, YOUNGEST_MOTHER = 42, 20
MOST_CHILDREN = 3


class Group(NamedTuple):
    """People of a region, a sex and an age group; ``ages`` are both included."""

    region: Region
    sex: Sex
    ages: tuple[int, int]


@dataclass(eq=False, slots=True)
class Being:
    """A person before names and numbers."""

    group: Group
    age: int
    born: date
    family: "Family" = field(init=False)
    married: bool = False


@dataclass(eq=False, slots=True)
class Family:
    """People who share an address: a couple and children, or one alone. ``members`` in order of age."""

    members: list[Being] = field(default_factory=list[Being])
    mother_age: int = -1

    def add(self, being: Being) -> None:
        self.members.append(being)
        being.family = self


def shares_of_groups() -> dict[Group, float]:
    """Return the share of each group in a population; they add to one."""
    found: dict[Group, float] = {}
    for region in REGIONS:
        rows = ages(region).rows
        total = sum(row.people for row in rows)
        share = float(shares()[f"region-{region}"].share)
        found |= {Group(region, row.sex, row.ages): share * row.people / total for row in rows}
    return found


def apportioned(chance: Chance) -> Iterator[Group]:
    """Yield the group of each next person, without end."""
    behind = [
        (chance.random() / share, index, group)
        for index, (group, share) in enumerate(shares_of_groups().items())
    ]
    steps = {group: 1 / share for group, share in shares_of_groups().items()}
    heapq.heapify(behind)
    while True:
        at, index, group = behind[0]
        yield group
        heapq.heapreplace(behind, (at + steps[group], index, group))


def families(beings: list[Being], chance: Chance) -> list[Family]:
    """Put people of all regions into families of their region: couples, children with them, others alone."""
    found: list[Family] = []
    for region in REGIONS:
        of_region = [being for being in beings if being.group.region == region]
        found += _families(of_region, chance)
    return found


def being(group: Group, chance: Chance) -> Being:
    """A person of a group: an age evenly within it, but the open group of the oldest, which thins out."""
    low, high = group.ages
    if high == 99:
        age = min(low + int(chance.expovariate(1 / 9)), high)
    else:
        age = low + int(chance.random() * (high - low + 1))
    return Being(group, age, _birthday(age, chance))


def _birthday(age: int, chance: Chance) -> date:
    """A day on which somebody was born who has this age."""
    return AS_OF.replace(year=AS_OF.year - age) - timedelta(days=int(chance.random() * 365))


def _families(beings: list[Being], chance: Chance) -> list[Family]:
    share = float(shares()["married"].share)
    couples = _couples(
        [one for one in beings if one.age >= GROWN and one.group.sex == "male" and chance.random() < share],
        [one for one in beings if one.age >= GROWN and one.group.sex == "female" and chance.random() < share],
        chance,
    )
    at_home = float(shares()["child-with-parents"].share)
    mothers = sorted(couples, key=attrgetter("mother_age"))
    mother_ages = [couple.mother_age for couple in mothers]
    for child in beings:
        if child.age < GROWN and chance.random() < at_home:
            _take_in(child, mothers, mother_ages, chance)
    alone: list[Family] = []
    for one in beings:
        if not hasattr(one, "family"):
            alone.append(Family())
            alone[-1].add(one)
    return couples + alone


def _couples(men: list[Being], women: list[Being], chance: Chance) -> list[Family]:
    """Husbands are some two years older; whoever is left over stays alone."""
    husbands = sorted(men, key=lambda man: man.age + chance.gauss(-2, 2))
    wives = sorted(women, key=lambda woman: woman.age + chance.gauss(0, 2))
    # Where there are more of one sex, those without a partner are spread over all ages.
    pairs = min(len(husbands), len(wives))
    found: list[Family] = []
    for nth in range(pairs):
        husband, wife = husbands[nth * len(husbands) // pairs], wives[nth * len(wives) // pairs]
        husband.married = wife.married = True
        family = Family(mother_age=wife.age)
        family.add(husband)
        family.add(wife)
        found.append(family)
    return found


def _take_in(child: Being, mothers: list[Family], ages: list[int], chance: Chance) -> None:
    """Give a child to a couple whose wife was of an age to bear it, if there is one with room."""
    low = bisect_left(ages, child.age + YOUNGEST_MOTHER)
    high = bisect_left(ages, child.age + OLDEST_MOTHER + 1)
    for _ in range(4 if high > low else 0):
        family = mothers[low + int(chance.random() * (high - low))]
        if len(family.members) < 2 + MOST_CHILDREN:
            for sibling in family.members[2:]:
                if sibling.age == child.age:
                    child.born = sibling.born  # two of one age are twins
            family.add(child)
            return
