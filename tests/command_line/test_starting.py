"""How a command starts: it waits for nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from command_line.commands import COMMANDS

ROOT = Path(__file__).parents[2]
SLOW = {"prefect", "pandas", "great_expectations", "pypdf", "pikepdf", "pypdfium2", "aiosmtplib"}
LOADED = """
import sys
from command_line.main import run
status = run(sys.argv[1:])
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.parametrize("command", [["--help"], ["list", "bills"], ["close", "--help"], ["init"]])
def test_a_command_loads_nothing_slow_that_it_does_not_need(prepared, tmp_path, command):
    desk = prepared.copied(tmp_path / "office")

    done = subprocess.run(
        [sys.executable, "-c", LOADED, "--home", desk.home, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    loaded = set(done.stderr.splitlines()[-1].split())
    assert (0, set()) == (done.returncode, loaded & SLOW)
    assert "click" in loaded


def test_every_command_has_a_line_of_help(prepared):
    answer = prepared("--help")

    told = answer.out.partition("Commands:\n")[2]
    assert 0 == answer.status
    assert {"init", "import", "check", "close", "schedule-autopay", "list", "demo", "up"} <= {
        line.split()[0] for line in told.splitlines()
    }
    assert all(
        " ".join(place.help.split()) in " ".join(told.split()) for place in COMMANDS.values()
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_help_is_what_the_command_says_of_itself(name):
    place = COMMANDS[name]
    command = getattr(import_module(place.module), place.name)

    assert place.help == command.get_short_help_str(1_000)
