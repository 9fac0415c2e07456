"""Persons by their rules: from the links alone, whatever their order; and what is undone leaves no trace."""

from itertools import combinations, permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from kintung.errors import Conflict
from kintung.store.links import Link, LinkChange, LinkKind
from kintung.store.persons import Pair, expanded, person_of, persons_of, said, waits
from tests import scale

PATIENTS = tuple("abcdef")
PAIRS = tuple(combinations(PATIENTS, 2))
FOUND = (LinkKind.NOTHING, LinkKind.PROBABLE, LinkKind.CERTAIN)
EXAMPLES = settings(max_examples=scale.counts(200, 5_000), deadline=None)

pairs = st.sampled_from(PAIRS)


def saying(*kinds: LinkKind) -> st.SearchStrategy[LinkChange]:
    return st.tuples(pairs, st.sampled_from(kinds)).map(lambda it: LinkChange(*it[0], it[1], "test"))


findings = saying(*FOUND)
decisions = saying(*(kind for kind in LinkKind if kind.is_decision))


def told(changes: list[LinkChange], links: dict[Pair, Link] | None = None) -> dict[Pair, Link]:
    """The links after what was said one by one; what is refused changes nothing."""
    links = dict(links or {})
    for change in changes:
        number = max((link.number for link in links.values()), default=0)
        try:
            done = said(links, [change], number, 1)
        except Conflict:
            continue
        links.update({link.pair: link for _, link in done})
    return links


def state(links: dict[Pair, Link]) -> dict[Pair, tuple[object, ...]]:
    """How the pairs stand but for their history; one of which nothing is left stands as if it never was."""
    nothing = (LinkKind.NOTHING, 0, LinkKind.NOTHING)
    stands = {pair: (link.found, link.score, link.decided) for pair, link in links.items()}
    return {pair: each for pair, each in stands.items() if each != nothing}


def plainly(links: dict[Pair, Link]) -> set[frozenset[str]]:
    """Persons by another way: colours that spread along links until nothing changes."""

    def spread(kinds: list[Link]) -> dict[str, str]:
        colour = {id: id for id in PATIENTS}
        for _ in PATIENTS:
            for link in kinds:
                least = min(colour[link.one], colour[link.other])
                colour[link.one] = colour[link.other] = least
        return colour

    all_linked = spread([link for link in links.values() if link.is_linked])
    broken = {
        all_linked[link.one]
        for link in links.values()
        if link.decided is LinkKind.APART and all_linked[link.one] == all_linked[link.other]
    }
    merged = spread([link for link in links.values() if link.decided is LinkKind.MERGED])
    colour = {id: (f"{merged[id]}*" if all_linked[id] in broken else all_linked[id]) for id in PATIENTS}
    return {frozenset(id for id in PATIENTS if colour[id] == each) for each in colour.values()}


@EXAMPLES
@given(st.lists(findings | decisions, max_size=14))
def test_persons_part_all_source_patients(changes: list[LinkChange]):
    links = told(changes)
    persons = persons_of(links.values())

    parts = {person_of(persons, id) for id in PATIENTS}

    assert parts == plainly(links)
    assert sorted(id for part in parts for id in part) == sorted(PATIENTS), "one person twice, or none"
    for link in links.values():
        together = link.other in person_of(persons, link.one)
        assert not (together and link.decided is LinkKind.APART)
        assert together or link.decided is not LinkKind.MERGED
        assert waits(link, persons) == (
            not together and link.decided is LinkKind.NOTHING and link.found is not LinkKind.NOTHING
        )


@EXAMPLES
@given(
    st.dictionaries(pairs, st.sampled_from((*FOUND, LinkKind.MERGED, LinkKind.APART)), max_size=7), st.data()
)
def test_persons_do_not_depend_on_the_order_of_arrival(wanted: dict[Pair, LinkKind], data: st.DataObject):
    """Each pair is said to be one thing; of decisions that contradict each other the first counts."""
    changes = [LinkChange(*pair, kind, "x") for pair, kind in wanted.items()]
    links = told(changes)
    shuffled = data.draw(st.permutations(changes))
    other = told(shuffled)

    if state(links) == state(other):  # else one of two contrary decisions was refused
        assert persons_of(links.values()) == persons_of(other.values())
    findings_only = [change for change in changes if not change.kind.is_decision]
    again = [change for change in shuffled if not change.kind.is_decision]
    assert persons_of(told(findings_only).values()) == persons_of(told(again).values())


@EXAMPLES
@given(st.lists(findings | decisions, max_size=10), pairs)
def test_to_merge_and_take_it_back_leaves_history_alone(changes: list[LinkChange], pair: Pair):
    links = told(changes)
    merged = told([LinkChange(*pair, LinkKind.MERGED, "steward")], links)
    if merged == links:
        return  # it was refused, and nothing changed

    back = told([LinkChange(*pair, LinkKind.WITHDRAWN, "steward")], merged)

    assert state(back) == state(links)
    assert persons_of(back.values()) == persons_of(links.values())


@EXAMPLES
@given(
    st.sets(st.sampled_from(PATIENTS)), st.sets(st.sampled_from(PATIENTS)), st.sets(st.sampled_from(PATIENTS))
)
def test_a_scope_holds_all_of_a_person_or_nothing(person: set[str], granted: set[str], denied: set[str]):
    reached, through = expanded(person, granted, denied)

    assert reached == (person if person & granted and not person & denied else set())
    assert {one for one, _ in through} == reached - granted
    assert {origin for _, origin in through} <= granted & person


def test_every_order_of_a_small_contradiction_gives_the_same():
    changes = [
        LinkChange("a", "b", LinkKind.CERTAIN, "rule"),
        LinkChange("b", "c", LinkKind.CERTAIN, "rule"),
        LinkChange("a", "c", LinkKind.APART, "steward"),
        LinkChange("c", "d", LinkKind.MERGED, "steward"),
    ]

    persons = [persons_of(told(list(order)).values()) for order in permutations(changes)]

    assert all(each == {"c": frozenset("cd"), "d": frozenset("cd")} for each in persons)
