"""A correction and an undo that are killed anywhere and run again happen once (ruling 18)."""

from __future__ import annotations

import hashlib
import signal
from dataclasses import replace
from functools import partial

import pytest

from tests.corrections.correcting_builders import WEDNESDAY, small_export
from tests.corrections.killed import kill_at
from tests.flows.town import COLE

pytestmark = pytest.mark.slow

CORRECT = ("correct", COLE.number, "--period", "2026-10", "--reason", "Misread")
UNDO = ("undo", "2026-10", "--yes", "--as-of", "2026-11-03T10:00", "--json")


def result(desk):
    files = {
        str(path.relative_to(desk.home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("bills", "print", "exports")
        for path in (desk.home / folder).rglob("*")
        if path.is_file() and not path.name.startswith(".new-")  # what a kill left half written
    }
    mails = sorted(path.name for path in (desk.home / "mail").glob("*.eml"))
    kept = "SELECT form, account_key, edition, amount_due, pdf FROM replaced_bill ORDER BY 1, 2, 3"
    entries = "SELECT key, amount, in_export_of FROM balance_entry ORDER BY 1"
    acts = "SELECT action, subject FROM audit WHERE action IN ('correct bill', 'undo close')"
    return {
        "files": files,
        "mails": mails,
        "kept": desk.query(kept),
        "entries": desk.query(entries),
        "acts": desk.query(acts),
        "balances": desk.query("SELECT * FROM balance_due ORDER BY account_key"),
        "deliveries": desk.query("SELECT key, status FROM delivery ORDER BY 1"),
        "undone": desk.query("SELECT period, number FROM period_undo"),
        **{what: desk.rows(what) for what in ("scheduled-payments", "paper", "bills")},
    }


@pytest.fixture
def small(tmp_path):
    return small_export(tmp_path / "small", replace(COLE, charges="30.00"))


@pytest.fixture
def office(closed, tmp_path):
    return closed.copied(tmp_path / "office")


@pytest.fixture(scope="module")
def corrected(closed, tmp_path_factory):
    """What a correction leaves behind that nothing disturbed."""
    desk = closed.copied(tmp_path_factory.mktemp("corrected") / "office")
    export = small_export(desk.home.parent / "small", replace(COLE, charges="30.00"))
    assert 0 == desk(*CORRECT, "--bundle", export, "--as-of", WEDNESDAY, "--json").status
    return result(desk)


@pytest.fixture(scope="module")
def undone(closed, tmp_path_factory):
    """What an undo leaves behind that nothing disturbed."""
    desk = closed.copied(tmp_path_factory.mktemp("undone") / "office")
    assert 0 == desk(*UNDO).status
    return result(desk)


# Read and locked, the books changed, mails claimed and sent, printed; files: store, print, mail.
MOMENTS = [("commit", 5), ("rename", 2)]
OTHERS = [("commit", number) for number in (2, 4, 7, 9)] + [("rename", 4)]
before_a_release = partial(pytest.param, marks=pytest.mark.release)


@pytest.mark.parametrize(
    ("when", "number"), [*MOMENTS, *(before_a_release(*moment) for moment in OTHERS)], ids=str
)
def test_a_correction_killed_and_run_again_is_made_once(office, small, corrected, when, number):
    command = (*CORRECT, "--bundle", small, "--as-of", WEDNESDAY, "--json")

    died = kill_at(office, when, number, *command)
    answer = office(*command)

    assert died in (-signal.SIGKILL, 0)  # 0: it has fewer such moments
    assert 0 == answer.status, answer.err
    assert corrected == result(office)


@pytest.mark.parametrize("number", [*map(before_a_release, (2, 3)), 4, before_a_release(5)])
def test_an_undo_killed_and_run_again_happens_once(office, undone, number):
    died = kill_at(office, "commit", number, *UNDO)
    answer = office(*UNDO)

    assert died in (-signal.SIGKILL, 0)
    assert (0, "undone") == (answer.status, answer.json["status"]), answer.err
    assert undone == result(office)
