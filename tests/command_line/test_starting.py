"""How a command starts: it waits for nothing that it does not need."""

from __future__ import annotations

import gc
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from command_line.commands import close as closing
from command_line.registry import COMMANDS

ROOT = Path(__file__).parents[2]
SLOW = {"prefect", "pandas", "great_expectations", "pypdf", "pikepdf", "pypdfium2", "aiosmtplib"}
MORE = {  # what a look into the books on SQLite does not need either
    *("alembic", "cryptography", "fastapi", "holidays", "httpx", "jinja2", "psycopg", "reportlab"),
    *("xlsxwriter", "yaml", "sqlalchemy.orm", "sqlalchemy.dialects.postgresql"),
    *("billing_system", "data_checks", "payments", "splitter"),
    *("mail.communications.posted", "mail.recipients.unsubscribed"),
}
STARTED = """
import gc, sys
from command_line.main import main
try:
    main()
finally:
    print(gc.isenabled(), *sys.modules, file=sys.stderr)
"""


def start(desk, *command):
    """
    Start a command as the console script does.

    Return its status, whether Python's collector worked at its end, and what was loaded then.
    """
    done = subprocess.run(
        [sys.executable, "-c", STARTED, "--home", desk.home, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    collects, *loaded = done.stderr.splitlines()[-1].split()
    return done.returncode, collects == "True", set(loaded)


@pytest.mark.parametrize("command", ["--help", "close --help", "init"])
def test_a_command_loads_nothing_slow_that_it_does_not_need(prepared, tmp_path, command):
    desk = prepared.copied(tmp_path / "office")

    status, _, loaded = start(desk, *command.split())

    assert (0, set()) == (status, loaded & SLOW)
    assert "click" in loaded


@pytest.mark.parametrize("command", ["list bills --json", "list audit", "list checks", "approvals"])
def test_a_look_into_the_books_loads_little_more_than_the_books(prepared, tmp_path, command):
    desk = prepared.copied(tmp_path / "office")

    status, _, loaded = start(desk, *command.split())

    assert (0, set()) == (status, loaded & (SLOW | MORE))
    assert {"sqlalchemy", "database.tables", "office.equipment.office"} <= loaded


def test_the_collector_rests_until_a_command_is_loaded(prepared, tmp_path):
    desk = prepared.copied(tmp_path / "office")

    assert (0, False) == start(desk, "--help")[:2]
    assert (0, True) == start(desk, "close", "--help")[:2]


def test_every_command_has_a_line_of_help(prepared):
    answer = prepared("--help")

    told = answer.out.partition("--help")[2]  # the groups, with their headings
    assert 0 == answer.status
    assert {"init", "import", "check", "close", "schedule-autopay", "list", "demo", "up"} <= {
        line.split()[0] for line in told.splitlines() if line.strip()
    }
    assert all(
        " ".join(place.help.split()) in " ".join(told.split()) for place in COMMANDS.values()
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_help_is_what_the_command_says_of_itself(name):
    place = COMMANDS[name]
    command = getattr(import_module(place.module), place.name)

    assert place.help == command.get_short_help_str(1_000)


def test_a_close_spares_the_collector_what_it_has_loaded_beside_the_command():
    gc.freeze()  # as when its module was loaded
    loaded = [[] for _ in range(1000)]
    try:
        before = gc.get_freeze_count()
        closing._spare_the_collector.cache_clear()
        closing._spare_the_collector()
        after = gc.get_freeze_count()
    finally:
        gc.unfreeze()

    assert after - before >= len(loaded)
