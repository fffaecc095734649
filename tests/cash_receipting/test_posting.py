"""Entering what was taken: once each, oldest first, whatever the service does."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from cash_receipting.port import Receipt
from cash_receipting.posting import PostingCounts, post_due
from cash_receipting.queue import claim, list_due, make_due, mark_asked
from database.postings import count_unposted, require_posted
from database.tables import posting
from domain.failures import Refused
from domain.money import Money
from domain.payments import PostingKind, PostingState
from office.procedures.posting import say_posting
from tests.builders import post_payment
from tests.cash_receipting.builders import (
    MINUTE,
    NOW,
    Clock,
    Counter,
    always,
    payment_row,
    receipt_key,
    rows,
    states,
    take,
)


@pytest.fixture
def clock():
    return Clock()


def post(database, counter, clock, **options):
    return post_due(database, counter, clock, chance=always(0.5), **options)


def test_what_was_taken_is_posted_oldest_money_first_with_the_numbers_of_both_sides(books, clock):
    """Rules 78, 85."""
    take(books, [3, 1, 2])
    counter = Counter()

    counts = post(books, counter, clock)

    assert [f"post {receipt_key(number)}" for number in (1, 2, 3)] == counter.calls
    assert (3, Money(240_06), 0, 0, "") == (
        counts.posted, counts.amount, counts.put_off, counts.rejected, counts.stopped_by,
    )  # fmt: skip
    row = rows(books)[receipt_key(1)]
    assert (PostingState.POSTED, "R1", NOW, None) == (
        row.state, row.receipt, row.posted_at, row.error,
    )  # fmt: skip
    first = counter.booked[0]
    assert ("SB00000001", "01.0001.1") == (first.confirmation, first.account)
    assert "2026-11-13" == first.taken_on.isoformat()


@pytest.mark.parametrize("threads", [1, 2])
def test_so_many_threads_ask_and_one_asks_in_turn_where_the_caller_is(
    books, clock, monkeypatch, threads
):
    take(books, range(1, 8))  # in batches of one, two and four
    counter, asking = Counter(), set()
    booked = counter.post

    def note(request):
        asking.add(threading.get_ident())
        return booked(request)

    monkeypatch.setattr(counter, "post", note)

    counts = post(books, counter, clock, threads=threads)

    assert 7 == counts.posted
    assert (threads == 1) == (asking == {threading.get_ident()})


def test_posting_again_asks_for_nothing(books, clock):
    take(books, [1])
    post(books, counter := Counter(), clock)

    post(books, counter, clock)

    assert 1 == len(counter.calls)


def test_an_answer_that_was_lost_is_looked_up_and_never_booked_twice(books, clock):
    take(books, [1])
    counter = Counter(["lost"], keeps_keys=False)
    assert 1 == post(books, counter, clock).put_off
    assert ["submitted"] == states(books)

    clock.move(timedelta(hours=1))
    post(books, counter, clock)

    assert ["posted"] == states(books)
    assert [receipt_key(1)] == counter.booked_keys()


def test_a_system_without_keys_is_given_time_before_it_is_asked_again(books, clock):
    take(books, [1])
    counter = Counter(["late"], keeps_keys=False, longest_in_flight=timedelta(hours=1))
    post(books, counter, clock)
    clock.move(30 * MINUTE)
    post(books, counter, clock)
    assert ["submitted"] == states(books)

    counter.arrive()
    clock.move(60 * MINUTE)
    post(books, counter, clock)

    assert ["posted"] == states(books)
    assert [receipt_key(1)] == counter.booked_keys()


def test_a_system_without_keys_is_asked_again_once_nothing_can_arrive_any_more(books, clock):
    take(books, [1])
    counter = Counter(["never"], keeps_keys=False, longest_in_flight=timedelta(minutes=5))
    post(books, counter, clock)

    clock.move(10 * MINUTE)
    post(books, counter, clock)

    assert ["posted"] == states(books)


def test_a_refused_posting_waits_for_a_person_and_the_others_go_on(books, clock):
    """Rules 85, 86."""
    take(books, [1, 2])
    counter = Counter(["refused"])

    counts = post(books, counter, clock)

    assert (1, 1) == (counts.posted, counts.rejected)
    row = rows(books)[receipt_key(1)]
    assert (PostingState.REJECTED, "no such account", None) == (row.state, row.error, row.asked_at)


def test_what_the_service_surely_has_not_is_tried_later_and_later(books, clock):
    take(books, [1])
    counter = Counter(["down", "down"])
    waits = []
    for _ in range(2):
        post(books, counter, clock)
        row = rows(books)[receipt_key(1)]
        waits.append(row.next_retry_at - clock.now)
        clock.now = row.next_retry_at

    assert [MINUTE, 2 * MINUTE] == waits
    assert (PostingState.PENDING, 2) == (row.state, row.attempts)


def test_a_reversal_waits_for_its_receipt_and_names_it(books, clock):
    take(books, [1])
    with books.writing() as connection:
        post_payment(connection, payment_row(connection, 1), PostingKind.REVERSAL, now=NOW)
    counter = Counter(["refused"])
    post(books, counter, clock)
    assert ["rejected", "pending"] == states(books)

    with books.writing() as connection:
        connection.execute(
            posting.update()
            .where(posting.c.kind == PostingKind.RECEIPT)
            .values(state=PostingState.POSTED, receipt="R77")
        )
    post(books, counter, clock)

    assert (PostingKind.REVERSAL, "R77") == (counter.booked[0].kind, counter.booked[0].reverses)


def test_a_reversal_waits_for_what_was_won_back_before_it(books, clock):
    """Disputed, won, disputed again: cash receipting has nothing to take back before the second."""
    take(books, [1])
    with books.writing() as connection:
        payment = payment_row(connection, 1)
        connection.execute(
            posting.update().values(state=PostingState.POSTED, receipt="R1", posted_at=NOW)
        )
        for minute, (kind, name) in enumerate(
            (("reversal", "dispute/1"), ("receipt", "reinstated/1"), ("reversal", "dispute/2"))
        ):
            at = NOW + timedelta(minutes=minute)
            post_payment(connection, payment, PostingKind(kind), now=at, entry_key=name)

    with books.writing() as connection:
        connection.execute(
            posting.update()
            .where(posting.c.entry_key == "reinstated/1")
            .values(next_retry_at=NOW + timedelta(days=1))
        )
    due = list_due(books, NOW + timedelta(hours=1))
    make_due(books, NOW + timedelta(hours=1))
    both = list_due(books, NOW + timedelta(hours=1))

    assert ["reversal/dispute/1"] == due
    assert ["reversal/dispute/1", "receipt/reinstated/1"] == both


def test_a_receipt_of_another_amount_is_for_a_person(books, clock):
    class Mistaken(Counter):
        def post(self, request):
            return Receipt("R1", request.key, request.account, Money(1))

    take(books, [1])

    post(books, Mistaken(), clock)

    row = rows(books)[receipt_key(1)]
    assert PostingState.REJECTED is row.state
    assert "another account or amount" in row.error


@pytest.mark.parametrize(
    "rejected, says, says_not",
    [
        ([], "run `billclose retry-postings --now`, or go on", "--again"),
        ([1, 2, 3], "says of each, then run `billclose retry-postings --again", "--now"),
        ([2], "--now`; 1 of them wait for a person: put right what", "of each"),
    ],
)
def test_the_refusal_says_what_moves_what_is_stuck(books, clock, rejected, says, says_not):
    take(books, [1, 2, 3])
    plan = ["refused" if number in rejected else "never" for number in (1, 2, 3)]
    post(books, Counter(plan), clock)
    clock.move(timedelta(hours=2))

    with pytest.raises(Refused) as refused:
        require_posted(books, clock.now, timedelta(hours=1))

    left = count_unposted(books)
    told = say_posting(PostingCounts(), left)
    assert "postings-stuck" == refused.value.code
    assert says in str(refused.value)
    assert says_not not in str(refused.value)
    assert len(rejected) == left.rejected
    assert bool(rejected) == ("until somebody decides" in told)


def test_what_a_killed_worker_had_is_free_after_its_lease_and_looked_up_first(books, clock):
    take(books, [1])
    claimed = claim(books, [receipt_key(1)], NOW, due_by=NOW)
    mark_asked(books, claimed, NOW)
    counter = Counter()
    post(books, counter, clock)
    assert [] == counter.calls

    clock.move(5 * MINUTE)
    post(books, counter, clock)

    assert [f"find {receipt_key(1)}", f"post {receipt_key(1)}"] == counter.calls


def test_two_workers_never_have_the_same_posting(books):
    take(books, [1, 2])

    first = claim(books, [receipt_key(1), receipt_key(2)], NOW, due_by=NOW)
    second = claim(books, [receipt_key(1), receipt_key(2)], NOW, due_by=NOW)

    assert (2, 0) == (len(first), len(second))


def test_after_seven_days_a_person_must_look(books, clock):
    take(books, [1, 2])
    clock.move(timedelta(days=8))
    with books.writing() as connection:
        connection.execute(posting.update().values(next_retry_at=clock.now))
    counter = Counter(["ok", "never"])

    post(books, counter, clock)

    assert ["posted", "rejected"] == states(books)
    assert rows(books)[receipt_key(2)].asked_at == clock.now  # looked up before all else


def test_an_outage_condemns_no_posting_however_old_it_is(books, clock):
    take(books, [1])
    clock.move(timedelta(days=8))

    post(books, Counter(["down"]), clock)

    assert ["pending"] == states(books)


def test_recording_a_posting_twice_is_recording_it_once_but_never_with_another_amount(books):
    take(books, [1])
    with books.writing() as connection:
        payment = payment_row(connection, 1)
        again = post_payment(connection, payment, now=NOW)
        with pytest.raises(ValueError, match="another account or amount"):
            post_payment(connection, payment, amount=Money(1), now=NOW)

    assert (False, 1) == (again, len(rows(books)))
