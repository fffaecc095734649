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


def names_of(module):
    """What a file of ours defines or imports at its first level; None: it is none of ours."""
    place = ROOT / Path(*module.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    if not file.is_file():
        return None
    names = {path.stem for path in place.glob("*")} if place.is_dir() else set()
    for one in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(one, ast.FunctionDef | ast.ClassDef):
            names.add(one.name)
        elif isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            names.add(one.id)
        elif isinstance(one, ast.ImportFrom | ast.Import):
            names |= {alias.asname or alias.name for alias in one.names}
    return names


@pytest.mark.parametrize(
    "file", sorted((ROOT / "bench").rglob("*.py")), ids=lambda file: str(file.relative_to(ROOT))
)
def test_what_it_measures_with_is_still_there(file):
    """A bench that nobody ran since a file moved would fail when it is wanted."""
    ours = {folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").is_file()}
    wanted = [
        (one.module, alias.name)
        for one in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(one, ast.ImportFrom) and one.module and one.module.split(".")[0] in ours
        for alias in one.names
    ]

    assert [] == [(module, name) for module, name in wanted if name not in (names_of(module) or ())]


def test_a_subject_that_is_not_there_is_answered_with_those_that_are():
    told = subprocess.run(
        [sys.executable, "-m", "bench", "weather"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, f"name one of {', '.join(SUBJECTS)} first\n") == (told.returncode, told.stderr)


@pytest.mark.slow
@pytest.mark.release  # what the benches name is looked up above each time
def test_the_home_page_is_measured_small_beside_its_floor(tmp_path):
    options = ["--accounts", "30", "--pages", "20", "--rounds", "1", "--seconds", "0.1"]
    options += ["--warm-up", "0.1"]
    told = subprocess.run(
        [sys.executable, "-m", "bench", "web", *options, "--no-peers", "--folder", tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert 0 == told.returncode, told.stderr
    rows = json.loads((tmp_path / "web.json").read_text())["rows"]
    assert ["billclose", "floor"] == [row["served"] for row in rows]
    assert all(row["alone"]["size"] < 20_000 for row in rows)
    assert 20 == rows[0]["loaded"]["pages"]
