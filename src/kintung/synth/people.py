"""People who are not: names, numbers, families, addresses. The same seed gives the same people."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from kintung.definitions.population import Place, Sex, place_tables, shares
from kintung.errors import BadInput
from kintung.synth import names, numbers
from kintung.synth.chance import Chance, Weighted, seeded
from kintung.synth.demography import AS_OF, Being, Family, apportioned, being, families
from kintung.synth.names import Han, Latin
from kintung.synth.numbers import MOST_PEOPLE, BirthNumbers, Region

BLOCK = 5_000
"""People made at a time; families are of one block."""


class Telephone(NamedTuple):
    """A national number; ``country`` is a code of ISO 3166-1."""

    country: str
    number: str


class Address(NamedTuple):
    """Where somebody lives; the words of the place's own language."""

    line: tuple[str, ...]
    place: Place
    country: str


class Relative(NamedTuple):
    """What of another member of the family may stand on a record by mistake.

    ``system`` is the id of the naming system of the ``number``.
    """

    system: str
    number: str
    telephone: Telephone


@dataclass(frozen=True, slots=True)
class Person:
    """One person, as the person's own documents say.

    ``numbers`` holds normal forms by the id of the naming system. ``western`` is a part of the
    legal name, ``called`` is not. ``husband`` is the name of a married woman's husband.
    ``traits`` are what is out of the common in the person, and no mistake of anybody.
    """

    id: str
    number: int
    region: Region
    sex: Sex
    born: date
    died: date | None
    han: Han | None
    latin: Latin
    western: str
    called: str
    numbers: dict[str, str]
    telephone: Telephone
    former_telephone: Telephone
    address: Address
    former_address: Address
    husband: tuple[Han | None, Latin] | None
    relatives: tuple[Relative, ...]
    traits: tuple[str, ...]


def people(seed: int, count: int) -> Iterator[Person]:
    """Yield people, families together within a block, in an order that says nothing.

    Raises:
        BadInput: more than there are numbers for.
    """
    if not 1 <= count <= MOST_PEOPLE:
        raise BadInput(
            f"{count:,} people cannot be made; from 1 to {MOST_PEOPLE:,} can, for more there are no numbers."
        )
    return _people(seeded(seed), count)


def _people(chance: Chance, count: int) -> Iterator[Person]:
    groups = apportioned(chance)
    maker = _Maker(chance)
    for start in range(0, count, BLOCK):
        beings = [being(next(groups), chance) for _ in range(min(BLOCK, count - start))]
        made = [person for family in families(beings, chance) for person in maker.family(family)]
        chance.shuffle(made)
        yield from made


@dataclass
class _Named:
    """A being with a name and a telephone, before the family is known to it."""

    being: Being
    number: int
    han: Han | None
    latin: Latin
    traits: list[str]
    telephone: Telephone
    numbers: dict[str, str]


class _Maker:
    """Gives out names, numbers and addresses; each number once."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._count = 0
        self._cards_of_macao = 0
        """Counted apart: of these numbers there are too few to give each person of all regions another."""
        self._of_birth = BirthNumbers()
        self._telephones = 0
        self._known = {name: float(share.share) for name, share in shares().items()}

    def family(self, family: Family) -> list[Person]:
        region = family.members[0].group.region
        address, former = self._address(region), self._address(region)
        household = self._telephone(region)
        members: list[_Named] = []
        for one in family.members:
            # Children have the surname of the first member, who is their father.
            members.append(self._named(one, members[0] if one.age < 25 and members else None, household))
        return [self._person(one, members, address, former) for one in members]

    def _named(self, one: Being, father: _Named | None, household: Telephone) -> _Named:
        chance, region, sex, year = self._chance, one.group.region, one.group.sex, one.born.year
        number = self._count
        self._count += 1
        traits: list[str] = []
        if father is not None and father.han is None:
            han, latin = None, Latin(father.latin.surname, names.without_chinese(region, sex, chance).given)
        elif father is None and chance.random() < names.habits().no_chinese_name.get(region, 0.0):
            han, latin = None, names.without_chinese(region, sex, chance)
        else:
            surname = father.han.surname if father and father.han else names.surname(region, chance)
            han = Han(surname, names.given(region, sex, year, chance))
            latin, trait = self._latin(han, region, father)
            if trait:
                traits.append(trait)
        self._describe(han, traits)
        telephone = household if chance.random() < self._known["landline"] else self._telephone(region)
        return _Named(one, number, han, latin, traits, telephone, self._numbers(one, number, han))

    def _latin(self, han: Han, region: Region, father: _Named | None) -> tuple[Latin, str | None]:
        if region == "guangdong":
            return names.in_pinyin(han), None
        latin, trait = names.on_card(han, region, self._chance)
        if father is not None and "pinyin-on-card" not in (trait, *father.traits):
            # A family spells its name one way.
            return Latin(father.latin.surname, latin.given), next(iter(father.traits), None)
        return latin, trait

    def _describe(self, han: Han | None, traits: list[str]) -> None:
        if han is None:
            traits.append("no-chinese-name")
            return
        if len(han.surname) > 1:
            traits.append("compound-surname")
        if names.other_reading(han.surname):
            traits.append("surname-of-own-reading")

    def _person(self, one: _Named, family: list[_Named], address: Address, former: Address) -> Person:
        each = one.being
        western, called = self._western(one)
        husband = None
        if each.married and each.group.sex == "female":
            husband = (family[0].han, family[0].latin)
        relatives = tuple(
            Relative(*next(iter(other.numbers.items())), other.telephone)
            for other in family
            if other is not one
        )
        return Person(
            id=f"P{numbers.scattered(one.number, 10_000_000):07}",
            number=one.number,
            region=each.group.region,
            sex=each.group.sex,
            born=each.born,
            died=self._died(each),
            han=one.han,
            latin=one.latin,
            western=western,
            called=called,
            numbers=one.numbers,
            telephone=one.telephone,
            former_telephone=self._telephone(each.group.region),
            address=address,
            former_address=former,
            husband=husband,
            relatives=relatives,
            traits=tuple(one.traits) + (("western-name",) if western else ()),
        )

    def _western(self, one: _Named) -> tuple[str, str]:
        """A Western name that is legal, or one the person goes by."""
        if one.han is None or one.being.group.region == "guangdong":
            return "", ""
        lot = self._chance.random()
        if lot >= self._known["legal-western-name"] + self._known["informal-western-name"]:
            return "", ""
        name = names.western(one.being.group.sex, one.being.born.year, self._chance)
        return (name, "") if lot < self._known["legal-western-name"] else ("", name)

    def _died(self, one: Being) -> date | None:
        if one.age < 45 or self._chance.random() >= self._known["deceased"]:
            return None
        return AS_OF - timedelta(days=int(self._chance.random() * 3_000))

    def _telephone(self, region: Region) -> Telephone:
        country = {"hong-kong": "HK", "macao": "MO"}.get(region, "CN")
        self._telephones += 1
        return Telephone(country, numbers.telephone(country, self._telephones))

    def _address(self, region: Region) -> Address:
        chance = self._chance
        places, country = _places("guangdong" if region == "hong-kong-in-guangdong" else region)
        place = places.draw(chance)
        estate = _ESTATES[int(chance.random() * len(_ESTATES))]
        block, floor, flat = (
            int(chance.random() * 12) + 1,
            int(chance.random() * 40) + 1,
            int(chance.random() * 8),
        )
        if country == "CN":
            line = (f"模拟{estate.mainland}{block}栋{floor}{flat + 1:02}室",)
        else:
            line = (
                f"Flat {'ABCDEFGH'[flat]}, {floor}/F, Block {block}",
                f"Synthetic {estate.english} Estate",
            )
        return Address(line, place, country)

    def _numbers(self, one: Being, number: int, han: Han | None) -> dict[str, str]:
        """The numbers a person has; the first is that of the identity card, or what stands for it."""
        chance, known = self._chance, self._known
        region, sex = one.group.region, one.group.sex
        found: dict[str, str] = {}
        if region == "guangdong":
            found["mainland-id"] = self._of_birth.mainland_id(one.born, sex)
            if chance.random() < known["holds-exit-entry-permit"]:
                found["exit-entry-permit"] = numbers.exit_entry_permit(number)
            return found
        if region == "macao":
            found["macao-bir"] = numbers.macao_card(self._cards_of_macao)
            self._cards_of_macao += 1
        elif one.age >= 80 and chance.random() < known["holds-exemption-certificate"]:
            found["hk-certificate-of-exemption"] = numbers.exemption_certificate(number)
        else:
            found["hk-birth-certificate" if one.age < 11 else "hkid"] = numbers.hkid(number)
        if han is not None and chance.random() < known["holds-home-return-permit"]:
            found["home-return-permit"] = numbers.home_return_permit(region, number)
        if han is None and chance.random() < known["holds-passport"]:
            found["passport"] = numbers.passport(number)
        stays = region == "hong-kong-in-guangdong"
        if stays and chance.random() < known["holds-residence-permit"]:
            permit = self._of_birth.residence_permit(region, one.born, sex)
            if permit is not None:
                found["mainland-residence-permit"] = permit
        if region != "macao" and chance.random() < known["holds-ehealth-number"]:
            found["ehr-number"] = numbers.ehealth_number(number)
        return found


class _Estate(NamedTuple):
    english: str
    mainland: str


_ESTATES = (
    _Estate("Harbour", "海港花园"),
    _Estate("Hillside", "山边花园"),
    _Estate("Garden", "花园小区"),
    _Estate("Jetty", "码头新村"),
    _Estate("Banyan", "榕树苑"),
    _Estate("Kapok", "红棉苑"),
    _Estate("Sunrise", "朝阳小区"),
    _Estate("Riverside", "江畔花园"),
    _Estate("Lotus", "莲花新村"),
    _Estate("Pine", "松园"),
)


@cache
def _places(region: str) -> tuple[Weighted[Place], str]:
    table = place_tables()[region]
    return Weighted(table.rows, [place.people for place in table.rows]), table.country
