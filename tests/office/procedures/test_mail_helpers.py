"""Several processes that send the mails of one office."""

from __future__ import annotations

import errno
import os
import signal
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from subprocess import Popen

import pytest

from database.owners import this_process
from database.tables import delivery
from domain.deliveries import DeliveryStatus
from mail.outbox.sending import SendCounts
from office.procedures.mailing import mail_sending
from office.procedures.mailing import mail_sending as mail_helpers
from office.procedures.mailing.mail_sending import most_processes, shares, start_sender, worth
from office.settings.mail import SmtpSettings
from splitter.workers import parent as children
from splitter.workers.parent import start_program
from tests.mail.builders import NOW, deliveries
from tests.mail.servers import MailServer, running
from tests.office.helping import (
    Meeting,
    enter_bills,
    help_is_worth_it,
    holders,
    office_of,
    processes,
    send,
    start_leader,
    wait_for_end,
    wait_until,
)
from tests.office.warm_senders import start_warm

URL = "smtp://127.0.0.1:25"
NAMES = [f"c{number}" for number in range(60)]
# Whose mail it is lies in the books, and is shown on both kinds: by the tests without this mark.
on_sqlite_alone = pytest.mark.release("postgresql")


@pytest.fixture(autouse=True)
def worth_it(monkeypatch):
    help_is_worth_it(monkeypatch)
    monkeypatch.setattr(mail_sending, "start_program", start_warm)


@pytest.fixture
def real_programs(monkeypatch):
    """Start helpers as the office does: each loads its modules, which takes longer than to send."""
    monkeypatch.setattr(mail_sending, "start_program", start_program)


def others(database):
    """Return which processes beside this one hold deliveries."""
    return holders(database) - {this_process()}


def test_two_processes_send_every_mail_once_and_count_it_once(database, tmp_path, real_programs):
    enter_bills(database, tmp_path, [*NAMES, "gone-1", "gone-2", "grey-1", "grey-2", "twice"])
    put_off_beyond(database, "c59")
    doubt(database, "twice")
    with running(MailServer(pipelines=True)) as server:
        office = office_of(database, tmp_path, server.port)
        met = Meeting(server, lambda: helped.update(others(database)))
        helped: set[str] = set()
        counts = send(office, met)
        arrived = Counter(server.recipients)

    expected = SendCounts(sent=60, failed=2, deferred=2, possible_duplicates=1)
    assert expected == counts == met.shown[-1]
    assert 1 == len(helped)
    assert {address(name) for name in [*NAMES[:-1], "twice"]} == set(arrived)
    assert {1} == set(arrived.values())
    assert {"c59": DeliveryStatus.DEFERRED} == {
        row.address.partition("@")[0]: row.status
        for row in deliveries(database)
        if row.status is not DeliveryStatus.SENT and row.attempts == 0
    }
    assert [] == [*(tmp_path / "outbox").iterdir()]
    wait_for_end(helped)


@on_sqlite_alone
def test_progress_is_that_of_all_processes(database, tmp_path):
    enter_bills(database, tmp_path, NAMES)
    with running(MailServer(pipelines=True)) as server:
        met = Meeting(server)
        send(office_of(database, tmp_path, server.port), met)

    sent = [counts.sent for counts in met.shown]
    assert sorted(sent) == sent
    assert 60 == sent[-1]


@on_sqlite_alone
def test_a_relay_that_goes_away_stops_all_and_is_told_of_once(database, tmp_path):
    enter_bills(database, tmp_path, NAMES)
    with ExitStack() as stack:
        server = stack.enter_context(running(MailServer(delay=0.01)))
        office = office_of(database, tmp_path, server.port)
        met = Meeting(server, stack.close)
        counts = send(office, met)

    rows = deliveries(database)
    assert "no connection to the relay: connection refused" == counts.stopped_by
    assert set() == holders(database)
    assert {"sent", "queued", "deferred", "in-doubt"} >= {row.status for row in rows}
    assert len([row for row in rows if row.status is DeliveryStatus.IN_DOUBT]) <= 2
    assert 0 < len([row for row in rows if row.status is DeliveryStatus.DEFERRED])
    assert [0] == list({row.attempts for row in rows if row.status is DeliveryStatus.DEFERRED})
    with running(MailServer(port=server.port)) as again:
        later = send(office, lambda _counts: None)
        missing = {address(name) for name in NAMES} - {*server.recipients, *again.recipients}
    in_doubt = {row.address for row in rows if row.status is DeliveryStatus.IN_DOUBT}
    assert "" == later.stopped_by
    assert missing <= in_doubt


@on_sqlite_alone
def test_a_relay_that_is_away_is_not_asked_by_helpers_at_length(database, tmp_path):
    enter_bills(database, tmp_path, NAMES)
    with running(MailServer()) as server:
        office = office_of(database, tmp_path, server.port)

    counts = send(office, lambda _counts: None)

    assert "no connection to the relay: connection refused" == counts.stopped_by
    assert counts.mailed_nobody
    assert {0} == {row.attempts for row in deliveries(database)}
    assert set() == holders(database)


@on_sqlite_alone
def test_a_helper_that_the_relay_refuses_leaves_its_mails_to_the_leader(database, tmp_path):
    enter_bills(database, tmp_path, NAMES)
    with running(MailServer(connections_allowed=1)) as server:
        office = office_of(database, tmp_path, server.port)
        counts = send(office, Meeting(server))

    assert SendCounts(sent=60) == counts
    assert 60 == len(server.recipients) == len(set(server.recipients))


def test_what_a_killed_helper_left_the_leader_sends(database, tmp_path, caplog):
    enter_bills(database, tmp_path, NAMES)

    def kill():
        for process in processes(others(database)):
            os.kill(process, signal.SIGKILL)

    with running(MailServer(delay=0.005)) as server:
        office = office_of(database, tmp_path, server.port)
        counts = send(office, Meeting(server, kill))
        arrived = Counter(server.recipients)

    rows = deliveries(database)
    flagged = {row.address for row in rows if row.possible_duplicate}
    assert {DeliveryStatus.SENT} == {row.status for row in rows}
    assert "" == counts.stopped_by
    assert {address(name) for name in NAMES} == set(arrived)
    assert {to for to, times in arrived.items() if times > 1} <= flagged
    assert len(flagged) <= 1
    assert ["a process that helps to send: it broke down"] == caplog.messages


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_a_helper_loses_nothing(database, tmp_path, how):
    enter_bills(database, tmp_path, NAMES)

    def end():
        for process in processes(others(database)):
            os.kill(process, how)

    with running(MailServer(delay=0.005)) as server:
        office = office_of(database, tmp_path, server.port)
        send(office, Meeting(server, end))
        arrived = Counter(server.recipients)

    rows = deliveries(database)
    flagged = {row.address for row in rows if row.possible_duplicate}
    assert {DeliveryStatus.SENT} == {row.status for row in rows}
    assert {to for to, times in arrived.items() if times > 1} <= flagged
    assert len(flagged) <= 1


def test_an_interrupted_leader_ends_its_helpers_and_gives_back_what_they_held(database, tmp_path):
    enter_bills(database, tmp_path, NAMES)
    helped: set[str] = set()

    def interrupt():
        helped.update(others(database))
        raise KeyboardInterrupt

    with running(MailServer(delay=0.005)) as server:
        office = office_of(database, tmp_path, server.port)
        with pytest.raises(KeyboardInterrupt):
            send(office, Meeting(server, interrupt))
        gone = [not Path(f"/proc/{process}").exists() for process in processes(helped)]

    rows = Counter(row.status for row in deliveries(database))
    assert [True] == gone
    assert set() == holders(database)
    assert rows[DeliveryStatus.IN_DOUBT] <= 2
    assert 60 == sum(rows.values())


@on_sqlite_alone
def test_what_hangs_is_interrupted_when_the_leader_stops(database, tmp_path, monkeypatch):
    monkeypatch.setattr(mail_helpers, "GRACE_SECONDS", 0.05)
    enter_bills(database, tmp_path, NAMES)

    def interrupt():
        server.delay = 3600
        raise KeyboardInterrupt

    with running(MailServer(delay=0.005)) as server:
        office = office_of(database, tmp_path, server.port)
        with pytest.raises(KeyboardInterrupt):
            send(office, Meeting(server, interrupt))

    rows = Counter(row.status for row in deliveries(database))
    assert set() == holders(database)
    assert rows[DeliveryStatus.IN_DOUBT] <= 2
    assert 60 == sum(rows.values())


def test_helpers_of_a_leader_that_is_gone_give_back_what_they_held(database, tmp_path):
    enter_bills(database, tmp_path, NAMES)
    with running(MailServer(delay=0.005)) as server:
        office = office_of(database, tmp_path, server.port)
        leader = start_leader(tmp_path)
        wait_until(lambda: server.greetings > 1)
        owners = holders(database)
        os.kill(leader.pid, signal.SIGKILL)
        leader.join()
        wait_for_end(owners)
        left = holders(database)
        counts = send(office, lambda _counts: None)
        arrived = Counter(server.recipients)

    rows = deliveries(database)
    flagged = {row.address for row in rows if row.possible_duplicate}
    assert {leader.pid} >= set(processes(left))
    assert "" == counts.stopped_by
    assert {DeliveryStatus.SENT} == {row.status for row in rows}
    assert {address(name) for name in NAMES} == set(arrived)
    assert {to for to, times in arrived.items() if times > 1} <= flagged
    assert len(flagged) <= 2


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
@on_sqlite_alone
def test_a_helper_loads_nothing_heavy_and_is_told_no_secret(
    database, tmp_path, monkeypatch, real_programs
):
    enter_bills(database, tmp_path, NAMES)
    commands = []

    def start(command, **options):
        commands.append(command)
        return Popen(command, **options)

    loaded = tmp_path / "loaded"
    monkeypatch.setattr(mail_helpers, "PROGRAM", "tests.office.frank_helper")
    monkeypatch.setattr(children.subprocess, "Popen", start)
    monkeypatch.setenv("BILLCLOSE_TEST_LOADED", str(loaded))
    monkeypatch.setenv("BILLCLOSE_SMTP__PASSWORD", "hunter2!")
    with running(MailServer(login=("billing", "hunter2!"))) as server:
        office = office_of(database, tmp_path, server.port, username="billing")
        counts = send(office, Meeting(server))

    assert SendCounts(sent=60) == counts
    assert [("billing", "hunter2!")] * 2 == server.logins
    assert "hunter2" not in str(commands)
    assert not {"prefect", "pandas", "great_expectations"} & set(loaded.read_text().split())


@on_sqlite_alone
def test_where_no_process_can_be_started_one_sends_all(
    database, tmp_path, monkeypatch, caplog, real_programs
):
    def fail(*_command, **_options):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(children.subprocess, "Popen", fail)
    enter_bills(database, tmp_path, NAMES)
    with running(MailServer()) as server:
        counts = send(office_of(database, tmp_path, server.port), lambda _counts: None)

    said = "no process to help to send could be started: Resource temporarily unavailable"
    assert SendCounts(sent=60) == counts
    assert [said] == caplog.messages


@on_sqlite_alone
def test_a_helper_with_other_settings_sends_nothing(database, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(mail_helpers, "fingerprint", lambda _settings: "of another file")
    started = []
    monkeypatch.setattr(
        mail_sending,
        "start_sender",
        lambda start: started.append(start_sender(start)) or started[-1],
    )
    enter_bills(database, tmp_path, NAMES)

    def wait_for_it(_counts):
        wait_until(lambda: started[0].listen() or started[0].is_over)

    with running(MailServer()) as server:
        counts = send(office_of(database, tmp_path, server.port), wait_for_it)

    said = "a process that helps to send: the settings have changed since the sending began"
    assert SendCounts(sent=60) == counts
    assert [said] == caplog.messages


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        ({"url": URL, "processes": 3}, 3),
        ({"url": URL, "processes": 9, "connections": 5}, 5),
        ({"url": URL, "processes": 3, "messages_per_minute": 6000}, 1),
        ({"url": URL, "processes": 3, "per_domain_per_minute": 6000}, 1),
        ({"processes": 3}, 1),
    ],
)
def test_so_many_processes_may_send(settings, most):
    assert most == most_processes(SmtpSettings(**settings))


def test_without_a_word_from_the_office_every_core_sends_but_four_at_most(monkeypatch):
    found = []
    for cores in (1, 2, 16):
        monkeypatch.setattr(mail_helpers, "processors", lambda cores=cores: cores)
        found.append(most_processes(SmtpSettings(url=URL, connections=8)))

    assert [1, 2, 4] == found


def test_few_mails_are_sent_by_one_process(monkeypatch):
    monkeypatch.undo()

    assert [1, 1, 2, 3, 4, 4] == [worth(4, due) for due in (0, 1_999, 2_000, 3_500, 4_000, 90_000)]


def test_connections_are_shared_out_and_not_multiplied():
    assert [[4], [2, 2], [2, 1, 1], [1, 1, 1, 1]] == [shares(4, number) for number in (1, 2, 3, 4)]


def address(name: str) -> str:
    return f"{name}@customer.example"


def put_off_beyond(database, name):
    later = NOW + timedelta(hours=4)  # an hour after the time that is rehearsed
    change(database, name, status=DeliveryStatus.DEFERRED, next_try_at=later)


def doubt(database, name):
    change(database, name, status=DeliveryStatus.IN_DOUBT, attempts=1)


def change(database, name, **values):
    with database.writing() as books:
        books.execute(delivery.update().where(delivery.c.address == address(name)).values(**values))
