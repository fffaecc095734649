"""What can be measured: each subject is named, and has something that measures it."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bench.__main__ import SUBJECTS
from bench.close.memory import Held, Watcher, by_step
from bench.measuring import how_many_times
from bench.quarter.clock import MovedClock, machine_now
from bench.quarter.main import Night, conclusions
from bench.quarter.office_up import Measured

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


def test_a_figure_beside_one_too_small_to_measure_is_no_number():
    assert 2.5 == how_many_times(5.0, 2.0)
    assert 0.0 == how_many_times(0.0, 2.0)
    assert "nan" == f"{how_many_times(5.0, 0.0):.1f}" == f"{how_many_times(0.0, 0.0):.1f}"


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


def a_night(
    number: int, *, server: float = 280.0, runs: int = 40, logs: int = 90, changes: float = 8.0
) -> Night:
    held = {"up": 70.0, "server": server, "serving": 210.0}
    rows = {"flow_run": runs, "events": 2_000, "log": logs}
    measured = Measured(held, held, 17.0, 1.0, changes, 3.0, rows)
    return Night(number, date(2026, 11, 2), {"remind": "COMPLETED"}, None, measured)


def test_nights_say_what_stands_still_once_what_is_old_is_deleted():
    """What grows until then is no matter: nothing is old enough before."""
    before = [a_night(number, server=200.0, runs=3 * number) for number in range(13)]
    flat = [a_night(number) for number in range(13, 31)]
    growing = [a_night(number, runs=30 + number, logs=number) for number in range(13, 31)]

    well, ill = ("\n".join(conclusions([*before, *nights], 5)) for nights in (flat, growing))

    assert "GROWS" not in well and "Tables of Prefect's that grow: none." in well
    assert "flow runs: at most 51.0 in nights 13 to 21, 60.0 in nights 22 to 30: GROWS." in ill
    assert "that grow: flow_run 51 to 60, log 21 to 30." in ill
    assert ["- Too few nights to say what stands still."] == list(conclusions(before, 5))


@pytest.mark.parametrize(("changes", "verdict"), [(30.0, ", within"), (40.0, ", NOT within")])
def test_the_log_of_changes_is_held_to_its_bound_and_not_to_what_it_was(changes, verdict):
    """Its file keeps the size of the longest time that somebody read: it tells no growth."""
    nights = [a_night(number) for number in range(13, 30)] + [a_night(30, changes=changes)]

    (said,) = (one for one in conclusions(nights, 5) if "log of changes" in one)
    assert f"at most {changes:.1f}{verdict} the bound of 32.4: 8.4, above which" in said
    assert "GROWS" not in said


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_a_process_lives_by_the_clock_that_is_moved_while_it_runs(tmp_path):
    clock = MovedClock(tmp_path)
    code = "import sys, time\nfor _ in sys.stdin: print(time.time(), flush=True)"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    told = []
    with subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | clock.environment, **pipes
    ) as process:
        for days in (0, 30, 90):
            clock.move_to(machine_now() + timedelta(days=days))
            process.stdin.write("\n")
            process.stdin.flush()
            told.append(datetime.fromtimestamp(float(process.stdout.readline()), tz=UTC))
        process.stdin.close()

    gone = [(moment - machine_now()).total_seconds() / 86_400 for moment in told]
    assert [0, 30, 90] == [round(days) for days in gone]
