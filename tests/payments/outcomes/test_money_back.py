"""What goes back and comes again: the cases of the design, with their values."""

from __future__ import annotations

import sqlite3
from datetime import date

import pytest
import sqlalchemy as sa

from database.ledger.tables import balance_entry, payment_event
from database.queries.balances import read_open_balance
from database.tables import (
    balance_due,
    draw,
    events_read,
    posting,
    refund_request,
    scheduled_payment,
    suspended_method,
)
from domain.failures import Misuse, OutcomeUnknown, PermanentFailure, Refused
from domain.ledger import EntryKind
from domain.money import ZERO, Money
from domain.payments import DrawState, PaymentState
from payments.collecting.draws import DRAWN_TWICE, read_draw
from payments.outcomes.events import take_in_events
from payments.outcomes.refunding import refund_payment, say_given_back_before
from payments.outcomes.returns import record_outcome
from payments.outcomes.settlements import list_differences, read_settlements, settle_item
from payments.outcomes.unknown_payments import (
    PaymentDecision,
    decide_given_back,
    decide_never_arrived,
)
from payments.port import LateEvent, LateEventKind
from payments.terms import CollectionTerms
from rules.money.returns import say_reason
from tests.builders import ACH, a_household, close_run, stage_run
from tests.payments.collecting.test_crashes import Gateway, fails
from tests.payments.collecting_builders import TERMS, a_collector, paying


def balance(office) -> Money:
    with office.database.reading() as books:
        return read_open_balance(books, "1")


def postings(office) -> list[tuple[str, Money]]:
    with office.database.reading() as books:
        query = sa.select(posting.c.kind, posting.c.amount).order_by(posting.c.created_at)
        return [(str(kind), amount) for kind, amount in books.execute(query)]


def entries(office) -> list[tuple[str, Money]]:
    with office.database.reading() as books:
        query = sa.select(balance_entry.c.key, balance_entry.c.amount)
        return sorted(tuple(row) for row in books.execute(query))


def take_in(office, gateway=None, **terms):
    chosen = CollectionTerms(closed=TERMS.closed, who="anna", threads=1, **terms)
    return take_in_events(office.database, gateway or office.gateway, chosen, office.now)


def drawn(database, place, amount="101.00", token="tok_ok", **changes):
    office = a_collector(database, place, paying("1", token, amount, **changes))
    office.collect()
    return office


def desk(office, kind: LateEventKind, amount: str, code: str = "fraudulent") -> None:
    """Let somebody at the gateway's desk move money, and take it in an hour later."""
    reference = office.draws()[0].reference
    office.gateway.act_at_desk(reference, kind, Money.parse(amount), code)
    office.wait(hours=1)
    take_in(office)


class Tells:
    """A gateway that tells these events, and is the sandbox in everything else."""

    def __init__(self, gateway, *events: LateEvent) -> None:
        self._gateway = gateway
        self._events = events

    def late_events(self, _since):
        yield from self._events

    def __getattr__(self, name):
        return getattr(self._gateway, name)


def an_event(office, kind=LateEventKind.RETURNED, code="R01", amount="80.00", event_id="E1"):
    one = office.draws()[-1]
    money = Money.parse(amount)
    return LateEvent(event_id, kind, one.key, one.reference or "SB1", money, code, office.at)


def test_two_disputes_and_one_that_is_won(database, tmp_path):  # case 26
    office = drawn(database, tmp_path)
    states = []

    for kind, amount in (
        (LateEventKind.CHARGED_BACK, "40.40"),
        (LateEventKind.CHARGED_BACK, "60.60"),
        (LateEventKind.REINSTATED, "40.40"),
    ):
        desk(office, kind, amount)
        states.append(office.state())
    office.wait(days=20)
    read_settlements(database, office.gateway, office.at, "anna")

    assert [
        PaymentState.RETURNED_IN_PART, PaymentState.RETURNED, PaymentState.RETURNED_IN_PART,
    ] == states  # fmt: skip
    assert Money(60_60) == balance(office)
    assert [
        ("receipt", Money(101_00)), ("reversal", Money(40_40)), ("reversal", Money(60_60)),
        ("receipt", Money(40_40)),
    ] == postings(office)  # fmt: skip
    assert [] == list_differences(database, office.at)


def test_the_fee_of_a_dispute_is_the_offices(database, tmp_path):
    office = drawn(database, tmp_path)

    desk(office, LateEventKind.CHARGED_BACK, "101.00")

    with database.reading() as books:
        kept = books.execute(sa.select(payment_event.c.amount, payment_event.c.fee)).one()
    assert ((Money(101_00), Money(15_00)), Money(101_00)) == (tuple(kept), balance(office))


def test_a_decline_that_is_told_again_moves_nothing_and_its_retry_stays(database, tmp_path):
    # case 27
    office = drawn(database, tmp_path, "107.00", "tok_insufficient_funds", method_kind=ACH)
    before = office.payment()

    take_in(
        office, Tells(office.gateway, an_event(office, amount="107.00")), return_fee=Money(25_00)
    )

    assert (PaymentState.SCHEDULED, Money(107_00), []) == (
        office.state(), balance(office), postings(office),
    )  # fmt: skip
    assert (before.pay_on, before.error) == (office.payment().pay_on, office.payment().error)


@pytest.mark.parametrize(
    ("code", "suspended"), [("R01", []), ("R16", ["declined: R16 (account frozen)"])]
)
def test_a_banks_no_to_a_draw_without_an_answer_is_the_answer(
    database, tmp_path, code, suspended
):  # case 28
    office = a_collector(database, tmp_path, paying("1", "tok_ok", method_kind=ACH))
    office.collect(gateway=Gateway(office.gateway, confirm=fails(OutcomeUnknown("no answer"))))

    told = Tells(office.gateway, an_event(office, code=code))
    counts = take_in(office, told, return_fee=Money(25_00))

    assert (1, 0, 0) == (counts.refused, counts.returned.count, counts.alarms)
    assert ([], Money(80_00)) == (postings(office), balance(office))
    assert f"declined: {code}" in office.payment().error
    with database.reading() as books:
        assert suspended == list(books.scalars(sa.select(suspended_method.c.reason)))


def test_an_event_of_a_payment_that_another_one_has_moved_is_not_written_down(database, tmp_path):
    office = drawn(database, tmp_path, "80.00")
    with database.reading() as books:
        one = read_draw(books, office.draws()[0].key)
    desk(office, LateEventKind.REFUNDED, "30.00")
    event = an_event(office, LateEventKind.REFUNDED, amount="50.00")

    gone = rf"^the payment {one.payment_key} is no longer succeeded$"
    with pytest.raises(ValueError, match=gone), database.writing() as books:
        record_outcome(books, one, event, office.at, TERMS)

    assert Money(30_00) == balance(office)


def test_a_refund_at_the_gateways_desk_opens_the_balance_by_its_part(database, tmp_path):  # case 29
    office = drawn(database, tmp_path, "100.00")

    desk(office, LateEventKind.REFUNDED, "40.00", "")
    office.wait(days=20)
    read_settlements(database, office.gateway, office.at, "anna")

    assert (Money(40_00), PaymentState.RETURNED_IN_PART) == (balance(office), office.state())
    assert ("reversal", Money(40_00)) == postings(office)[-1]
    assert [] == list_differences(database, office.at)


def refund(office, amount=None, gateway=None, confirmation=None, reason="paid twice"):
    chosen = None if amount is None else Money.parse(amount)
    reference = confirmation or office.draws()[0].reference
    return refund_payment(
        office.database, gateway or office.gateway, reference, chosen, reason, office.at, TERMS,
    )  # fmt: skip


def test_a_refund_whose_answer_was_lost_is_given_back_once(database, tmp_path):  # case 30
    office = drawn(database, tmp_path, "100.00")
    real = office.gateway

    def lost(give_back, *asked):
        give_back(*asked)
        raise OutcomeUnknown("no answer")

    with pytest.raises(OutcomeUnknown):
        refund(office, "40.00", Gateway(real, refund=lost))
    done = refund(office, "40.00")
    office.wait(hours=1)
    take_in(office)

    assert (True, Money(40_00)) == (done.was_open, balance(office))
    with sqlite3.connect(tmp_path / "sandbox-gateway.db") as books:
        assert [(40_00,)] == books.execute("SELECT refunded FROM draw").fetchall()
    with database.reading() as books:
        kinds = books.scalars(sa.select(balance_entry.c.kind).order_by(balance_entry.c.recorded_at))
        assert [EntryKind.PAYMENT, EntryKind.REFUND] == list(kinds)


def test_while_a_refund_is_open_no_other_amount_is_given_back(database, tmp_path):
    office = drawn(database, tmp_path, "100.00")
    with pytest.raises(OutcomeUnknown):
        refund(office, "40.00", Gateway(office.gateway, refund=fails(OutcomeUnknown("no answer"))))

    with pytest.raises(Refused) as refused:
        refund(office, "50.00")

    assert "refund-open" == refused.value.code
    assert "A refund of $40.00 of" in refused.value.message
    done = refund(office)
    assert (True, Money(40_00)) == (done.was_open, balance(office))


def test_a_refund_is_known_where_the_gateway_told_of_it_first(database, tmp_path):
    office = drawn(database, tmp_path, "100.00")
    real = office.gateway

    def lost(give_back, *asked):
        give_back(*asked)
        raise OutcomeUnknown("no answer")

    with pytest.raises(OutcomeUnknown):
        refund(office, "40.00", Gateway(real, refund=lost))
    office.wait(hours=1)
    take_in(office)

    with database.reading() as books:
        assert ["done"] == list(books.scalars(sa.select(refund_request.c.state)))
    assert Money(40_00) == balance(office)


def test_a_refund_asked_for_long_ago_is_looked_up_and_not_given_back_twice(database, tmp_path):
    office = drawn(database, tmp_path, "100.00")
    real = office.gateway
    real.act_at_desk(office.draws()[0].reference, LateEventKind.REFUNDED, Money(10_00))

    def lost(give_back, *asked):
        give_back(*asked)
        raise OutcomeUnknown("no answer")

    with pytest.raises(OutcomeUnknown):
        refund(office, "40.00", Gateway(real, refund=lost))
    office.wait(days=3)
    refund(office)

    with sqlite3.connect(tmp_path / "sandbox-gateway.db") as books:
        assert [(40_00,)] == books.execute("SELECT refunded FROM draw").fetchall()
    assert Money(40_00) == balance(office)


def test_a_refund_asked_for_long_ago_that_never_arrived_is_given_back_now(database, tmp_path):
    office = drawn(database, tmp_path, "100.00")

    def never_arrives(_give_back, *_asked):
        raise OutcomeUnknown("no answer")

    with pytest.raises(OutcomeUnknown):
        refund(office, "40.00", Gateway(office.gateway, refund=never_arrives))
    office.wait(days=3)
    refund(office)

    with sqlite3.connect(tmp_path / "sandbox-gateway.db") as books:
        assert [(40_00,)] == books.execute("SELECT refunded FROM draw").fetchall()
    with database.reading() as books:
        assert ["done"] == list(books.scalars(sa.select(refund_request.c.state)))


def test_what_the_gateway_refuses_to_give_back_stays_paid_and_may_be_asked_anew(database, tmp_path):
    office = drawn(database, tmp_path, "100.00")

    def refuses(_give_back, *_asked):
        raise PermanentFailure("The card was closed.")

    with pytest.raises(Refused) as refused:
        refund(office, "40.00", Gateway(office.gateway, refund=refuses))

    assert "refund-refused" == refused.value.code
    assert "The card was closed. Nothing was given back." == refused.value.message
    assert ZERO == balance(office)
    with database.reading() as books:
        rows = books.execute(sa.select(refund_request.c.state, refund_request.c.error)).all()
        assert [("refused", "The card was closed.")] == [tuple(row) for row in rows]
    refund(office, "40.00")
    assert Money(40_00) == balance(office)


def test_no_more_is_given_back_than_is_left(database, tmp_path):
    office = drawn(database, tmp_path, "100.00")
    refund(office, "40.00")

    with pytest.raises(Refused) as refused:
        refund(office, "60.01")
    with pytest.raises(Misuse) as unknown:
        refund(office, confirmation="SB99999999")
    refund(office)

    assert "unknown-payment" == unknown.value.code
    assert ("refund-too-much", Money(100_00), PaymentState.RETURNED) == (
        refused.value.code, balance(office), office.state(),
    )  # fmt: skip


@pytest.mark.parametrize("amount", ["0.00", "-5.00"])
def test_an_amount_that_is_none_gives_nothing_back(database, tmp_path, amount):
    office = drawn(database, tmp_path, "100.00")

    with pytest.raises(Misuse, match="above zero"):
        refund(office, amount)

    assert Money(0) == balance(office)


def given_back(tmp_path):
    with sqlite3.connect(tmp_path / "sandbox-gateway.db") as books:
        return [cents for (cents,) in books.execute("SELECT refunded FROM draw")]


@pytest.mark.parametrize("amount", ["40.00", "100.00", None], ids=["a part", "all", "what is left"])
def test_a_refund_run_again_gives_nothing_back_a_second_time(database, tmp_path, amount):
    office = drawn(database, tmp_path, "100.00")
    first = refund(office, amount)

    office.wait(days=2)
    again = [refund(office, amount), refund(office, amount)]

    assert [True, True] == [one.already for one in again]
    assert {(first.key, first.amount, first.reference)} == {
        (one.key, one.amount, one.reference) for one in again
    }
    assert [first.amount.cents] == given_back(tmp_path)
    assert first.amount == balance(office)
    assert first.reference in say_given_back_before("SB1", again[0])


def test_the_same_amount_for_another_reason_is_given_back_too(database, tmp_path):
    office = drawn(database, tmp_path, "100.00")
    done = [refund(office, "10.00", reason=why) for why in ("leak", "leak in May", "leak")]

    assert [False, False, True] == [one.already for one in done]
    assert [20_00] == given_back(tmp_path)


def test_the_rest_is_given_back_for_the_reason_of_a_part(database, tmp_path):
    office = drawn(database, tmp_path, "100.00")
    done = [refund(office, "40.00"), refund(office), refund(office)]

    assert [(40_00, False), (60_00, False), (60_00, True)] == [
        (one.amount.cents, one.already) for one in done
    ]
    with pytest.raises(Refused, match=r"Nothing of .* is left"):
        refund(office, reason="once more")


def test_a_refund_that_failed_at_the_bank_may_be_asked_for_anew(database, tmp_path):
    office = drawn(database, tmp_path, "100.00")
    first = refund(office, "40.00")
    office.wait(hours=1)
    failed = LateEvent(
        "F1", LateEventKind.REFUND_FAILED, office.draws()[0].key, office.draws()[0].reference,
        Money(40_00), "", office.at, first.key,
    )  # fmt: skip
    take_in(office, Tells(office.gateway, failed))
    back = balance(office)
    second = refund(office, "40.00")

    assert (Money(0), False) == (back, second.already)
    assert first.key != second.key


def test_more_goes_back_than_was_taken_and_a_person_hears_of_it_once(database, tmp_path):
    # case 31
    office = drawn(database, tmp_path)
    refund(office, "40.00")

    office.gateway.act_at_desk(
        office.draws()[0].reference, LateEventKind.CHARGED_BACK, Money(101_00), "fraudulent"
    )
    office.wait(hours=1)
    first, again = take_in(office), take_in(office)

    assert (Money(141_00), 1, 0) == (balance(office), first.alarms, again.alarms)


def test_a_second_draw_that_is_given_back_leaves_no_difference(database, tmp_path):  # case 32
    office = drawn(database, tmp_path, "105.00", "tok_arrives_late_200000s")
    office.wait(days=2)
    word = PaymentDecision("anna", "the gateway does not know it", office.at)
    again = decide_never_arrived(database, office.gateway, "autopay/2026-10/1", word)
    office.wait(days=(again - office.at.date()).days)
    office.collect()
    office.wait(days=3)  # both have landed
    office.look_up()
    take_in(office)
    second = next(one for one in office.draws() if one.code == DRAWN_TWICE)
    office.gateway.act_at_desk(second.reference, LateEventKind.REFUNDED, Money(105_00))
    office.wait(hours=1)
    take_in(office)
    office.wait(days=20)
    read_settlements(database, office.gateway, office.at, "anna")

    assert (ZERO, [("receipt", Money(105_00))]) == (balance(office), postings(office))
    assert [] == list_differences(database, office.at)
    with database.reading() as books:
        pair = books.execute(
            sa.select(balance_entry.c.amount).where(~balance_entry.c.counts)
        ).scalars()
        assert ZERO == Money.total(pair)


def test_what_a_person_said_was_given_back_is_told_by_the_gateway_and_stands_once(
    database, tmp_path
):
    office = drawn(database, tmp_path)
    with database.writing() as books:
        books.execute(draw.update().values(state=DrawState.DECLINED, code=DRAWN_TWICE))
    key = office.draws()[0].key
    decide_given_back(database, key, PaymentDecision("anna", "seen", office.at))
    before = entries(office)

    counts = take_in(office, Tells(office.gateway, an_event(office, LateEventKind.REFUNDED)))

    assert (before, 0) == (entries(office), counts.alarms)
    with database.reading() as books:
        assert ["E1"] == list(books.scalars(sa.select(payment_event.c.event_id)))


def test_the_work_is_stopped_between_events_and_what_was_told_is_read_again(database, tmp_path):
    office = drawn(database, tmp_path)
    office.gateway.act_at_desk(
        office.draws()[0].reference, LateEventKind.REFUNDED, Money(30_00), ""
    )
    office.wait(hours=1)

    take_in_events(database, office.gateway, TERMS, office.now, stop=lambda: True)
    before = balance(office)
    with database.reading() as books:
        read_on = list(books.scalars(sa.select(events_read.c.until)))
    take_in(office)

    assert (Money(30_00), [], Money(30_00)) == (before, read_on, balance(office))


@pytest.mark.parametrize(
    ("codes", "fees"),
    [(("R01", "R01"), [Money(25_00)]), (("R02",), []), (("R09",), [Money(25_00)])],
    ids=["once a bill", "not for what the customer could not avoid", "uncollected funds"],
)
def test_a_return_costs_a_fee_once_a_bill_and_for_some_codes(database, tmp_path, codes, fees):
    office = drawn(database, tmp_path, "80.00", "tok_ach_ok", method_kind=ACH)
    for number, code in enumerate(codes):
        event = an_event(office, code=code, amount="40.00", event_id=f"E{number}")
        take_in(office, Tells(office.gateway, event), return_fee=Money(25_00))

    with database.reading() as books:
        charged = books.scalars(
            sa.select(balance_entry.c.amount).where(balance_entry.c.kind == EntryKind.FEE)
        )
        assert fees == list(charged)


@pytest.mark.parametrize("code", ["R11", "R14", "R15", "R16", "R24", "R31"])
def test_what_would_only_come_back_again_suspends_the_method(database, tmp_path, code):
    office = drawn(database, tmp_path, "80.00", "tok_ach_ok", method_kind=ACH)

    take_in(office, Tells(office.gateway, an_event(office, code=code)))

    with database.reading() as books:
        reasons = list(books.scalars(sa.select(suspended_method.c.reason)))
    assert [f"returned: {say_reason(code)}"] == reasons


def test_a_return_after_the_next_close_is_drawn_again_in_the_newest_period(database, tmp_path):
    # case 6
    office = drawn(database, tmp_path, "80.00", "tok_ach_ok", method_kind=ACH)
    stage_run(
        database, a_household("1", closing_balance=Money(80_00)),
        period="2026-11", ends_on=date(2026, 11, 30), due_on=date(2026, 12, 20),
    )  # fmt: skip
    close_run(database, "2026-11")
    take_in(office, Tells(office.gateway, an_event(office)))

    with database.reading() as books:
        again = books.execute(
            sa.select(scheduled_payment).where(scheduled_payment.c.number > 1)
        ).one()
        period = books.scalar(sa.select(balance_due.c.period))
    assert ("2026-11", "2026-11", 2, Money(80_00)) == (
        period,
        again.period,
        again.number,
        again.amount,
    )


def test_a_difference_that_a_person_has_settled_is_not_told_again(database, tmp_path):
    office = drawn(database, tmp_path)
    office.wait(days=20)
    read_settlements(database, office.gateway, office.at, "anna")
    with database.writing() as books:  # our books know nothing of what was paid out
        books.execute(draw.update().values(reference="SB0"))
    (difference, *_) = list_differences(database, office.at)

    settle_item(database, difference.item, "the bank has it", now=office.at, who="anna")

    assert difference.item not in [one.item for one in list_differences(database, office.at)]
    with pytest.raises(Misuse) as unknown:
        settle_item(database, difference.item, "again", now=office.at, who="anna")
    assert "unknown-difference" == unknown.value.code
