"""The sandbox gateway: what its tokens, its clock and its keys do."""

from __future__ import annotations

import multiprocessing
import random
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.failures import OutcomeUnknown, TemporaryFailure
from domain.money import Money
from domain.payments import Advice, MethodKind
from payments.port import ADVICE, DrawAnswer, DrawRequest, GatewayMisuse, LateEventKind
from payments.sandbox.behavior import GatewayFault, NoFaults, SeededFaults
from payments.sandbox.gateway import SandboxGateway
from payments.sandbox.settlements import banking_day, fee_of, pay_out_day
from rules.calendars import bank_closed_days

WEDNESDAY = datetime.fromisoformat("2026-11-04T15:00:00+00:00")  # 10 in the morning in New York
CARD, ACH = MethodKind.CARD, MethodKind.ACH


@pytest.fixture
def gateway(tmp_path):
    opened = SandboxGateway(tmp_path / "sandbox-gateway.db", lambda: WEDNESDAY, bank_closed_days())
    yield opened
    opened.close()


def a_draw(token="tok_ok", key="autopay/2026-10/0110371/1", kind=CARD, cents=43_21) -> DrawRequest:
    return DrawRequest(key, "0110371", token, kind, Money(cents))


def draw(gateway, request):
    return gateway.confirm(gateway.prepare(request), request)


def events(gateway):
    return list(gateway.late_events(WEDNESDAY))


def taken(gateway) -> int:
    """What it drew in all, read once everything is paid out."""
    gateway.move_clock(timedelta(days=30))
    paid_out = gateway.settlements(date(2026, 1, 1))
    return sum(item.amount.cents for paid in paid_out for item in paid.items)


@pytest.mark.parametrize(("code", "advice"), ADVICE.items())
def test_a_token_named_after_a_decline_is_declined_so(gateway, code, advice):
    result = draw(gateway, a_draw(f"tok_{code}"))

    assert (DrawAnswer.DECLINED, code, advice) == (result.answer, result.code, result.advice)


@pytest.mark.parametrize("returns_to", ["", "https://pay.x.example/returned"])
def test_a_bank_that_asks_its_customer_declines_where_nobody_is_there(gateway, returns_to):
    request = replace(a_draw("tok_bank_asks"), returns_to=returns_to)

    result = draw(gateway, request)
    given_up = gateway.lookup(replace(request, returns_to=""), result.reference)
    again = gateway.confirm(result.reference, request)

    first = DrawAnswer.AWAITS if returns_to else DrawAnswer.DECLINED
    assert first is result.answer
    for answer in (given_up, again):
        assert (DrawAnswer.DECLINED, "authentication_required") == (answer.answer, answer.code)
    assert 0 == taken(gateway)


@pytest.mark.parametrize(
    "token",
    ["tok_ok", "tok_ach_ok", "tok_demo_000017", "tok_8842_1703", "pm_1", "ok", "stolen_card"],
)
def test_a_token_that_says_nothing_is_a_success(gateway, token):
    assert DrawAnswer.APPROVED is draw(gateway, a_draw(token)).answer


def test_tok_ok_after_2_declines_twice(gateway):
    answers = [
        draw(gateway, a_draw("tok_ok_after_2", f"autopay/2026-10/0110371/{number}"))
        for number in (1, 2, 3, 4)
    ]

    assert ["insufficient_funds", "insufficient_funds", "", ""] == [each.code for each in answers]


def test_tok_ok_after_2_declines_once_a_key(gateway):
    codes = {draw(gateway, a_draw("tok_ok_after_2")).code for _ in range(4)}

    assert {"insufficient_funds"} == codes


def test_tok_lost_response_is_drawn_and_answers_when_asked_again(gateway):
    request = a_draw("tok_lost_response")
    reference = gateway.prepare(request)
    with pytest.raises(OutcomeUnknown):
        gateway.confirm(reference, request)

    assert DrawAnswer.APPROVED is gateway.lookup(request, None).answer
    assert DrawAnswer.APPROVED is gateway.confirm(reference, request).answer
    assert 43_21 == taken(gateway)


def test_tok_never_arrives_however_often(gateway):
    request = a_draw("tok_never_arrives")
    reference = gateway.prepare(request)

    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            gateway.confirm(reference, request)

    assert (DrawAnswer.NOT_FOUND, 0) == (gateway.lookup(request, reference).answer, taken(gateway))


def test_tok_arrives_late_lands_by_itself_and_is_told(gateway):
    request = a_draw("tok_arrives_late_90s")
    reference = gateway.prepare(request)
    with pytest.raises(OutcomeUnknown):
        gateway.confirm(reference, request)

    gateway.move_clock(timedelta(seconds=89))
    before = gateway.lookup(request, reference).answer
    gateway.move_clock(timedelta(seconds=1))
    after = gateway.lookup(request, reference)

    landed_at = WEDNESDAY + timedelta(seconds=90)
    assert (DrawAnswer.NOT_FOUND, DrawAnswer.APPROVED) == (before, after.answer)
    assert landed_at == after.answered_at
    assert [(LateEventKind.APPROVED_LATE, request.key, landed_at)] == [
        (event.kind, event.draw_key, event.happened_at) for event in events(gateway)
    ]


def test_a_draw_asked_again_while_the_first_asking_is_on_its_way_is_drawn_once(gateway):
    request = a_draw("tok_arrives_late_90s")
    reference = gateway.prepare(request)
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            gateway.confirm(reference, request)
        gateway.move_clock(timedelta(seconds=30))

    assert DrawAnswer.APPROVED is gateway.confirm(reference, request).answer
    assert (43_21, 1) == (taken(gateway), len(events(gateway)))


def test_tok_500_replayed_is_drawn_and_never_answers(gateway):
    request = a_draw("tok_500_replayed")
    reference = gateway.prepare(request)

    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            gateway.confirm(reference, request)

    assert DrawAnswer.APPROVED is gateway.lookup(request, reference).answer
    assert 43_21 == taken(gateway)


@pytest.mark.parametrize(
    ("token", "days", "kind", "code"),
    [
        ("tok_ach_R01_d2", 2, LateEventKind.RETURNED, "R01"),
        ("tok_ach_R10_d35", 35, LateEventKind.RETURNED, "R10"),
        ("tok_ach_R03", 2, LateEventKind.RETURNED, "R03"),
        ("tok_ach_noc_C01", 2, LateEventKind.CHANGE, "C01"),
        ("tok_chargeback_d20", 20, LateEventKind.CHARGED_BACK, "fraudulent"),
        ("tok_refunded_d3", 3, LateEventKind.REFUNDED, "requested_by_customer"),
    ],
)
def test_a_late_event_comes_on_its_day(gateway, token, days, kind, code):
    assert DrawAnswer.APPROVED is draw(gateway, a_draw(token, kind=ACH)).answer

    gateway.move_clock(timedelta(days=days, seconds=-1))
    before = events(gateway)
    gateway.move_clock(timedelta(seconds=1))

    assert ([], [(kind, code)]) == (before, [(e.kind, e.code) for e in events(gateway)])
    assert (43_21 if kind is LateEventKind.CHANGE else 0) == taken(gateway)


def test_a_dispute_that_is_won_brings_its_money_back_on_its_day(gateway):
    draw(gateway, a_draw("tok_chargeback_d2_won_d9"))

    found = []
    for days in (2, 6, 1):
        gateway.move_clock(timedelta(days=days))
        found.append([one.kind for one in events(gateway)])

    lost, won = LateEventKind.CHARGED_BACK, LateEventKind.REINSTATED
    assert [[lost], [lost], [lost, won]] == found
    assert 43_21 == taken(gateway)


def test_a_key_is_kept_for_24_hours_and_after_that_it_draws_again(gateway):
    request = a_draw()
    first = draw(gateway, request)

    gateway.move_clock(timedelta(hours=24, microseconds=-1))
    within = draw(gateway, request)
    gateway.move_clock(timedelta(microseconds=1))
    again = draw(gateway, request)

    assert (first.reference, first.reference) == (
        within.reference,
        gateway.lookup(request, first.reference).reference,
    )
    assert again.reference not in (None, first.reference)
    assert 2 * 43_21 == taken(gateway)


def test_a_draw_confirmed_again_after_24_hours_is_drawn_again(gateway):
    request = a_draw()
    reference = gateway.prepare(request)
    gateway.confirm(reference, request)

    gateway.move_clock(timedelta(hours=24))
    again = gateway.confirm(reference, request)

    assert (DrawAnswer.APPROVED, 2 * 43_21) == (again.answer, taken(gateway))
    assert reference != again.reference


def test_a_draw_prepared_the_day_before_is_drawn_once(gateway):
    request = a_draw()
    reference = gateway.prepare(request)
    gateway.move_clock(timedelta(hours=30))

    answers = {gateway.confirm(reference, request).reference for _ in range(2)}

    assert ({reference}, 43_21) == (answers, taken(gateway))


def test_two_at_a_time_under_one_key_are_one_draw_and_a_doubt(tmp_path):
    path, request = tmp_path / "gateway.db", a_draw()
    slow, gateway = _Slow(path), SandboxGateway(path, lambda: WEDNESDAY, latency=0.01)
    reference = gateway.prepare(request)

    with ThreadPoolExecutor(1) as first:
        asked = first.submit(slow.confirm, reference, request)
        assert slow.is_working.wait(60)
        with pytest.raises(OutcomeUnknown):
            gateway.confirm(reference, request)
        slow.may_go_on.set()
        answer = asked.result().answer

    assert DrawAnswer.APPROVED is answer
    assert 43_21 == taken(gateway)


class _Slow(SandboxGateway):
    """A gateway whose draw is in work until somebody lets it go on."""

    def __init__(self, path) -> None:
        super().__init__(path, lambda: WEDNESDAY, latency=0.01)
        self.is_working, self.may_go_on = threading.Event(), threading.Event()

    def _work(self, draw):
        self.is_working.set()
        self.may_go_on.wait(60)
        return super()._work(draw)


def test_a_draw_in_work_lands_although_its_caller_died(tmp_path):
    path, request = tmp_path / "gateway.db", a_draw()
    gateway = SandboxGateway(path, lambda: WEDNESDAY)
    reference = gateway.prepare(request)
    caller = multiprocessing.get_context("spawn").Process(
        target=_confirm_slowly, args=(path, reference, request), daemon=True
    )
    caller.start()
    caller.join(0.1)
    while not _in_work(gateway):
        caller.join(0.05)
    caller.kill()
    caller.join()

    before = gateway.lookup(request, reference).answer
    gateway.move_clock(timedelta(minutes=1))

    assert DrawAnswer.NOT_FOUND is before
    assert DrawAnswer.APPROVED is gateway.lookup(request, reference).answer


def _confirm_slowly(path, reference, request):
    SandboxGateway(path, lambda: WEDNESDAY, latency=600).confirm(reference, request)


def _in_work(gateway):
    with gateway._store.writing() as books:
        return books.execute("SELECT 1 FROM on_its_way").fetchone()


def test_several_processes_draw_at_one_gateway(tmp_path):
    path = tmp_path / "gateway.db"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        answers = pool.starmap(_draw_many, [(path, first) for first in (0, 0, 20, 40)])

    gateway = SandboxGateway(path, lambda: WEDNESDAY)
    assert [DrawAnswer.APPROVED] * 160 == [answer for some in answers for answer in some]
    assert 80 * 1_00 == taken(gateway)


def _draw_many(path, first):
    gateway = SandboxGateway(path, lambda: WEDNESDAY)
    return [
        draw(gateway, a_draw(key=f"autopay/{number}", cents=1_00)).answer
        for number in range(first, first + 40)
    ]


def test_it_goes_by_the_wall_until_its_clock_is_set(tmp_path):
    wall = [WEDNESDAY]
    gateway = SandboxGateway(tmp_path / "gateway.db", lambda: wall[0])
    next_day = WEDNESDAY + timedelta(days=1)

    moments = [draw(gateway, a_draw(key="1")).answered_at]
    gateway.set_clock(next_day)
    moments.append(draw(gateway, a_draw(key="2")).answered_at)
    gateway.set_clock(None)
    wall[0] = next_day + timedelta(days=1)
    moments.append(draw(gateway, a_draw(key="3")).answered_at)

    assert [WEDNESDAY, next_day, next_day + timedelta(days=1)] == moments
    assert {UTC} == {moment.tzinfo for moment in moments}


def test_its_database_is_its_owners_alone_and_holds_no_token(gateway, tmp_path):
    draw(gateway, a_draw("tok_8842_1703"))

    files = sorted(tmp_path.iterdir())
    assert "sandbox-gateway.db" == files[0].name
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in files}
    assert not [file for file in files if b"tok_8842" in file.read_bytes()]


def test_a_gateway_that_cannot_open_its_database_has_done_nothing(tmp_path):
    gateway = SandboxGateway(tmp_path / "nowhere" / "gateway.db", lambda: WEDNESDAY)

    with pytest.raises(TemporaryFailure, match="cannot be used"):
        gateway.prepare(a_draw())
    with pytest.raises(OutcomeUnknown):
        gateway.lookup(a_draw(), None)


@pytest.mark.parametrize(
    ("kind", "cents", "fee"),
    [
        (CARD, 100_00, 2_90 + 30),
        (CARD, 43_21, 1_25 + 30),  # 1.25309 dollars
        (CARD, 50, 1 + 30),  # 1.45 cents
        (CARD, 500, 15 + 30),  # 14.5 cents: half a cent is rounded up
        (ACH, 100_00, 80),
        (ACH, 624_99, 5_00),  # 4.99992 dollars
        (ACH, 700_00, 5_00),  # at most
        (ACH, 1_00, 1),
    ],
)
def test_the_fee_is(kind, cents, fee):
    assert fee == fee_of(kind, cents)


@pytest.mark.parametrize(
    ("moment", "batch_on", "card", "ach"),
    [
        ("2026-11-04T16:59:59-05:00", "2026-11-04", "2026-11-06", "2026-11-10"),
        ("2026-11-04T17:00:00-05:00", "2026-11-05", "2026-11-09", "2026-11-12"),
        ("2026-11-06T18:00:00-05:00", "2026-11-09", "2026-11-12", "2026-11-16"),
        ("2026-11-07T09:00:00-05:00", "2026-11-09", "2026-11-12", "2026-11-16"),
        ("2026-11-08T23:30:00-05:00", "2026-11-09", "2026-11-12", "2026-11-16"),
        ("2026-11-11T09:00:00-05:00", "2026-11-12", "2026-11-16", "2026-11-18"),  # Veterans Day
        ("2026-07-03T09:00:00-04:00", "2026-07-03", "2026-07-07", "2026-07-09"),  # banks work
    ],
)
def test_batches_close_each_banking_day_and_are_paid_out_days_later(moment, batch_on, card, ach):
    closed = bank_closed_days()

    day = banking_day(datetime.fromisoformat(moment), closed)

    assert (batch_on, card, ach) == (
        day.isoformat(),
        pay_out_day(CARD, day, closed).isoformat(),
        pay_out_day(ACH, day, closed).isoformat(),
    )


def test_a_weekend_is_one_deposit(gateway):
    for number, day in enumerate((6, 7, 8, 9)):  # Friday evening to Monday
        gateway.set_clock(datetime(2026, 11, day, 23, tzinfo=UTC) - timedelta(hours=day == 9) * 8)
        draw(gateway, a_draw(key=f"autopay/{number}"))
    gateway.set_clock(datetime(2026, 11, 30, tzinfo=UTC))

    [deposit] = gateway.settlements(date(2026, 1, 1))

    assert ("SBS-2026-11-12", date(2026, 11, 12)) == (deposit.settlement_id, deposit.pays_out_on)
    assert (Money(172_84), Money(6_20), Money(166_64)) == (deposit.gross, deposit.fees, deposit.net)


def test_a_payout_is_told_on_its_day_and_not_before(gateway):
    draw(gateway, a_draw())

    gateway.set_clock(datetime.fromisoformat("2026-11-05T23:59:59-05:00"))
    before = list(gateway.settlements(date(2026, 1, 1)))
    gateway.set_clock(datetime.fromisoformat("2026-11-06T00:00:00-05:00"))
    on_the_day = list(gateway.settlements(date(2026, 11, 6)))

    assert ([], 1) == (before, len(on_the_day))
    assert [] == list(gateway.settlements(date(2026, 11, 7)))


def test_a_return_is_taken_out_of_a_later_payout_which_may_be_below_zero(gateway):
    draw(gateway, a_draw("tok_ach_R01_d2", kind=ACH))
    gateway.move_clock(timedelta(days=20))

    paid, taken_out = gateway.settlements(date(2026, 1, 1))

    assert (Money(43_21 - 35), Money(-43_21)) == (paid.net, taken_out.net)
    assert paid.pays_out_on < taken_out.pays_out_on


def test_a_gateway_under_faults_draws_each_payment_once_if_it_is_asked_as_it_must_be(tmp_path):
    chance = random.Random(7)
    rates = dict.fromkeys(GatewayFault, 0.1)
    gateway = SandboxGateway(
        tmp_path / "gateway.db", lambda: WEDNESDAY, faults=SeededFaults(chance, rates)
    )
    for number in range(100):
        request = a_draw(key=f"autopay/{number}", cents=1_00)
        while not _is_drawn(gateway, request):
            gateway.move_clock(timedelta(seconds=1))

    gateway._faults = NoFaults()
    assert 100 * 1_00 == taken(gateway)


def _is_drawn(gateway, request):
    try:
        return draw(gateway, request).answer is DrawAnswer.APPROVED
    except (TemporaryFailure, OutcomeUnknown):
        return False


def test_the_same_seed_strikes_the_same_way():
    first, again = (
        SeededFaults(
            random.Random(3), {GatewayFault.LOST: 0.5}, {"lookup": {GatewayFault.BEFORE: 1.0}}
        )
        for _ in range(2)
    )
    struck = [first.strike("confirm") for _ in range(20)]

    assert struck == [again.strike("confirm") for _ in range(20)]
    assert {None, GatewayFault.LOST} == set(struck)
    assert GatewayFault.BEFORE is first.strike("lookup")
    assert first.delay() in first.delays


def test_an_advice_of_every_kind_can_be_had():
    assert set(Advice) - {Advice.CLERK} == set(ADVICE.values())


def test_a_misuse_leaves_what_was_under_the_key(gateway):
    draw(gateway, a_draw())

    with pytest.raises(GatewayMisuse):
        gateway.prepare(a_draw(cents=43_22))

    assert DrawAnswer.APPROVED is draw(gateway, a_draw()).answer
    assert 43_21 == taken(gateway)
