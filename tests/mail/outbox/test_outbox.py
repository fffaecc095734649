"""What is recorded, claimed and marked."""

from __future__ import annotations

import os
from datetime import timedelta
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa

from database.books import Database
from database.owners import this_process
from database.tables import delivery, suppressed_address
from domain.accounts import AccountStatus
from domain.deliveries import DeliveryStatus, MessageKind
from mail.outbox.deliveries import (
    OLD_ENOUGH_TRIES,
    RETRY_DELAYS,
    claim,
    counts,
    mark,
    put_back,
    renew,
)
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_bills, queue_messages
from mail.outbox.recovery import Recovered, recover
from mail.port import MailOutcome, Result
from tests.conftest import POSTGRES, fresh_postgres
from tests.mail.builders import (
    NOW,
    RUN,
    a_run,
    an_account,
    deliveries,
    many_accounts,
    statuses,
)

LEASE = timedelta(minutes=15)


def queue(database: Database) -> int:
    return queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")


def test_a_bill_goes_to_every_mailbox_once_however_often_it_is_recorded(database):
    a_run(database)
    an_account(database, addresses=["Ann@customer.example", "bob@customer.example"])

    recorded = [queue(database), queue(database)]

    assert recorded == [2, 0]
    rows = deliveries(database)
    assert [row.key for row in rows] == [
        "bill/2026-10/utility-bill/01.1037.1/ann@customer.example",
        "bill/2026-10/utility-bill/01.1037.1/bob@customer.example",
    ]
    assert [row.address for row in rows] == ["Ann@customer.example", "bob@customer.example"]
    assert {NOW} == {row.queued_at for row in rows}
    assert all(row.message_id.endswith("@larkspur.example>") for row in rows)
    assert not any("ann" in row.message_id for row in rows)


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"paperless": False}, id="not paperless"),
        pytest.param({"held": True}, id="held out by a waived check"),
        pytest.param({"status": AccountStatus.CLOSED}, id="closed"),
        pytest.param({"ordinals": (1, 2)}, id="two bills of one form"),
        pytest.param({"ordinals": ()}, id="no bill"),
        pytest.param({"addresses": ()}, id="no mailbox"),
    ],
)
def test_nothing_is_recorded_for_an_account_that_is(database, facts):
    a_run(database)
    an_account(database, **facts)

    assert queue(database) == 0


def test_nothing_can_be_recorded_before_the_close(database):
    a_run(database, closed=False)
    an_account(database)

    with pytest.raises(sa.exc.IntegrityError):
        queue(database)

    assert deliveries(database) == []


def test_workers_never_claim_the_same_delivery(database):
    a_run(database)
    many_accounts(database, 60)
    queue(database)
    claimed: list[str] = []

    def work(owner: str) -> None:
        while rows := claim(database, owner, NOW, 7, LEASE):
            claimed.extend(row.key for row in rows)

    workers = [Thread(target=work, args=(f"worker {number}",)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert 60 == len(claimed) == len(set(claimed))


@pytest.mark.parametrize(
    ("result", "status", "next_try"),
    [
        (Result.SENT, DeliveryStatus.SENT, None),
        (Result.FAILED, DeliveryStatus.FAILED, None),
        (Result.DEFERRED, DeliveryStatus.DEFERRED, timedelta(minutes=5)),
        (Result.IN_DOUBT, DeliveryStatus.IN_DOUBT, timedelta(minutes=5)),
    ],
)
def test_an_outcome_is_written_down(database, result, status, next_try):
    a_run(database)
    an_account(database)
    queue(database)
    (row,) = claim(database, "me", NOW, 10, LEASE)

    with database.writing() as books:
        done = mark(books, "me", NOW, [(row, MailOutcome(row.key, result, "because"))])

    (written,) = deliveries(database)
    assert [status] == done
    assert status == written.status
    assert (written.attempts, written.lease_owner, written.lease_until) == (1, None, None)
    assert (NOW if result is Result.SENT else None) == written.sent_at
    assert next_try is None or NOW + next_try == written.next_try_at
    assert counts(database, RUN)[status] == 1
    assert sum(counts(database, RUN).values()) == 1


def test_a_deferred_delivery_is_given_up_after_a_day_of_growing_waits(database):
    a_run(database)
    an_account(database)
    queue(database)
    now, tries = NOW, 0

    while rows := claim(database, "me", now, 10, LEASE):
        tries += 1
        with database.writing() as books:
            mark(books, "me", now, [(rows[0], MailOutcome(rows[0].key, Result.DEFERRED, "450"))])
        now = deliveries(database)[0].next_try_at

    assert len(RETRY_DELAYS) + 1 == tries
    assert timedelta(hours=20) < now - NOW <= timedelta(hours=25)
    assert deliveries(database)[0].status == DeliveryStatus.FAILED


def test_an_outcome_that_comes_after_the_lease_changes_nothing(database, tmp_path):
    a_run(database)
    an_account(database)
    queue(database)
    (row,) = claim(database, "slow", NOW, 10, LEASE)
    recover(database, tmp_path, NOW + LEASE)
    claim(database, "other", NOW + LEASE, 10, LEASE)

    with database.writing() as books:
        mark(books, "slow", NOW, [(row, MailOutcome(row.key, Result.FAILED))])

    (written,) = deliveries(database)
    assert (written.status, written.lease_owner) == (DeliveryStatus.SENDING, "other")


def test_a_lease_is_renewed_for_what_is_still_under_way(database, tmp_path):
    a_run(database)
    many_accounts(database, 2)
    queue(database)
    first, _ = claim(database, "me", NOW, 10, LEASE)

    with database.writing() as books:
        mark(books, "me", NOW + LEASE / 2, [(first, MailOutcome(first.key, Result.SENT))])
        renew(books, "me", NOW + LEASE / 2 + LEASE)

    assert Recovered() == recover(database, tmp_path, NOW + LEASE)
    assert Recovered(in_doubt=1) == recover(database, tmp_path, NOW + 2 * LEASE)


def test_what_a_lost_worker_was_sending_is_sent_again_as_a_possible_duplicate(database, tmp_path):
    a_run(database)
    an_account(database)
    queue(database)
    (before,) = claim(database, "lost", NOW, 10, LEASE)

    later = NOW + LEASE
    recover(database, tmp_path, later)
    waiting = deliveries(database)[0]
    held_back = claim(database, "me", later, 10, LEASE, resend_in_doubt=False)
    (again,) = claim(database, "me", later, 10, LEASE)

    assert (waiting.status, waiting.possible_duplicate) == (DeliveryStatus.IN_DOUBT, False)
    assert held_back == []
    assert (before.key, before.message_id) == (again.key, again.message_id)
    assert deliveries(database)[0].possible_duplicate


def test_a_dead_process_is_not_waited_for_and_a_living_one_is(database, tmp_path):
    a_run(database)
    many_accounts(database, 2)
    queue(database)
    host, process, *_ = this_process().split("|")
    claim(database, this_process("living"), NOW, 1, LEASE)
    claim(database, f"{host}|{process}|before.1|", NOW, 1, LEASE)

    assert Recovered(in_doubt=1) == recover(database, tmp_path, NOW)


def test_what_was_put_back_has_used_no_attempt(database):
    a_run(database)
    many_accounts(database, 2)
    queue(database)
    stopped, refused = claim(database, "me", NOW, 10, LEASE)

    with database.writing() as books:
        put_back(books, "me", NOW, [stopped])
        put_back(books, "me", NOW, [refused], "no connection to the relay")

    assert {DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED} == set(statuses(database).values())
    assert {0} == {row.attempts for row in deliveries(database)}
    assert len(claim(database, "me", NOW, 10, LEASE)) == 2


def test_a_mailbox_that_puts_us_off_for_days_is_given_up_after_four_tries(database):
    a_run(database)
    an_account(database)
    queue(database)
    old = NOW + timedelta(days=3)

    found = []
    for day in range(OLD_ENOUGH_TRIES):
        (row,) = claim(database, "me", old + timedelta(days=day), 10, LEASE)
        with database.writing() as books:
            late = old + timedelta(days=day)
            found += mark(books, "me", late, [(row, MailOutcome(row.key, Result.DEFERRED, "450"))])

    deferred = [DeliveryStatus.DEFERRED] * (OLD_ENOUGH_TRIES - 1)
    assert [*deferred, DeliveryStatus.FAILED] == found


@pytest.mark.parametrize("status", ["queued", "deferred", "in-doubt"])
def test_nothing_goes_to_a_mailbox_that_was_suppressed_meanwhile(database, status):
    a_run(database)
    many_accounts(database, 5)
    queue(database)
    with database.writing() as books:
        books.execute(delivery.update().values(status=status))
        for number in (0, 1, 3):
            mailbox = f"c{number}@customer.example"
            books.execute(
                suppressed_address.insert().values(mailbox=mailbox, since=NOW, reason="gone")
            )
        books.execute(
            delivery.update()
            .where(delivery.c.account == "0003")
            .values(address="C3@Customer.EXAMPLE")
        )

    claimed = claim(database, "me", NOW, 3, LEASE)

    assert {"0002", "0004"} == {row.account for row in claimed}
    failed = [row for row in deliveries(database) if row.status == DeliveryStatus.FAILED]
    assert ["0000", "0001", "0003"] == [row.account for row in failed]
    assert {("nothing is sent to this mailbox any more: it is suppressed", 0)} == {
        (row.error, row.attempts) for row in failed
    }


def test_only_kinds_that_somebody_can_make_are_claimed(database):
    a_run(database)
    an_account(database)
    queue(database)
    alert = PlannedMessage(MessageKind.ALERT, "close/2026-10", "office@larkspur.example")
    with database.writing() as books:
        both = [queue_messages(books, [alert], now=NOW, message_domain="x.example") for _ in "12"]

    (claimed,) = claim(database, "me", NOW, 10, LEASE, kinds=[MessageKind.ALERT])

    assert [1, 0] == both
    assert ("alert/close%2F2026-10///office@larkspur.example", "close/2026-10", "", None) == (
        claimed.key,
        claimed.about,
        claimed.account,
        claimed.period,
    )


def test_two_deliveries_that_would_share_a_message_id_are_not_swallowed(database):
    a_run(database)
    an_account(database)
    queue(database)
    with database.writing() as books:
        books.execute(delivery.update().values(key="another"))

    with pytest.raises(ValueError, match="Message-IDs or tokens of 1 messages are other messages'"):
        queue(database)


def test_two_machines_that_insert_in_the_same_moment_record_once(empty_postgres):
    """Each machine looks for the other's row, sees none, and is slow to write its own."""
    slow_writes = """
        CREATE FUNCTION slowly(text) RETURNS text IMMUTABLE LANGUAGE plpgsql
            AS 'BEGIN PERFORM pg_sleep(0.2); RETURN $1; END';
        CREATE INDEX slow ON delivery (slowly(kind));
        ALTER TABLE delivery DROP CONSTRAINT uq_delivery_message_id;
        ALTER TABLE delivery ADD CONSTRAINT uq_delivery_message_id UNIQUE (message_id);
        ALTER TABLE delivery DROP CONSTRAINT pk_delivery CASCADE;
        ALTER TABLE delivery ADD CONSTRAINT pk_delivery PRIMARY KEY (key);
    """
    alert = PlannedMessage(MessageKind.ALERT, "disk-full/2026-11-03", "ops@larkspur.example")
    ready, counts = Barrier(2), []

    def work() -> None:
        with database.writing() as books:
            ready.wait()
            counts.append(queue_messages(books, [alert], now=NOW, message_domain="x.example"))

    with fresh_postgres(os.environ[POSTGRES], empty_postgres) as url:
        database = Database(url)
        with database.writing() as books:
            books.exec_driver_sql(slow_writes)
        machines = [Thread(target=work) for _ in range(2)]
        for machine in machines:
            machine.start()
        for machine in machines:
            machine.join()
        recorded = len(deliveries(database))
        database.close()

    assert [0, 1] == sorted(counts)
    assert 1 == recorded
