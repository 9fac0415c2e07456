"""The language alone: parsing, structure validation, extraction and sealing of the loaded resources."""

import gc
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from bench import bundles
from bench.figures import Figure, Size, short
from kintung.app import open_node
from kintung.fhir.json import parse
from kintung.fhir.search import extract
from kintung.fhir.splice import splice
from kintung.fhir.structure import is_valid, validate
from kintung.store.versions import OwnerKind, Ownership


def measure(size: Size) -> list[Figure]:
    texts = bundles.resource_texts()
    if size is Size.QUICK:
        texts = texts[:: max(1, len(texts) // 6_000)]
    rounds = 1 if size is Size.QUICK else 5
    parsed = [parse(text) for text in texts]
    assert all(map(is_valid, parsed)), "a resource that is valid was refused"
    assert not any(map(validate, parsed[::50])), "the slow judge disagrees"
    assert any(validate({**resource, "madeUp": 1}) for resource in parsed[:5]), "nothing is refused"
    rows = sum(len(kind) for resource in parsed for kind in extract(resource))
    clear = sum(map(len, texts))
    with open_node("memory:") as node:
        sealer = node.scribe._sealer  # pyright: ignore[reportPrivateUsage]
        owner = Ownership(OwnerKind.PERSON, ("bench",))
        blobs = [sealer.seal(text, 1, owner, "Patient", "bench").blob for text in texts]
        assert [sealer.open(blob, "Patient", "bench") for blob in blobs[::50]] == list(texts[::50])

        def seal(text: bytes) -> object:
            return sealer.seal(text, 1, owner, "Patient", "bench")

        def unseal(blob: bytes) -> object:
            return sealer.open(blob, "Patient", "bench")

        figures = [
            _figure("parse (decimals exact, limits, duplicate members)", parse, texts, rounds),
            _figure("structure validation", is_valid, parsed, rounds, goal=20_000),
            _figure(f"extraction, {rows / len(texts):.1f} rows a resource", extract, parsed, rounds),
            _figure(
                "splice", lambda text: splice(text, type="Patient", id="p", references={}), texts, rounds
            ),
            _figure("compress and seal", seal, texts, rounds),
            _figure("open and inflate", unseal, blobs, rounds),
        ]
    share = sum(map(len, blobs)) / clear
    return [
        Figure(
            f"{len(texts):,} resources ({bundles.name()})",
            f"{clear / len(texts):,.0f} bytes each",
            f"sealed {share:.2f} ×",
        ),
        *figures,
    ]


def _figure(
    what: str, work: Callable[[Any], object], of: Sequence[Any], rounds: int, *, goal: int = 0
) -> Figure:
    """Resources a second of processor: nothing here waits."""
    taken: list[float] = []
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        began = time.process_time()
        for each in of:
            work(each)
        taken.append((time.process_time() - began) / len(of))
    gc.enable()
    each = median(taken)
    return Figure(
        what,
        f"{1 / each:,.0f} resources/s",
        f"{short(each)} of processor each ({short(min(taken))}–{short(max(taken))})",
        f"≥ {goal:,}/s" if goal else "",
        1 / each >= goal if goal else None,
    )
