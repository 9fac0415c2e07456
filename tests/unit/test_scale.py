"""Runs are sized by one switch and replayed by one number."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import scale

ROOT = Path(__file__).resolve().parents[2]


def test_counts_follow_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINTUNG_LONG", "0")
    assert scale.counts(30, 1_000) == 30
    monkeypatch.setenv("KINTUNG_LONG", "1")
    assert scale.counts(30, 1_000) == 1_000


def test_draws_are_apart_by_name_and_repeat() -> None:
    assert scale.seeded("a").random() == scale.seeded("a").random()
    assert scale.seeded("a").random() != scale.seeded("b").random()


def test_a_seed_replays_the_same_hypothesis_examples(tmp_path: Path) -> None:
    (tmp_path / "test_drawn.py").write_text(
        "from hypothesis import given, strategies as st\n"
        "@given(st.integers())\n"
        "def test_drawn(number):\n"
        "    print('drawn', number)\n"
    )

    def drawn(seed: str) -> list[str]:
        command = [sys.executable, "-m", "pytest", "-qs", "-p", "no:schemathesis", "-p", "tests.conftest"]
        command += [
            "--rootdir",
            str(ROOT),
            "-c",
            str(ROOT / "pyproject.toml"),
            str(tmp_path / "test_drawn.py"),
        ]
        environment = {**os.environ, "KINTUNG_SEED": seed, "PYTHONPATH": str(ROOT)}
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert f"seed {seed}" in run.stdout
        return [line for line in run.stdout.splitlines() if "drawn" in line]

    assert drawn("1") == drawn("1") != drawn("2")
