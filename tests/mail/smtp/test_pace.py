"""How fast messages go, by a clock that the test turns."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise

from mail.port import OutgoingMessage
from mail.smtp.mailer import SmtpMailer
from mail.smtp.rate_limit import RateLimit, RateLimitedQueue
from mail.smtp.relay import to_relay
from tests.mail.scripted import Fault, Scripted, speaking


def a_message(address: str) -> OutgoingMessage:
    return OutgoingMessage(f"k/r/f/a/{address}", "b@x.example", address, "<1@x>", b"S: x\r\n\r\n")


def play(rate_limited: RateLimitedQueue, seconds: float = 1e9) -> list[tuple[float, str]]:
    """Return when each message goes, by a clock that jumps to the next turn."""
    now, gone = 100.0, []
    while (turn := rate_limited.next(now)) is not None and now < 100 + seconds:
        if isinstance(turn, float):
            assert turn > 0
            now += turn
        else:
            gone.append((round(now - 100, 6), turn.recipient))
    return gone


def test_without_limits_everything_goes_at_once_and_is_asked_for_one_by_one():
    asked: list[str] = []

    def messages():
        for number in range(5):
            asked.append(f"c{number}@x.example")
            yield a_message(asked[-1])

    rate_limited = RateLimitedQueue(messages(), RateLimit(0))
    first = rate_limited.next(0)

    assert isinstance(first, OutgoingMessage)
    assert ["c0@x.example"] == asked
    assert [(0, f"c{number}@x.example") for number in range(1, 5)] == play(rate_limited)


def test_messages_a_minute_are_spaced_evenly():
    messages = [a_message(f"c{number}@x{number}.example") for number in range(6)]

    gone = play(RateLimitedQueue(messages, RateLimit(30)))

    assert [0, 2, 4, 6, 8, 10] == [moment for moment, _ in gone]


def test_each_domain_has_its_own_limit_and_the_others_pass_a_slow_one():
    slow = [a_message(f"c{number}@Big.example") for number in range(4)]
    other = [a_message(f"c{number}@d{number}.example") for number in range(3)]

    gone = play(RateLimitedQueue([*slow, *other], RateLimit(0, 6)))

    assert [
        (0, "c0@Big.example"),
        (0, "c0@d0.example"),
        (0, "c1@d1.example"),
        (0, "c2@d2.example"),
        (10, "c1@Big.example"),
        (20, "c2@Big.example"),
        (30, "c3@Big.example"),
    ] == gone


def test_both_limits_hold_at_once():
    messages = [a_message(f"c{n}@{'big' if n % 2 else f'd{n}'}.example") for n in range(40)]

    gone = play(RateLimitedQueue(messages, RateLimit(60, 12)))

    moments = [moment for moment, _ in gone]
    big = [moment for moment, address in gone if address.endswith("@big.example")]
    assert 40 == len(set(gone))
    assert all(later - earlier >= 1 for earlier, later in pairwise(moments))
    assert all(later - earlier >= 5 for earlier, later in pairwise(big))
    assert moments[-1] == big[-1] <= 20 * 5 + 1


def test_no_more_messages_are_looked_at_than_allowed():
    asked: Counter[str] = Counter()

    def messages():
        for _ in range(1000):
            asked["all"] += 1
            yield a_message("c@big.example")

    rate_limited = RateLimitedQueue(messages(), RateLimit(0, 1), ahead=50)

    assert isinstance(rate_limited.next(0), OutgoingMessage)
    assert isinstance(rate_limited.next(0), float)
    assert 51 >= asked["all"]


def test_domains_whose_turn_has_passed_are_forgotten():
    rate_limit = RateLimit(0, 60)
    for number in range(1000):
        rate_limit.take_turn(f"d{number}.example", float(number))

    assert len(rate_limit._next_of) <= 2


def test_the_limit_holds_from_batch_to_batch():
    rate_limit = RateLimit(60)

    assert [0] == [
        moment for moment, _ in play(RateLimitedQueue([a_message("a@x.example")], rate_limit))
    ]
    assert [1] == [
        moment for moment, _ in play(RateLimitedQueue([a_message("b@x.example")], rate_limit))
    ]


def test_a_domain_with_a_limit_does_not_hold_up_others_on_the_wire():
    script = Scripted()
    names = ["a@big.example", "b@big.example", "c@big.example", "d@x.example", "e@y.example"]

    with speaking(script):
        relay = to_relay(f"smtp://127.0.0.1:{script.port}")
        mailer = SmtpMailer(relay, connections=2, per_domain_per_minute=150)
        started = time.monotonic()
        outcomes = list(mailer.deliver(map(a_message, names)))
        seconds = time.monotonic() - started
        mailer.close()

    assert 5 == len(outcomes)
    assert {"a", "d", "e"} == {kept.name for kept in script.kept[:3]}
    assert ["b", "c"] == [kept.name for kept in script.kept[3:]]
    assert seconds >= 0.8  # however slow the machine is, never sooner


def test_after_a_stall_messages_do_not_go_all_at_once():
    script = Scripted()
    script.faults = [Fault(".", seconds=0.5, times=1)]

    with speaking(script):
        relay = to_relay(f"smtp://127.0.0.1:{script.port}")
        mailer = SmtpMailer(relay, connections=1, messages_per_minute=600)
        moments = []
        for _ in mailer.deliver(a_message(f"c{number}@x.example") for number in range(8)):
            moments.append(time.monotonic())
        mailer.close()

    assert moments[-1] - moments[0] >= 0.1 * 6
