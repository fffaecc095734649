"""A seed is the same life in every process: what it found once it shows again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.billing_system.fed_simulation import FOLDER
from tests.billing_system.live_seeds import KINDS, main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.release
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["checkout", FOLDER])
def test_a_seed_is_the_same_life_in_every_process(kind):
    lives = []
    for hashes, way in (("1", []), ("2", ["--forwards"])):
        command = [sys.executable, "-m", "tests.billing_system.live_seeds", kind, "1", *way]
        lived = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hashes},
            capture_output=True,
            text=True,
        )
        assert (0, "") == (lived.returncode, lived.stderr)
        lives.append(lived.stdout)

    assert lives[0] == lives[1]
    assert "all agree" in lives[0]


@pytest.mark.release
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_is_lived_by_hand(capsys, kind):
    assert 0 == main([kind, "3"])

    assert f"{kind} 3: all agree" in capsys.readouterr().out
