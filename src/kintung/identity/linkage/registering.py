"""What a batch found, said in the registry: judged again on the records as they stand in each commit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from kintung.fhir.json import parse
from kintung.identity.feed import BY, Finding, is_replaced
from kintung.store.links import LinkChange, LinkKind
from kintung.store.port import Store, Unit, View
from kintung.store.reader import Reader
from kintung.store.writes import Prepared

PAIRS = 100
"""Of one commit: others write between two."""

_EVERYBODY = Reader.everything("identity")

Pair = tuple[str, str]
Judge = Callable[[dict[str, Any], dict[str, Any]], Finding]
"""What a rule says of two Patients."""


def register(
    store: Store,
    pairs: Iterable[Pair],
    judge: Judge,
    *,
    said: Callable[[int], object] = lambda _: None,
) -> int:
    """Say of each pair what the judge finds, where it is not what was found last; give how many changed.

    Records that were deleted or changed since the batch are judged as they are now. What a steward
    decided stays.
    """
    changed = 0
    for chunk in _chunks(pairs):
        changes: list[LinkChange] = []

        def prepare(
            view: View, chunk: Sequence[Pair] = chunk, changes: list[LinkChange] = changes
        ) -> Prepared:
            changes[:] = [change for pair in chunk if (change := _change(view, pair, judge))]
            return Prepared(links=tuple(changes))

        store.commit(Unit(_EVERYBODY, prepare))
        changed += len(changes)
        said(changed)
    return changed


def _change(view: View, pair: Pair, judge: Judge) -> LinkChange | None:
    found: list[dict[str, Any]] = []
    for id in pair:
        current = view.current(_EVERYBODY, "Patient", id)  # noted: asked again inside the commit lock
        if current is None or current.deleted:
            return None
        found.append(parse(view.read(_EVERYBODY, "Patient", id).body))
    finding = judge(*found)
    before = view.link(_EVERYBODY, *pair)
    known = before.found if before else LinkKind.NOTHING
    if finding.kind is known or (known is LinkKind.CERTAIN and is_replaced(found[0], found[1], pair)):
        return None
    return LinkChange(*pair, finding.kind, BY, finding.why, finding.score)


def _chunks(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    source = iter(pairs)
    while chunk := list(islice(source, PAIRS)):
        yield chunk
