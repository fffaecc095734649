"""Collecting that ends anywhere, and is begun again: every payment is drawn once."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest

from database.tables import gateway_payment
from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from domain.money import Money
from domain.payments import Advice, DrawState, PaymentState
from payments.port import DrawAnswer, DrawResult, GatewayMisuse
from tests.payments.collecting_builders import a_collector, paying


class PowerCut(BaseException):
    """What nobody catches."""


class Interrupted:
    """Books with something that happens before or after a commit of theirs."""

    def __init__(self, database, at: int, by, *, before: bool = False) -> None:
        self._database, self._at, self._by, self._before = database, at, by, before
        self._commits = 0

    def __getattr__(self, name):
        return getattr(self._database, name)

    @contextmanager
    def writing(self):
        self._commits += 1
        is_now = self._commits == self._at
        with self._database.writing() as books:
            yield books
            if is_now and self._before:
                self._by()
        if is_now and not self._before:
            self._by()


def power_cut():
    raise PowerCut


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("commit", [1, 2, 3, 4])
def test_after_a_power_cut_every_payment_is_drawn_once(database, tmp_path, commit, before):
    office = a_collector(database, tmp_path, paying("1"), paying("2"), paying("3"))
    office.database = Interrupted(database, commit, power_cut, before=before)

    with pytest.raises(PowerCut):
        office.collect()

    office.database = database
    office.collect()
    office.wait(minutes=5)
    office.look_up()
    office.collect()
    assert [80_00] * 3 == [cents for _, cents in office.taken()]
    assert [[("receipt", Money(80_00))]] * 3 == [office.postings(key) for key in "123"]
    assert [Money(80_00)] * 3 == [office.paid(key) for key in "123"]


class Gateway:
    """A gateway between us and the sandbox, where one call goes otherwise."""

    def __init__(self, gateway, **otherwise) -> None:
        self._gateway, self._otherwise = gateway, otherwise

    def __getattr__(self, name):
        chosen = self._otherwise.get(name)
        if chosen is None:
            return getattr(self._gateway, name)
        return lambda *arguments: chosen(getattr(self._gateway, name), *arguments)


def fails(failure):
    def call(_real, *_arguments):
        raise failure

    return call


def works_then_fails(failure):
    def call(real, *arguments):
        real(*arguments)
        raise failure

    return call


@pytest.mark.parametrize("call", ["prepare", "confirm"])
def test_after_a_power_cut_in_a_call_every_payment_is_drawn_once(database, tmp_path, call):
    office = a_collector(database, tmp_path, paying("1"), paying("2"))
    with pytest.raises(PowerCut):
        office.collect(gateway=Gateway(office.gateway, **{call: works_then_fails(PowerCut())}))

    office.collect()
    office.wait(minutes=5)
    office.look_up()
    office.collect()

    assert [80_00] * 2 == [cents for _, cents in office.taken()]
    assert [PaymentState.SUCCEEDED] * 2 == [office.state("1"), office.state("2")]


@pytest.mark.parametrize("call", ["prepare", "confirm"])
def test_a_gateway_that_is_down_stops_the_work_and_loses_nothing(database, tmp_path, call):
    asked = []

    def down(_real, *_arguments):
        asked.append(call)
        raise TemporaryFailure("the gateway is down")

    office = a_collector(database, tmp_path, *(paying(str(number)) for number in range(1, 5)))

    counts = office.collect(gateway=Gateway(office.gateway, **{call: down}))

    assert (3, 4, "the gateway is down") == (len(asked), counts.put_off, counts.stopped_by)
    assert {PaymentState.SCHEDULED} == {office.state(str(number)) for number in range(1, 5)}
    assert 4 == office.collect().drawn.count


@pytest.mark.parametrize("call", ["prepare", "confirm"])
def test_one_request_that_fails_keeps_no_other_payment_waiting(database, tmp_path, call):
    left = [TemporaryFailure("lost on the way")]

    def stumbles(real, *arguments):
        if left:
            raise left.pop()
        return real(*arguments)

    office = a_collector(database, tmp_path, *(paying(str(number)) for number in range(1, 5)))

    counts = office.collect(gateway=Gateway(office.gateway, **{call: stumbles}))

    assert (3, 1, "") == (counts.drawn.count, counts.put_off, counts.stopped_by)
    assert 1 == office.collect().drawn.count


@pytest.mark.parametrize("call", ["prepare", "confirm"])
def test_a_refusal_for_good_is_a_decline_that_a_clerk_reads(database, tmp_path, call):
    office = a_collector(database, tmp_path, paying("1"))
    refusing = Gateway(office.gateway, **{call: fails(PermanentFailure("no such token"))})

    counts = office.collect(gateway=refusing)

    assert (1, PaymentState.DECLINED) == (counts.declined.count, office.state())
    assert ([], "declined: refused") == (office.postings(), office.payment().error)
    assert Advice.CLERK is office.draws()[0].advice


def test_a_misuse_is_raised_after_everything_is_written_down(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1"), paying("2"))

    with pytest.raises(GatewayMisuse):
        office.collect(gateway=Gateway(office.gateway, confirm=fails(GatewayMisuse("wrong"))))

    assert (PaymentState.UNKNOWN, PaymentState.SCHEDULED) == (office.state("1"), office.state("2"))


def test_a_draw_that_never_arrived_is_asked_again_under_the_same_key(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1"))
    lost = Gateway(office.gateway, confirm=fails(OutcomeUnknown("no answer")))
    office.collect(gateway=lost)

    office.wait(minutes=4)
    too_early = office.look_up()
    office.wait(minutes=1)
    found = office.look_up()

    assert (0, 1, 1) == (too_early.asked_again, found.asked_again, found.approved)
    assert [("autopay/2026-10/1/1", 80_00)] == office.taken()


def test_a_second_asking_that_fails_proves_nothing_of_the_first(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1", "tok_arrives_late_90s"))
    office.collect()
    office.gateway.set_clock(office.at)  # it is slower on its way than we think

    office.wait(minutes=5)
    down = Gateway(office.gateway, confirm=fails(TemporaryFailure("down")))
    office.look_up(gateway=down)

    assert (PaymentState.UNKNOWN, DrawState.ASKED) == (office.state(), office.draws()[0].state)
    office.gateway.set_clock(None)
    office.wait(hours=1)
    office.look_up()
    assert (PaymentState.SUCCEEDED, 1) == (office.state(), len(office.taken()))


def test_after_the_window_of_the_key_nobody_asks_again(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1"))
    office.collect(gateway=Gateway(office.gateway, confirm=fails(OutcomeUnknown("no answer"))))

    for _ in range(5):
        office.wait(hours=23)
        assert 0 == office.look_up().asked_again

    assert (PaymentState.UNKNOWN, []) == (office.state(), office.taken())
    assert 0 == office.collect().drawn.count


def test_a_worker_who_slept_past_the_window_does_not_ask(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1"))

    office.database = Interrupted(database, at=3, by=lambda: office.wait(hours=24))

    office.collect()

    assert (PaymentState.UNKNOWN, []) == (office.state(), office.taken())


def test_another_amount_than_asked_for_is_no_success(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1"))

    def another(_real, reference, _request):
        return DrawResult(DrawAnswer.APPROVED, reference, Money(1))

    counts = office.collect(gateway=Gateway(office.gateway, confirm=another))

    assert (1, PaymentState.UNKNOWN, []) == (
        counts.unknown.count, office.state(), office.postings(),
    )  # fmt: skip


def test_two_workers_at_once_draw_every_payment_once(database, tmp_path):
    numbers = [str(number) for number in range(1, 25)]
    office = a_collector(database, tmp_path, *(paying(number) for number in numbers))
    begin = threading.Barrier(2)
    failures = []

    def work() -> None:
        begin.wait()
        try:
            office.collect()
        except Exception as failure:  # told in the test's own thread
            failures.append(failure)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    office.collect()

    assert [] == failures
    assert ([80_00] * 24, {PaymentState.SUCCEEDED}) == (
        [cents for _, cents in office.taken()],
        {office.state(number) for number in numbers},
    )
    assert {Money(80_00)} == {office.paid(number) for number in numbers}


def test_a_payment_cancelled_between_its_claim_and_the_asking_is_not_drawn(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1"))

    def cancelled_meanwhile(real, request):
        office.set(gateway_payment, "1", state=PaymentState.CANCELLED)
        return real(request)

    counts = office.collect(gateway=Gateway(office.gateway, prepare=cancelled_meanwhile))

    assert (0, []) == (counts.drawn.count, office.taken())
    assert (PaymentState.CANCELLED, DrawState.ABANDONED) == (
        office.state(), office.draws()[0].state,
    )  # fmt: skip


@pytest.mark.parametrize(
    "failure",
    [TemporaryFailure("not taken"), PermanentFailure("refused")],
    ids=lambda one: one.args,
)
def test_a_no_proves_nothing_once_another_worker_has_looked_for_the_draw(
    database, tmp_path, failure
):
    office = a_collector(database, tmp_path, paying("1"))

    def asked_meanwhile(_real, *_arguments):
        office.wait(minutes=5)
        lost = Gateway(office.gateway, confirm=works_then_fails(OutcomeUnknown("no answer")))
        assert (1, 1) == _looked_up_and_asked(office.look_up(gateway=lost))
        raise failure

    office.collect(gateway=Gateway(office.gateway, confirm=asked_meanwhile))

    assert (PaymentState.UNKNOWN, DrawState.ASKED) == (office.state(), office.draws()[0].state)
    office.wait(hours=1)
    assert 1 == office.look_up().approved
    assert [("autopay/2026-10/1/1", 80_00)] == office.taken()


def _looked_up_and_asked(counts):
    return counts.unknown, counts.asked_again


def test_an_answer_of_nothing_found_puts_the_next_look_up_farther_off_each_time(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1"))
    lost = Gateway(office.gateway, confirm=fails(OutcomeUnknown("no answer")))
    not_found = Gateway(
        office.gateway,
        confirm=fails(OutcomeUnknown("no answer")),
        lookup=lambda _real, *_arguments: DrawResult(DrawAnswer.NOT_FOUND),
    )
    office.collect(gateway=lost)
    office.wait(hours=23)  # past the window: nobody asks again, what is not found stays so

    waits = []
    for _ in range(4):
        office.look_up(gateway=not_found)
        waits.append(office.draws()[0].next_lookup_at - office.at)
        office.at = office.draws()[0].next_lookup_at

    assert [timedelta(hours=1), *[timedelta(days=1)] * 3] == waits
    assert 4 == office.draws()[0].lookups
