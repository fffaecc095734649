"""Commands that have nothing to do end at once: no server, no Prefect, the same document."""

from __future__ import annotations

import json
import os
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
HEAVY = {"prefect", "pandas", "pypdf", "pikepdf", "great_expectations", "jinja2", "asyncpg"}
HEAVY |= {"httpx", "rich", "alembic", "holidays"}
MEGABYTES = 80  # at the most; a command that starts Prefect takes 230
TIMES_ITS_LIBRARIES = 3.5  # the CPU of loading them; a command that starts Prefect takes 15 times
RUN = """
import json, resource, sys
from command_line import main
def told(arguments, run=main.run):
    status = run(arguments)
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    (peak,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    cost = {"cpu": own.ru_utime + own.ru_stime, "megabytes": int(peak.split()[1]) / 1024}
    cost |= {"children": children.ru_utime + children.ru_stime, "modules": [*sys.modules]}
    print(json.dumps(cost), file=sys.stderr)
    return status
main.run = told
main.main()
"""
LIBRARIES = """
import gc, resource
gc.disable()
import click, pydantic_settings, sqlalchemy
print(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
"""


def python(program, *words, **settings):
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        env=os.environ | settings,
    )


@pytest.fixture(scope="module")
def libraries():
    """The CPU seconds that the libraries of every command take to load, on this machine now."""
    return float(python(LIBRARIES).stdout)


@pytest.mark.parametrize(("words", "work", "status"), QUIET.values(), ids=QUIET)
def test_a_command_without_work_starts_nothing_takes_little_and_counts_as_done(
    prepared, tmp_path, libraries, words, work, status
):
    desk = Desk(prepared.copied(tmp_path / "office").home)

    done = python(RUN, "--home", desk.home, *words, "--json")

    told, cost = json.loads(done.stdout), json.loads(done.stderr.splitlines()[-1])
    assert (0, status, True) == (done.returncode, told["status"], told["quiet"]), done.stderr
    require_little(cost, libraries)
    assert set() == HEAVY & set(cost["modules"])
    assert 0 == cost["children"]
    assert not (desk.home / "prefect").exists()
    books = Database(f"sqlite:///{desk.home / 'billclose.db'}")
    assert work in last_good_ends(books)
    books.close()


def require_little(cost, libraries):
    assert MEGABYTES > cost["megabytes"]
    assert TIMES_ITS_LIBRARIES > cost["cpu"] / libraries


def test_a_look_at_a_feed_without_anything_new_takes_little_of_the_machine(
    prepared, tmp_path, libraries
):
    desk = Desk(prepared.copied(tmp_path / "office").home)
    (tmp_path / "feed").mkdir()
    feed = {"BILLCLOSE_FEED__FOLDER": str(tmp_path / "feed")}

    done = python(RUN, "--home", desk.home, "feed", "--json", **feed)

    assert 0 == done.returncode, done.stderr
    require_little(json.loads(done.stderr.splitlines()[-1]), libraries)


def test_the_rounds_of_an_office_without_a_server_are_quiet_too(prepared, tmp_path):
    desk = Desk(prepared.copied(tmp_path / "office").home)

    answer = desk("rounds", "--once", "--json")

    assert 0 == answer.status, answer.err
    quiet = {"reason": "", "started": False, "failed": False}
    assert [
        {"look": name, **quiet} for name in ("retry-postings", "send-mail", "health-watch")
    ] == answer.json["looks"]
    assert not (desk.home / "prefect").exists()
