"""What can be measured: each subject is named, and has something that measures it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.__main__ import SUBJECTS
from bench.close.memory import Held, Watcher, by_step

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


def test_the_most_that_a_close_holds_is_told_by_step():
    held = [Held(1.0, 90, 0), Held(2.0, 300, 7), Held(3.0, 200, 9), Held(4.0, 500, 8)]
    lines = [
        (2.5, "  ✓ import billing export      2 accounts  [1.0 s]\n".encode()),
        (2.6, b"a word about something else\n"),
        (3.5, "  ✓ guard calendar             may be closed  [0.1 s]\n".encode()),
    ]

    assert {
        "import billing export": Held(2.5, 300, 7),
        "guard calendar": Held(3.5, 200, 9),
    } == by_step(held, lines)


def test_a_process_is_watched_with_what_it_has_started():
    inner = "import sys; much = b'x' * 60_000_000; print(flush=True); sys.stdin.read()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", outer], **pipes) as process:
        process.stdout.readline()
        watcher = Watcher(process.pid)
        while not any(one.other > 57 for one in watcher.held):
            time.sleep(0.01)
        watcher.stop()

    assert 0 < watcher.held[-1].own < 57
