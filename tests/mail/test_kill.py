"""A sender that is killed again and again loses nothing."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from domain.deliveries import DeliveryStatus
from mail.queueing import queue_bills
from tests.mail.builders import NOW, RUN, a_run, deliveries, many_accounts
from tests.mail.servers import MailServer, running

BILLS = 300
KILLS = 6
CONNECTIONS = 4
GROUP = 16  # outcomes that may not be written down yet


def test_nothing_is_lost_and_every_duplicate_was_to_be_expected(database):
    a_run(database)
    many_accounts(database, BILLS)
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")
    chance = random.Random(20261102)

    with running(MailServer(delay=0.004)) as server:
        kills = 0
        while kills < KILLS:
            sender = start(database.url, server.port)
            wait_for_mail(server, sender)
            time.sleep(chance.uniform(0, 0.08))
            if sender.poll() is not None:
                break
            sender.kill()
            assert sender.wait() == -9
            kills += 1
        assert kills >= 4
        last = start(database.url, server.port)
        assert last.wait(60) == 0
        arrived = Counter(server.recipients)

    rows = deliveries(database)
    duplicates = {address for address, times in arrived.items() if times > 1}
    assert {DeliveryStatus.SENT} == {row.status for row in rows}
    assert {row.address for row in rows} == set(arrived)
    assert duplicates <= {row.address for row in rows if row.possible_duplicate}
    assert sum(arrived.values()) - BILLS <= kills * (CONNECTIONS + GROUP)


def start(url: str, port: int) -> subprocess.Popen[str]:
    script = Path(__file__).with_name("sender_process.py")
    return subprocess.Popen(
        [sys.executable, script, url, str(port)], stdout=subprocess.DEVNULL, text=True
    )


def wait_for_mail(server: MailServer, sender: subprocess.Popen[str]) -> None:
    """Wait until the sender has delivered something, or is done."""
    before, end = len(server.accepted), time.monotonic() + 20
    while len(server.accepted) == before and sender.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
