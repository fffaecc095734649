"""The form of an approval: what the server refuses while it is still open."""

from __future__ import annotations

import pytest
from prefect.utilities.schema_tools.validation import validate

from tasks.approval import make_form


def refusals(filled, approvers=()):
    form = make_form(
        "figures", blocking=("bill-amount",), approvers=approvers, approved_by=(), note=""
    )
    return [error.message for error in validate(filled, form.model_json_schema())]


@pytest.mark.parametrize(
    "filled",
    [
        pytest.param({"decision": "look again"}, id="look again, as whoever wakes a run"),
        pytest.param({"decision": "look again", "name": "", "reason": ""}, id="look again"),
        pytest.param({"decision": "approve", "name": "Anna", "reason": ""}, id="a yes"),
        pytest.param({"decision": "refuse", "name": "Ben", "reason": "old rates"}, id="a no"),
        pytest.param(
            {"decision": "approve", "name": "Anna", "reason": "x", "waive": ["bill-amount"]},
            id="a yes with a waiver",
        ),
    ],
)
def test_an_answer_that_is_whole_is_taken(filled):
    assert [] == refusals(filled)


@pytest.mark.parametrize(
    "filled",
    [
        pytest.param({"name": "Anna", "reason": ""}, id="no decision"),
        pytest.param({"decision": "approve"}, id="a yes without a name"),
        pytest.param({"decision": "approve", "name": ""}, id="a yes with an empty name"),
        pytest.param(
            {"decision": "refuse", "name": "Ben", "reason": ""}, id="a no without a reason"
        ),
        pytest.param(
            {"decision": "approve", "name": "Anna", "reason": "", "waive": ["bill-amount"]},
            id="a waiver without a reason",
        ),
    ],
)
def test_an_answer_is_refused_at_once_that_is(filled):
    assert 1 == len(refusals(filled))


def test_a_name_is_chosen_where_the_settings_say_who_may_approve():
    chosen, empty = ({"decision": "approve", "name": name} for name in ("anna", ""))

    assert [] == refusals(chosen, approvers=("anna", "ben"))
    assert 1 == len(refusals(empty, approvers=("anna", "ben")))
