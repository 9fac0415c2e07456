"""The module that lets time and chance in."""

import re
import string
from collections import Counter

import pytest

from kintung.clock import Clock, Entropy, SeededEntropy, SetClock, SystemClock, SystemEntropy, id_from

MICROS_OF_2020 = 1_577_836_800_000_000


@pytest.mark.parametrize("entropy", [SystemEntropy(), SeededEntropy(1)], ids=["system", "seeded"])
def test_ids_are_fhir_ids_and_do_not_repeat(entropy: Entropy) -> None:
    made = [entropy.new_id() for _ in range(2_000)]
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(r"[A-Za-z0-9]{22}", one) for one in made)


def test_ids_use_every_character() -> None:
    entropy = SeededEntropy(2)
    last = Counter(entropy.new_id()[-1] for _ in range(6_200))
    assert set(last) == set(string.ascii_letters + string.digits)
    assert max(last.values()) < 3 * min(last.values())


def test_ids_hold_all_128_bits() -> None:
    assert id_from(bytes(16)) == "0" * 22
    assert id_from(b"\xff" * 16) == "7n42DGM5Tflk9n8mt7Fhc7"


def test_a_seed_repeats_and_another_does_not() -> None:
    def drawn(seed: int) -> tuple[str, bytes]:
        entropy = SeededEntropy(seed)
        return entropy.new_id(), entropy.bytes(12)

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)
    assert len(drawn(7)[1]) == 12


def test_system_clock_tells_the_present() -> None:
    clock: Clock = SystemClock()
    assert clock.now_micros() > MICROS_OF_2020


def test_set_clock_stands_ticks_and_jumps_back() -> None:
    standing = SetClock(MICROS_OF_2020)
    assert standing.now_micros() == standing.now_micros() == MICROS_OF_2020
    standing.jump(-3_600_000_000)
    assert standing.now_micros() == MICROS_OF_2020 - 3_600_000_000

    ticking = SetClock(0, tick=5)
    assert [ticking.now_micros() for _ in range(3)] == [0, 5, 10]
