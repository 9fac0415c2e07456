"""The module that lets time and chance in."""

import os
import re
import string
from collections import Counter

import pytest

from kintung.clock import (
    Clock,
    Entropy,
    SeededEntropy,
    SetClock,
    ShiftedClock,
    SystemClock,
    SystemEntropy,
    id_from,
)

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


def test_a_forked_process_draws_bytes_of_its_own() -> None:
    """Else two workers would seal under the same nonces."""
    entropy = SystemEntropy()
    entropy.bytes(1)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        os.write(write, entropy.bytes(32))
        os._exit(0)
    os.waitpid(child, 0)

    with os.fdopen(read, "rb") as pipe:
        theirs = pipe.read(32)
    os.close(write)
    assert len(theirs) == 32
    assert theirs != entropy.bytes(32)


def test_no_byte_is_given_twice() -> None:
    entropy = SystemEntropy()
    pieces = [entropy.bytes(n) for n in (1_000, 3_000, 96, 4_000, 5_000, 200)]

    assert [len(piece) for piece in pieces] == [1_000, 3_000, 96, 4_000, 5_000, 200]
    starts = [piece[:32] for piece in pieces]
    assert len(set(starts)) == len(starts)


def test_a_shifted_clock_goes_on_from_elsewhere():
    day = 86_400_000_000
    now, shifted = SystemClock().now_micros(), ShiftedClock(-day).now_micros()
    assert 0 <= shifted + day - now < day
    assert ShiftedClock(day).now_micros() > now
