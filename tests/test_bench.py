"""What can be measured: each subject is named, and has something that measures it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import SUBJECTS

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_has_a_main(subject):
    module = ROOT / Path(*SUBJECTS[subject].split("."))

    code = ast.parse(module.with_suffix(".py").read_text("utf-8"))
    assert "main" in [one.name for one in code.body if isinstance(one, ast.FunctionDef)]


def test_every_wing_of_it_can_be_named():
    named = {module.split(".")[1] for module in SUBJECTS.values()}
    wings = {path.parent.name for path in (ROOT / "bench").glob("*/main.py")}

    assert set() == wings - named


def test_a_subject_that_is_not_there_is_answered_with_those_that_are():
    told = subprocess.run(
        [sys.executable, "-m", "bench", "weather"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, f"name one of {', '.join(SUBJECTS)} first\n") == (told.returncode, told.stderr)


def test_the_home_page_is_measured_small_beside_its_floor_and_fastapi(tmp_path):
    options = ["--accounts", "30", "--pages", "20", "--rounds", "1", "--seconds", "0.1"]
    told = subprocess.run(
        [sys.executable, "-m", "bench", "web", *options, "--no-django", "--folder", tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert 0 == told.returncode, told.stderr
    rows = json.loads((tmp_path / "web.json").read_text())["rows"]
    assert ["billclose", "floor", "fastapi"] == [row["served"] for row in rows]
    assert all(row["alone"]["size"] < 20_000 for row in rows)
    assert 20 == rows[0]["loaded"]["pages"]
