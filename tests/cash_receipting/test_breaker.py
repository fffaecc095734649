"""A silent service is left alone, tried by one worker at a time, and told of once."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from cash_receipting.circuit_breaker import Breaker, Leave, News, take_news
from cash_receipting.posting import post_due
from cash_receipting.queue import list_due
from tests.cash_receipting.builders import MINUTE, NOW, Clock, Counter, always, states, take
from tests.release import so_many

SERVICE = "cash receipting"
ROUNDS = so_many(2, release=6)  # a minute, in which a silent service might be asked


@pytest.fixture
def breaker(books):
    return Breaker(books, SERVICE, always(0.5))


def open_it(breaker, at=NOW) -> None:
    for _ in range(3):
        breaker.note_failure(at, "no answer")


def news(database, at):
    with database.writing() as books:
        found = take_news(books, SERVICE, at)
    return found and found[0]


def test_it_opens_after_three_failures_in_a_row(breaker):
    breaker.note_failure(NOW, "no answer")
    breaker.note_failure(NOW, "no answer")
    breaker.note_success()
    breaker.note_failure(NOW, "no answer")
    breaker.note_failure(NOW, "no answer")
    assert Leave.ASK is breaker.ask_leave(NOW)

    breaker.note_failure(NOW, "no answer")

    assert Leave.WAIT is breaker.ask_leave(NOW)


def test_one_worker_at_a_time_probes_and_a_gone_one_is_replaced(breaker):
    open_it(breaker)
    later = NOW + MINUTE

    assert [Leave.PROBE, Leave.WAIT] == [breaker.ask_leave(later), breaker.ask_leave(later)]
    assert Leave.PROBE is breaker.ask_leave(later + 3 * MINUTE)


def test_a_clerk_who_says_now_probes_at_once(breaker):
    """Rule 87."""
    open_it(breaker)

    assert Leave.PROBE is breaker.ask_leave(NOW, forced=True)


def test_a_short_failure_is_no_news(books, breaker):
    open_it(breaker)
    assert news(books, NOW + MINUTE) is None

    breaker.note_success()

    assert news(books, NOW + 5 * MINUTE) is None


def test_the_office_is_told_once_that_it_is_down_and_once_that_it_is_back(books, breaker):
    """Rule 187."""
    open_it(breaker)
    down = [news(books, NOW + minutes * MINUTE) for minutes in (2, 3, 60)]
    breaker.note_success()
    back = [news(books, NOW + minutes * MINUTE) for minutes in (61, 62)]

    assert [News.DOWN, None, None] == down
    assert [News.BACK, None] == back


@pytest.mark.release("postgresql")  # the same few statements, hundreds of times
def test_two_silent_hours_cost_a_dozen_requests_and_then_everything_is_posted(books):
    take(books, range(1, 301))
    counter, clock, chance = Counter(is_down=True), Clock(), random.Random(7).random
    while clock.now < NOW + timedelta(hours=2):
        post_due(books, counter, clock, chance=chance)
        clock.move(MINUTE / ROUNDS)
    while_down = len(counter.calls)

    counter.is_down = False
    rounds = 0
    while {"posted"} != set(states(books)):
        clock.move(MINUTE)
        post_due(books, counter, clock, chance=chance)
        rounds += 1

    assert 10 <= while_down <= 20
    assert rounds <= 20  # fifteen minutes between probes, and what failed first rests a little
    assert 300 == len(counter.booked)


def test_one_bad_posting_does_not_keep_the_others_waiting(books):
    class Picky(Counter):
        def post(self, request):
            if request.account == "01.0001.1":
                self.plan.insert(0, "never")
            return super().post(request)

    take(books, [1])
    counter, clock = Picky(), Clock()
    for _ in range(10):
        post_due(books, counter, clock, chance=always(0.5), forced=True)
        clock.move(MINUTE)
    take(books, [2])

    clock.move(timedelta(minutes=30))
    post_due(books, counter, clock, chance=always(0.5))

    assert ["submitted", "posted"] == states(books)


def test_what_is_due_stays_due_while_the_service_is_down(books, breaker):
    take(books, [1, 2])
    open_it(breaker)

    counts = post_due(books, counter := Counter(), Clock(), chance=always(0.5))

    assert ([], 2) == (counter.calls, len(list_due(books, NOW)))
    assert "tried again later" in counts.stopped_by
