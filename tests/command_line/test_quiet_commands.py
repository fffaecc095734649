"""Commands that have nothing to do end at once: no server, no Prefect, the same document."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from database.books import Database
from office.health.work import last_good_ends
from tests.flows.desk import Desk
from tests.flows.fixtures import prepared

__all__ = ["prepared"]

QUIET = {
    "retry-postings": (("retry-postings",), "retry-postings", "done"),
    "mail send": (("mail", "send"), "send-mail", "sent"),
    "remind": (("remind",), "remind", "done"),
    "collect": (("collect",), "collect-autopay", "done"),
    "notify": (("notify",), "send-notices", "done"),
}
HEAVY = ("prefect", "pandas", "pypdf", "pikepdf", "great_expectations", "jinja2", "asyncpg")
RUN = """
import sys
from command_line.main import run
status = run(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.parametrize(("words", "work", "status"), QUIET.values(), ids=QUIET)
def test_a_command_without_work_starts_nothing_and_counts_as_done(
    prepared, tmp_path, words, work, status
):
    desk = Desk(prepared.copied(tmp_path / "office").home)

    done = subprocess.run(
        [sys.executable, "-c", RUN, "--home", desk.home, *words, "--json"],
        capture_output=True,
        text=True,
    )

    told = json.loads(done.stdout)
    assert (0, status, True) == (done.returncode, told["status"], told["quiet"]), done.stderr
    assert [] == [name for name in HEAVY if name in done.stderr.splitlines()[-1].split()]
    assert not (desk.home / "prefect").exists()
    books = Database(f"sqlite:///{desk.home / 'billclose.db'}")
    assert work in last_good_ends(books)
    books.close()


def test_the_rounds_of_an_office_without_a_server_are_quiet_too(prepared, tmp_path):
    desk = Desk(prepared.copied(tmp_path / "office").home)

    answer = desk("rounds", "--once", "--json")

    assert 0 == answer.status, answer.err
    quiet = {"reason": "", "started": False, "failed": False}
    assert [
        {"look": name, **quiet} for name in ("retry-postings", "send-mail", "health-watch")
    ] == answer.json["looks"]
    assert not (desk.home / "prefect").exists()
