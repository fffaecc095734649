"""What a person decides about single mails."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.tables import audit, delivery, suppressed_address
from domain.deliveries import DeliveryStatus, MessageKind
from domain.failures import Misuse, Refused
from mail.outbox.decisions import (
    Corrected,
    DeliveryDecision,
    confirm,
    read_outbox_summary,
    send_again,
    send_failed_again,
)
from mail.outbox.deliveries import count_possible_duplicates
from mail.outbox.queueing import queue_bills
from mail.recipients.suppressed import put_on_paper, suppressed_mailboxes, waiting_runs
from tests.mail.builders import NOW, RUN, a_run, deliveries, many_accounts

LATER = NOW + timedelta(hours=3)
DECISION = DeliveryDecision("clerk", "the log says so", LATER, LATER)


@pytest.fixture
def mails(database):
    """One mail of each status, by status."""
    a_run(database)
    many_accounts(database, 5)
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")
    found = dict(
        zip(("sent", "failed", "in-doubt", "deferred", "queued"), deliveries(database), strict=True)
    )
    with database.writing() as books:
        for status, row in found.items():
            books.execute(
                delivery.update()
                .where(delivery.c.key == row.key)
                .values(status=status, attempts=3, error="450 later", sent_at=None)
            )
    return found


def written(database, row):
    with database.reading() as books:
        return books.execute(sa.select(delivery).where(delivery.c.key == row.key)).one()


def suppress(database, row):
    with database.writing() as books:
        books.execute(
            suppressed_address.insert().values(
                mailbox=row.address.casefold(), since=NOW, reason="gone"
            )
        )


@pytest.mark.parametrize(("status", "is_duplicate"), [("failed", False), ("in-doubt", True)])
def test_what_is_sent_again_begins_anew(database, mails, status, is_duplicate):
    done = send_again(database, [mails[status].message_id], DECISION)

    row = written(database, mails[status])
    assert Corrected(1) == done
    assert (DeliveryStatus.QUEUED, 0, None, LATER) == (
        row.status,
        row.attempts,
        row.error,
        row.next_try_at,
    )
    assert is_duplicate == row.possible_duplicate
    assert (mails[status].message_id, NOW) == (row.message_id, row.queued_at)
    with database.reading() as books:
        (act,) = books.execute(sa.select(audit))
    assert ("clerk", "send mail again") == (act.who, act.action)
    assert f"bill {RUN} {row.account}" == act.subject
    assert f"the log says so (it was {status})" == act.detail


@pytest.mark.parametrize("status", ["sent", "deferred", "queued"])
def test_a_mail_that_needs_nobody_is_not_sent_again_nor_any_with_it(database, mails, status):
    with pytest.raises(Refused, match=f"is {status}, not failed or in doubt"):
        send_again(database, [mails["failed"].key, mails[status].key], DECISION)

    assert DeliveryStatus.FAILED == written(database, mails["failed"]).status


def test_a_name_that_no_mail_has_changes_nothing(database, mails):
    with pytest.raises(Misuse, match="1 of the 2 names"):
        send_again(database, [mails["failed"].key, "<x@y>"], DECISION)

    assert DeliveryStatus.FAILED == written(database, mails["failed"]).status


def test_all_that_failed_of_a_period_goes_again_and_suppressed_mailboxes_if_wanted(database, mails):
    with database.writing() as books:
        books.execute(delivery.update().values(status=DeliveryStatus.FAILED))
    suppress(database, mails["sent"])

    one = send_failed_again(database, RUN, mails["queued"].account, DECISION)
    rest = send_failed_again(database, RUN, None, DECISION, leave_suppressed=True)
    all_of_them = send_failed_again(database, RUN, None, DECISION)

    assert (Corrected(1), Corrected(3, suppressed=1), Corrected(1)) == (one, rest, all_of_them)
    assert DeliveryStatus.QUEUED == written(database, mails["sent"]).status
    with database.reading() as books:
        assert frozenset() == suppressed_mailboxes(books)
        acts = [row.action for row in books.execute(sa.select(audit)) if "lift" in row.action]
    assert ["lift suppression"] == acts


def test_a_bill_that_goes_by_mail_again_is_taken_out_of_the_print_batch(database, mails):
    with database.writing() as books:
        books.execute(delivery.update().values(status=DeliveryStatus.FAILED))
        put_on_paper(books, RUN)
        before = waiting_runs(books)

    send_failed_again(database, RUN, mails["failed"].account, DECISION)

    with database.reading() as books:
        assert ({RUN: 5}, {RUN: 4}) == (before, waiting_runs(books))


def test_a_suppressed_mailbox_is_not_written_to_by_name(database, mails):
    suppress(database, mails["failed"])

    with pytest.raises(Refused, match="is suppressed"):
        send_again(database, [mails["failed"].key], DECISION)


def test_what_the_log_shows_to_have_left_is_sent(database, mails):
    done = confirm(database, [mails["in-doubt"].message_id], DECISION)

    row = written(database, mails["in-doubt"])
    assert Corrected(1) == done
    assert (DeliveryStatus.SENT, LATER, None) == (row.status, row.sent_at, row.error)
    with pytest.raises(Refused, match="not in doubt"):
        confirm(database, [mails["failed"].key], DECISION)


def test_the_outbox_says_how_it_stands(database, mails):
    with database.writing() as books:
        books.execute(
            delivery.update()
            .where(delivery.c.status == DeliveryStatus.SENT)
            .values(possible_duplicate=True, error=None)
        )

    found = read_outbox_summary(database, RUN)

    assert {MessageKind.BILL: dict.fromkeys(DeliveryStatus, 1)} == {
        kind: counts | {DeliveryStatus.SENDING: 1} for kind, counts in found.counts.items()
    }
    assert (3, 1, NOW, {"450 later": 3}) == (
        found.waiting,
        found.possible_duplicates,
        found.oldest_waiting,
        found.reasons,
    )
    assert 1 == count_possible_duplicates(database, RUN)
    assert {} == read_outbox_summary(database, "2026-11").counts
