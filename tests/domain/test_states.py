"""States as tables: every state can be reached, and nothing moves outside the table."""

from __future__ import annotations

from itertools import product

import pytest

from domain.payments import DRAW, PAYMENT, POSTING, DrawState, PaymentState, PostingState
from domain.runs import RUN, RunState
from domain.states import Transitions

TABLES = [
    pytest.param(PAYMENT, PaymentState, id="payment"),
    pytest.param(DRAW, DrawState, id="draw"),
    pytest.param(POSTING, PostingState, id="posting"),
    pytest.param(RUN, RunState, id="bill run"),
]


def reachable(table: Transitions, start=None) -> set:
    found = {start or table.start}
    while more := {after for (state, _), after in table.moves.items() if state in found} - found:
        found |= more
    return found


@pytest.mark.parametrize(("table", "states"), TABLES)
def test_every_state_can_be_reached(table, states):
    assert set(states) == reachable(table)


@pytest.mark.parametrize(("table", "states"), TABLES)
def test_a_move_is_in_the_table_or_refused(table, states):
    events = {event for _, event in table.moves} | {"forgotten", ""}

    for state, event in product(states, events):
        if (state, event) in table.moves:
            assert table.moves[state, event] is table.after(state, event)
        else:
            with pytest.raises(ValueError, match=f"{table.name} that is {state} cannot be {event}"):
                table.after(state, event)


@pytest.mark.parametrize("state", [state for state in PaymentState if state != "scheduled"])
def test_only_a_scheduled_payment_is_asked_for(state):
    with pytest.raises(ValueError, match="cannot be asked"):
        PAYMENT.after(state, "asked")


@pytest.mark.parametrize("state", ["submitted", "unknown", "succeeded"])
def test_a_payment_that_may_have_happened_cannot_be_cancelled(state):
    with pytest.raises(ValueError, match="cannot be cancelled"):
        PAYMENT.after(PaymentState(state), "cancelled")


def moves(table: Transitions, event: str) -> dict:
    return {str(state): str(after) for (state, what), after in table.moves.items() if what == event}


def test_the_gateways_yes_is_believed_whatever_was_thought_before():
    """It has the money, however late that is heard; a draw that was not asked has none."""
    late = ("scheduled", "submitted", "unknown", "declined", "cancelled")

    assert dict.fromkeys(late, "succeeded") == moves(PAYMENT, "approved")
    assert dict.fromkeys(("asked", "declined", "abandoned"), "approved") == moves(DRAW, "approved")


def test_a_no_is_believed_only_of_what_was_asked_and_what_never_arrived_is_asked_again():
    asked = ("submitted", "unknown")

    assert dict.fromkeys(asked, "declined") == moves(PAYMENT, "declined")
    assert dict.fromkeys(asked, "scheduled") == moves(PAYMENT, "never arrived")
    assert {"submitted": "unknown"} == moves(PAYMENT, "no answer")
    assert {"asked": "declined"} == moves(DRAW, "declined")
    assert {"created": "abandoned", "asked": "abandoned"} == moves(DRAW, "abandoned")


def test_a_payment_is_scheduled_once_more_by_a_retry_or_a_new_enrollment_alone():
    assert {"declined": "scheduled"} == moves(PAYMENT, "tried again")
    assert {"cancelled": "scheduled"} == moves(PAYMENT, "enrolled again")
    assert {"scheduled": "cancelled"} == moves(PAYMENT, "cancelled")


@pytest.mark.parametrize("state", ["succeeded", "returned-in-part", "returned"])
def test_what_was_taken_may_go_back_and_come_again_in_any_order(state):
    after = [PAYMENT.after(PaymentState(state), event)
             for event in ("returned", "returned in part", "reinstated")]  # fmt: skip

    assert ["returned", "returned-in-part", "succeeded"] == after


def test_a_posting_is_asked_for_only_from_pending_and_what_was_asked_is_not_entered_by_hand():
    """Cash receipting may have it: a second one by hand would be money twice."""
    assert {"pending": "submitted"} == moves(POSTING, "asked")
    assert {"submitted": "posted"} == moves(POSTING, "posted")
    assert {"submitted": "rejected"} == moves(POSTING, "rejected")
    assert {"submitted": "pending"} == moves(POSTING, "never arrived")
    assert {"pending": "rejected", "submitted": "rejected"} == moves(POSTING, "given up")
    assert {"rejected": "pending"} == moves(POSTING, "tried again")
    assert {"pending": "posted", "rejected": "posted"} == moves(POSTING, "posted by hand")


def test_a_taken_payment_is_never_scheduled_again():
    taken = {PaymentState.SUCCEEDED, PaymentState.RETURNED_IN_PART, PaymentState.RETURNED}
    assert taken == (reachable(PAYMENT, PaymentState.SUCCEEDED))


def test_a_closed_period_is_opened_again_by_undoing_its_close_alone_rule_1():
    onward = {after for (state, event), after in RUN.moves.items()
              if state in (RunState.CLOSED, RunState.FINISHED) and event != "undone"}  # fmt: skip

    assert {RunState.FINISHED} == onward
    assert {"published", "finished", "undone"} >= {
        event for (state, event) in RUN.moves if state is RunState.CLOSED
    }


@pytest.mark.parametrize("state", [state for state in RunState if state != "approved"])
def test_only_an_approved_run_is_published(state):
    with pytest.raises(ValueError, match="cannot be published"):
        RUN.after(state, "published")
