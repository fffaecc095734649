"""Senders that are killed again and again lose nothing, and double only what was in doubt."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

import pytest

from database.tables import delivery
from domain.deliveries import DeliveryStatus
from mail.outbox.queueing import queue_bills
from mail.outbox.recovery import Recovered, recover
from tests.mail.builders import NOW, RUN, a_run, deliveries, many_accounts
from tests.mail.sender_process import CONNECTIONS, start_sender
from tests.mail.servers import MailServer, running

BILLS = 300
RUNS = int(os.environ.get("BILLCLOSE_TEST_KILL_RUNS", "2"))  # 200 before a release
KILLS = 4  # a run, at most


@dataclass
class Figures:
    kills: int = 0
    in_doubt: int = 0
    most_in_doubt: int = 0  # after one kill
    duplicates: int = 0
    lost: int = 0


@pytest.fixture
def journals(tmp_path):
    folder = tmp_path / "outbox"
    folder.mkdir()
    return folder


@pytest.mark.release("postgresql")  # the outbox's statements are tested there one by one
@pytest.mark.timeout(900 + 30 * RUNS)
def test_nothing_is_lost_and_only_what_was_in_doubt_is_doubled(database, journals):
    a_run(database)
    many_accounts(database, BILLS)
    chance = random.Random(20261102)
    figures = Figures()

    for _ in range(RUNS):
        start_over(database)
        with running(MailServer(delay=0.004, pipelines=True)) as server:
            send_and_kill(database, journals, server, chance, figures)
            arrived = Counter(server.recipients)
        rows = deliveries(database)
        flagged = {row.address for row in rows if row.possible_duplicate}
        figures.duplicates += sum(arrived.values()) - len(arrived)
        figures.lost += len({row.address for row in rows} - set(arrived))

        assert {DeliveryStatus.SENT} == {row.status for row in rows}
        assert {address for address, times in arrived.items() if times > 1} <= flagged

    print(f"{RUNS} runs: {figures}")
    assert figures.lost == 0
    assert figures.kills >= RUNS
    assert figures.most_in_doubt <= CONNECTIONS
    assert figures.duplicates <= figures.in_doubt


def test_a_kill_while_others_send_takes_nothing_from_them(database, journals):
    a_run(database)
    many_accounts(database, BILLS)
    start_over(database)

    with running(MailServer(delay=0.01, pipelines=True)) as server:
        senders = [start_sender(database.url, journals, server.port) for _ in range(3)]
        wait_for_mail(server, senders[0], 30)
        os.kill(senders[0].pid or 0, signal.SIGKILL)
        senders[0].join()
        found = recover(database, journals, NOW)
        rest = start_sender(database.url, journals, server.port)
        for sender in (*senders[1:], rest):
            sender.join(60)
        arrived = Counter(server.recipients)

    rows = deliveries(database)
    assert [0, 0, 0] == [sender.exitcode for sender in (*senders[1:], rest)]
    assert {DeliveryStatus.SENT} == {row.status for row in rows}
    assert found.in_doubt <= CONNECTIONS
    assert set(arrived) == {row.address for row in rows}
    flagged = {row.address for row in rows if row.possible_duplicate}
    assert {address for address, times in arrived.items() if times > 1} <= flagged
    assert len(flagged) <= CONNECTIONS


def start_over(database):
    with database.writing() as books:
        books.execute(delivery.delete())
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")


def send_and_kill(database, journals, server, chance, figures):
    """Kill some senders, each at a random moment of its work, and let the last one finish."""
    for _ in range(KILLS):
        sender = start_sender(database.url, journals, server.port)
        if chance.random() < 0.2:
            time.sleep(chance.uniform(0, 0.15))  # while it starts, recovers and claims
        else:
            wait_for_mail(server, sender, chance.randrange(1, 60))
            time.sleep(chance.uniform(0, 0.02))
        if not sender.is_alive():
            break
        os.kill(sender.pid or 0, signal.SIGKILL)
        sender.join()
        assert sender.exitcode == -signal.SIGKILL
        found = recover(database, journals, NOW)
        figures.kills += 1
        figures.in_doubt += found.in_doubt
        figures.most_in_doubt = max(figures.most_in_doubt, found.in_doubt)
    last = start_sender(database.url, journals, server.port)
    last.join(60)
    assert last.exitcode == 0
    assert Recovered() == recover(database, journals, NOW)


def wait_for_mail(server: MailServer, sender: BaseProcess, number: int) -> None:
    """Wait until so many more mails have come, or the sender is done."""
    wanted, end = len(server.accepted) + number, time.monotonic() + 20
    while len(server.accepted) < wanted and sender.is_alive() and time.monotonic() < end:
        time.sleep(0.001)
