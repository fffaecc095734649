"""What every payment gateway owes the office, whichever adapter stands before it."""

from __future__ import annotations

import traceback

import pytest

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from domain.money import ZERO, Money
from payments.port import DrawAnswer, GatewayMisuse, LateEventKind
from tests.contracts.gateway_desks import a_draw


def drawn(desk, request):
    """Prepare and confirm, and return the reference."""
    reference = desk.gateway.prepare(request)
    assert DrawAnswer.APPROVED is desk.gateway.confirm(reference, request).answer
    return reference


def gone_back(desk):
    return [event for event in desk.events() if event.kind is not LateEventKind.APPROVED_LATE]


def test_a_draw_that_is_prepared_moves_no_money(desk):
    reference = desk.gateway.prepare(a_draw(desk))

    found = desk.gateway.lookup(a_draw(desk), reference)

    assert (DrawAnswer.NOT_FOUND, 0) == (found.answer, desk.taken())


def test_an_approved_draw_is_confirmed_with_its_reference_and_amount(desk):
    reference = desk.gateway.prepare(a_draw(desk))

    result = desk.gateway.confirm(reference, a_draw(desk))

    assert (DrawAnswer.APPROVED, reference, Money(43_21)) == (
        result.answer,
        result.reference,
        result.amount,
    )
    assert (43_21, None) == (desk.taken(), result.advice)
    assert result.answered_at.utcoffset().total_seconds() == 0


def test_prepared_again_under_its_key_a_draw_has_the_same_reference(desk):
    assert desk.gateway.prepare(a_draw(desk)) == desk.gateway.prepare(a_draw(desk))


def test_confirmed_again_under_its_key_a_draw_is_drawn_once(desk):
    reference = desk.gateway.prepare(a_draw(desk))

    answers = [desk.gateway.confirm(reference, a_draw(desk)) for _ in range(3)]

    assert [DrawAnswer.APPROVED] * 3 == [answer.answer for answer in answers]
    assert ({reference}, 43_21) == ({answer.reference for answer in answers}, desk.taken())


def test_a_decline_is_an_answer_with_what_it_means(desk):
    request = a_draw(desk, method_token=desk.poor)
    reference = desk.gateway.prepare(request)

    result = desk.gateway.confirm(reference, request)

    assert (DrawAnswer.DECLINED, desk.decline) == (result.answer, (result.code, result.advice))
    assert 0 == desk.taken()


def test_a_decline_is_found_again(desk):
    request = a_draw(desk, method_token=desk.poor)
    reference = desk.gateway.prepare(request)
    desk.gateway.confirm(reference, request)

    for known in (reference, None):
        found = desk.gateway.lookup(request, known)
        assert (DrawAnswer.DECLINED, desk.decline) == (found.answer, (found.code, found.advice))


@pytest.mark.parametrize("knows_reference", [True, False])
def test_a_draw_whose_answer_was_lost_is_found(desk, knows_reference):
    reference = desk.gateway.prepare(a_draw(desk))
    desk.lose("confirm", "lost")
    with pytest.raises(OutcomeUnknown):
        desk.gateway.confirm(reference, a_draw(desk))

    found = desk.gateway.lookup(a_draw(desk), reference if knows_reference else None)

    assert (DrawAnswer.APPROVED, reference, Money(43_21)) == (
        found.answer,
        found.reference,
        found.amount,
    )


def test_a_draw_whose_answer_was_lost_is_drawn_once_when_asked_again(desk):
    reference = desk.gateway.prepare(a_draw(desk))
    desk.lose("confirm", "lost")
    with pytest.raises(OutcomeUnknown):
        desk.gateway.confirm(reference, a_draw(desk))

    result = desk.gateway.confirm(reference, a_draw(desk))

    assert (DrawAnswer.APPROVED, 43_21) == (result.answer, desk.taken())


def test_a_draw_that_never_arrived_is_not_found_and_may_be_asked_again(desk):
    reference = desk.gateway.prepare(a_draw(desk))
    desk.lose("confirm", "never")
    with pytest.raises(OutcomeUnknown):
        desk.gateway.confirm(reference, a_draw(desk))

    found = desk.gateway.lookup(a_draw(desk), reference)
    again = desk.gateway.confirm(reference, a_draw(desk))

    assert (DrawAnswer.NOT_FOUND, 0 + 43_21) == (found.answer, desk.taken())
    assert DrawAnswer.APPROVED is again.answer


def test_a_draw_that_was_refused_at_the_door_surely_did_not_happen(desk):
    reference = desk.gateway.prepare(a_draw(desk))
    desk.lose("confirm", "before")

    with pytest.raises(TemporaryFailure):
        desk.gateway.confirm(reference, a_draw(desk))

    assert (0, DrawAnswer.NOT_FOUND) == (
        desk.taken(),
        desk.gateway.lookup(a_draw(desk), reference).answer,
    )


@pytest.mark.parametrize("fault", ["before", "never", "lost"])
def test_a_prepare_that_failed_may_be_asked_again(desk, fault):
    desk.lose("prepare", fault)
    with pytest.raises(TemporaryFailure):
        desk.gateway.prepare(a_draw(desk))

    reference = drawn(desk, a_draw(desk))

    assert (43_21, reference) == (desk.taken(), desk.gateway.lookup(a_draw(desk), None).reference)


def test_a_draw_whose_prepare_was_lost_is_known_by_its_key_as_not_drawn(desk):
    desk.lose("prepare", "lost")
    with pytest.raises(TemporaryFailure):
        desk.gateway.prepare(a_draw(desk))

    found = desk.gateway.lookup(a_draw(desk), None)

    assert (DrawAnswer.NOT_FOUND, desk.gateway.prepare(a_draw(desk))) == (
        found.answer,
        found.reference,
    )


def test_a_lookup_that_fails_leaves_the_outcome_unknown(desk):
    reference = drawn(desk, a_draw(desk))

    for fault in ("before", "never", "lost"):
        desk.lose("lookup", fault)
        with pytest.raises(OutcomeUnknown):
            desk.gateway.lookup(a_draw(desk), reference)


def test_what_nobody_asked_for_is_not_found(desk):
    drawn(desk, a_draw(desk))

    assert DrawAnswer.NOT_FOUND is desk.gateway.lookup(a_draw(desk, key="autopay/x/1"), None).answer


@pytest.mark.parametrize("change", ["amount", "account"])
def test_other_parameters_under_a_used_key_are_a_misuse(desk, change):
    reference = drawn(desk, a_draw(desk))
    other = {"amount": Money(43_22), "account": "0110372"}
    request = a_draw(desk, **{change: other[change]})

    with pytest.raises(GatewayMisuse):
        desk.gateway.prepare(request)
    with pytest.raises(GatewayMisuse):
        desk.gateway.confirm(reference, request)

    assert 43_21 == desk.taken()


def test_the_reference_of_another_draw_is_a_misuse(desk):
    reference = drawn(desk, a_draw(desk))
    other = a_draw(desk, key="autopay/2026-10/0110372/1")

    with pytest.raises(GatewayMisuse):
        desk.gateway.confirm(reference, other)
    with pytest.raises(GatewayMisuse):
        desk.gateway.lookup(other, reference)


def test_a_draw_of_nothing_is_a_misuse(desk):
    with pytest.raises(GatewayMisuse):
        desk.gateway.prepare(a_draw(desk, amount=ZERO))


def test_a_refund_gives_back_a_part_and_then_the_rest(desk):
    reference = drawn(desk, a_draw(desk))

    part = desk.gateway.refund(reference, Money(40_00), "refund/a")
    rest = desk.gateway.refund(reference, Money(3_21), "refund/b")

    assert ([Money(40_00), Money(3_21)], 0) == ([part.amount, rest.amount], desk.taken())
    assert part.reference != rest.reference


def test_a_refund_under_a_used_key_is_the_same_refund(desk):
    reference = drawn(desk, a_draw(desk))

    first, again = (desk.gateway.refund(reference, Money(43_21), "refund/a") for _ in range(2))

    assert (first, 0) == (again, desk.taken())


def test_a_refund_whose_answer_was_lost_is_given_once(desk):
    reference = drawn(desk, a_draw(desk))
    desk.lose("refund", "lost")
    with pytest.raises(OutcomeUnknown):
        desk.gateway.refund(reference, Money(43_21), "refund/a")

    desk.gateway.refund(reference, Money(43_21), "refund/a")

    assert 0 == desk.taken()


def test_another_refund_under_a_used_key_is_a_misuse(desk):
    reference = drawn(desk, a_draw(desk))
    desk.gateway.refund(reference, Money(1_00), "refund/a")

    with pytest.raises(GatewayMisuse):
        desk.gateway.refund(reference, Money(2_00), "refund/a")

    assert 42_21 == desk.taken()


@pytest.mark.parametrize(("before", "asked"), [(0, 43_22), (40_00, 3_22), (43_21, 1), (0, 0)])
def test_no_more_is_refunded_than_was_drawn(desk, before, asked):
    reference = drawn(desk, a_draw(desk))
    if before:
        desk.gateway.refund(reference, Money(before), "refund/a")

    with pytest.raises(PermanentFailure):
        desk.gateway.refund(reference, Money(asked), "refund/b")

    assert 43_21 - before == desk.taken()


def test_what_was_not_drawn_is_not_refunded(desk):
    prepared = desk.gateway.prepare(a_draw(desk))
    request = a_draw(desk, key="autopay/2026-10/0110371/2", method_token=desk.poor)
    declined = desk.gateway.prepare(request)
    desk.gateway.confirm(declined, request)

    for reference in (prepared, declined, desk.unknown_reference):
        with pytest.raises(PermanentFailure):
            desk.gateway.refund(reference, Money(1_00), f"refund/{reference}")


def test_a_late_event_names_its_draw_and_comes_once(desk):
    request = a_draw(desk, method_token=desk.clawed_back)
    reference = drawn(desk, request)
    assert [] == gone_back(desk)

    desk.days_later()
    event, *others = gone_back(desk)

    assert ([], LateEventKind.CHARGED_BACK, "fraudulent") == (others, event.kind, event.code)
    assert (request.key, reference, Money(43_21)) == (event.draw_key, event.reference, event.amount)
    assert [event.event_id] == [again.event_id for again in gone_back(desk)]


def test_settlements_add_up_to_the_cent(desk):
    for number, cents in enumerate((43_21, 1_00, 120_55, 9_99), 1):
        reference = drawn(desk, a_draw(desk, f"autopay/2026-10/01/{number}", amount=Money(cents)))
    desk.gateway.refund(reference, Money(5_00), "refund/a")
    desk.days_later()

    settlements = desk.paid_out()
    items = [item for settlement in settlements for item in settlement.items]

    assert 169_75 == sum(item.amount.cents for item in items)
    assert {f"autopay/2026-10/01/{number}" for number in range(1, 5)} == {
        item.draw_key for item in items
    }
    for paid in settlements:
        assert paid.gross - paid.fees == paid.net
        assert paid.gross == Money.total(item.amount for item in paid.items)
        assert paid.fees == Money.total(item.fee for item in paid.items)
    assert Money(1_55 + 33 + 3_80 + 59) == Money.total(s.fees for s in settlements)


def test_settlements_come_oldest_first_from_a_day_on(desk):
    drawn(desk, a_draw(desk))
    desk.days_later()
    days = [paid.pays_out_on for paid in desk.paid_out()]

    assert sorted(days) == days
    assert [] == list(desk.gateway.settlements(days[-1].replace(year=2040)))


def test_nothing_that_is_said_tells_the_token(desk):
    request = a_draw(desk)
    bad = a_draw(desk, key="autopay/2026-10/0110371/9", method_token=desk.unknown_token)
    said = [repr(request), str(request), repr(desk.gateway)]
    reference = drawn(desk, request)
    said.append(repr(desk.gateway.lookup(request, reference)))

    for ask in (
        lambda: desk.gateway.prepare(a_draw(desk, amount=Money(9))),
        lambda: desk.gateway.confirm(reference, a_draw(desk, amount=Money(9))),
        lambda: desk.gateway.confirm("nothing", request),
        lambda: desk.gateway.confirm(desk.gateway.prepare(bad), bad),
    ):
        try:
            said.append(repr(ask()))
        except (GatewayMisuse, PermanentFailure, TemporaryFailure, OutcomeUnknown) as failure:
            said.append("".join(traceback.format_exception(failure)))

    assert not [text for text in said if desk.good in text or desk.unknown_token in text]
