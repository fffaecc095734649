"""What a journal tells about a worker that is gone."""

from __future__ import annotations

import os
import resource
import signal
import stat
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

import mail.outbox.journal
from database.books import Database
from database.owners import this_process
from database.tables import delivery
from domain.deliveries import DeliveryStatus
from domain.failures import Misuse, TemporaryFailure
from mail.outbox.deliveries import Delivery, claim, mark
from mail.outbox.journal import LeftJournal, SendJournal, entry, journal_path
from mail.outbox.queueing import queue_bills
from mail.outbox.recovery import Recovered, recover
from mail.port import MailOutcome, Result
from tests.forked import forks, load_before_forks
from tests.mail.builders import NOW, RUN, a_run, deliveries, many_accounts, statuses

load_before_forks(__name__)

LEASE = timedelta(minutes=15)
RESULTS = {"c0": Result.SENT, "c1": Result.FAILED, "c2": Result.DEFERRED, "c3": Result.IN_DOUBT}
TOLD = {
    "c0": DeliveryStatus.SENT,
    "c1": DeliveryStatus.FAILED,
    "c2": DeliveryStatus.DEFERRED,
    "c3": DeliveryStatus.IN_DOUBT,
    "c4": DeliveryStatus.IN_DOUBT,  # begun
    "c5": DeliveryStatus.QUEUED,  # announced
    "c6": DeliveryStatus.QUEUED,
}


@pytest.fixture
def journals(tmp_path: Path) -> Path:
    folder = tmp_path / "outbox"
    folder.mkdir()
    return folder


def gone() -> str:
    """Name a process that surely runs no more: this number had an earlier start."""
    host, process, *_ = this_process().split("|")
    return f"{host}|{process}|an-earlier-start|"


def make_old(journals: Path) -> None:
    """Let a minute pass, in which PostgreSQL may still have written down a last claim."""
    for path in journals.iterdir():
        os.utime(path, (0, 0))


def leave_behind(database: Database, journals: Path, owner: str) -> list[Delivery]:
    """Do what a worker does until it is killed: seven claimed, five begun, four answered."""
    a_run(database)
    many_accounts(database, 7)
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")
    rows = sorted(claim(database, owner, NOW, 10, LEASE), key=lambda row: row.account)
    journal = SendJournal(journals, owner)
    journal.clear()
    journal.announce(row.key for row in rows[:6])
    for row in rows[:5]:
        journal.begin(row.key)
    for row in rows[:4]:
        result = RESULTS[row.address.partition("@")[0]]
        journal.end(MailOutcome(row.key, result, 'a "word"\nof the server'))
    journal.close(delete=False)
    return rows


def test_only_what_was_begun_and_has_no_answer_is_in_doubt(database, journals):
    leave_behind(database, journals, gone())

    found = recover(database, journals, NOW)

    rows = {row.address.partition("@")[0]: row for row in deliveries(database)}
    assert Recovered(answered=4, not_begun=2, in_doubt=1) == found
    assert TOLD == statuses(database)
    assert [1, 1, 1, 1, 1, 0, 0] == [row.attempts for row in rows.values()]
    assert (NOW, None) == (rows["c0"].sent_at, rows["c0"].lease_owner)
    assert 'a "word"\nof the server' == rows["c1"].error
    assert [] == list(journals.iterdir())
    assert Recovered() == recover(database, journals, NOW)


def test_without_its_journal_everything_a_worker_held_is_in_doubt(database, journals):
    leave_behind(database, journals, gone())
    journal_path(journals, gone()).unlink()

    found = recover(database, journals, NOW)

    assert Recovered(in_doubt=7) == found
    assert {DeliveryStatus.IN_DOUBT} == set(statuses(database).values())


def test_after_a_power_cut_what_was_announced_may_have_gone(database, journals, monkeypatch):
    leave_behind(database, journals, gone())
    monkeypatch.setattr(mail.outbox.journal, "this_boot", lambda: "another boot")

    found = recover(database, journals, NOW)

    assert Recovered(answered=4, not_begun=1, in_doubt=2) == found
    assert TOLD | {"c5": DeliveryStatus.IN_DOUBT} == statuses(database)


@pytest.mark.parametrize("spoiled", [b"sent", b"\0\0\0\0\n", b"sent abc {\n"])
def test_lines_that_a_power_cut_spoiled_are_not_believed(database, journals, spoiled):
    rows = leave_behind(database, journals, gone())
    with journal_path(journals, gone()).open("ab") as file:
        file.write(spoiled + f" {entry(rows[4].key)} ".encode() + b'"')

    assert Recovered(answered=4, not_begun=2, in_doubt=1) == recover(database, journals, NOW)


def test_a_living_worker_keeps_what_it_holds_until_its_lease_runs_out(database, journals):
    leave_behind(database, journals, this_process())
    lock = LeftJournal(journal_path(journals, this_process()))  # as it would hold it

    early = recover(database, journals, NOW)
    late = recover(database, journals, NOW + LEASE)
    lock.close()

    assert Recovered() == early
    assert Recovered(in_doubt=7) == late  # it may still send what it has not begun


def test_a_worker_that_takes_up_its_own_work_again_knows_what_it_did(database, journals):
    leave_behind(database, journals, this_process())

    found = recover(database, journals, NOW, me=this_process())

    assert Recovered(answered=4, not_begun=2, in_doubt=1) == found


def test_the_lease_of_a_worker_elsewhere_is_waited_for(database, journals):
    leave_behind(database, journals, "another-host|1|boot.1|")

    assert Recovered() == recover(database, journals, NOW)
    found = recover(database, journals, NOW + LEASE)
    assert Recovered(answered=4, not_begun=2, in_doubt=1) == found


@pytest.mark.parametrize("moment", ["commit", "os.remove"])
def test_a_kill_during_the_recovery_does_no_harm(database, journals, moment):
    leave_behind(database, journals, gone())
    process = forks().Process(target=recover_and_die, args=(database.url, journals, moment))

    process.start()
    process.join(60)
    make_old(journals)
    recover(database, journals, NOW)

    assert -signal.SIGKILL == process.exitcode
    assert TOLD == statuses(database)
    assert [] == list(journals.iterdir())


def recover_and_die(url: str, journals: Path, moment: str) -> None:
    def die(*_arguments: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if moment == "commit":
        begun = []

        def die_at_writing(_connection: object) -> None:
            begun.append(1)
            if len(begun) == 2:  # the first is that of reading who holds what
                die()

        event.listen(Engine, "commit", die_at_writing)
    else:
        sys.addaudithook(lambda name, _arguments: die() if name == moment else None)
    recover(Database(url), journals, NOW)


def test_of_two_that_recover_at_once_one_does_it(database, journals):
    leave_behind(database, journals, gone())
    other = LeftJournal(journal_path(journals, gone()))

    found = recover(database, journals, NOW)
    other.close()

    assert Recovered() == found
    assert {DeliveryStatus.SENDING} == set(statuses(database).values())


def test_a_journal_that_a_kill_left_with_nothing_to_tell_is_swept_away(database, journals):
    leave_behind(database, journals, gone())
    with database.writing() as books:
        books.execute(delivery.update().values(status=DeliveryStatus.SENT, lease_owner=None))
    living = SendJournal(journals, this_process())

    recover(database, journals, NOW)
    kept_for_a_while = len(list(journals.iterdir()))
    make_old(journals)
    recover(database, journals, NOW)

    assert 2 == kept_for_a_while
    assert [journal_path(journals, this_process())] == list(journals.iterdir())
    living.close(delete=True)


def test_a_journal_names_no_mailbox_and_is_its_owners_alone(database, journals):
    leave_behind(database, journals, gone())
    (file,) = journals.iterdir()

    assert b"customer.example" not in file.read_bytes()
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_one_process_does_not_send_twice_at_once(journals):
    journal = SendJournal(journals, "me")

    with pytest.raises(Misuse, match="sending mail already"):
        SendJournal(journals, "me")

    journal.close(delete=True)
    SendJournal(journals, "me").close(delete=True)


def test_on_a_full_disk_no_other_message_begins(journals):
    journal = SendJournal(journals, "me")
    journal.clear()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    room = journal_path(journals, "me").stat().st_size + 50  # one line, and part of another
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        journal.begin("first")
        journal.end(MailOutcome("first", Result.SENT))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    with pytest.raises(TemporaryFailure, match="journal of the outbox"):
        journal.begin("second")

    journal.close(delete=False)
    left = LeftJournal(journal_path(journals, "me"))
    assert (frozenset([entry("first")]), {}) == (left.record.begun, left.record.outcomes)
    left.close()


def test_the_last_words_of_a_killed_worker_are_waited_for(database, journals):
    if database.is_sqlite:
        pytest.skip("SQLite has no server that goes on after its client")
    rows = leave_behind(database, journals, gone())
    found: list[Recovered] = []
    late = threading.Thread(target=lambda: found.append(recover(database, journals, NOW)))

    with database.writing() as books:
        mark(books, gone(), NOW, [(rows[4], MailOutcome(rows[4].key, Result.SENT))])
        late.start()
        late.join(0.3)
        waited = late.is_alive()
    late.join(10)

    assert waited
    assert [Recovered(answered=4, not_begun=2)] == found
    assert TOLD | {"c4": DeliveryStatus.SENT} == statuses(database)
