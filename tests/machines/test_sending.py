"""Machines that send at once share the mails out, and none arrives twice."""

from __future__ import annotations

from collections import Counter

from domain.deliveries import DeliveryStatus
from mail.outbox.queueing import queue_bills
from tests.machines.senders import BATCH, start_senders
from tests.mail.builders import NOW, RUN, a_run, deliveries, many_accounts
from tests.mail.servers import MailServer, running

BILLS = 3 * BATCH


def test_two_machines_send_at_once_and_no_mail_twice(database, tmp_path):
    a_run(database)
    many_accounts(database, BILLS)
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")
    journals = [tmp_path / name for name in ("first", "second")]
    for folder in journals:
        folder.mkdir()

    with running(MailServer(pipelines=True)) as server:
        sent = [sender.sent() for sender in start_senders(database.url, journals, server.port)]
        arrived = Counter(server.recipients)

    rows = deliveries(database)
    assert {row.address: 1 for row in rows} == dict(arrived)
    assert {DeliveryStatus.SENT} == {row.status for row in rows}
    assert BILLS == sum(sent)
    assert min(sent) >= BATCH
    assert [] == [row.address for row in rows if row.possible_duplicate]
