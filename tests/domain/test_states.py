"""States as tables: every state can be reached, and nothing moves outside the table."""

from __future__ import annotations

from itertools import product

import pytest

from domain.payments import PAYMENT, PaymentState
from domain.runs import RUN, RunState
from domain.states import Transitions

TABLES = [
    pytest.param(PAYMENT, PaymentState, id="payment"),
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
