"""How large a run is, and which seed it draws from.

``make test`` runs the smaller counts on a fixed seed, so that a red run points at the
change and not at the draw. ``make test-long`` (``pytest --long``) runs the full counts
on a new seed each time. ``KINTUNG_SEED`` replays any run; every run prints its own.
"""

import os
import random

FIXED_SEED = 20221019  # the day of the Policy Address that asks for this system


def is_long() -> bool:
    """Return whether this run uses the full counts."""
    return os.environ.get("KINTUNG_LONG") == "1"


def counts(normal: int, long: int) -> int:
    """Return ``normal`` in an ordinary run and ``long`` under ``--long``."""
    return long if is_long() else normal


def seed() -> int:
    """Return the seed of this run, the same in every worker."""
    return int(os.environ["KINTUNG_SEED"])


def seeded(name: str) -> random.Random:
    """Return a generator of its own for ``name``, so that tests do not disturb each other's draws."""
    return random.Random(f"{seed()}:{name}")


def settle(long: bool) -> None:
    """Fix size and seed in the environment, where module-level code and worker processes find them."""
    if long:
        os.environ["KINTUNG_LONG"] = "1"
    if "KINTUNG_SEED" not in os.environ:
        os.environ["KINTUNG_SEED"] = str(random.SystemRandom().randrange(2**32) if is_long() else FIXED_SEED)
