"""The form of a close: what a clerk can fill in, and what programs may still hand over."""

from __future__ import annotations

import pytest
from prefect.utilities.schema_tools.validation import validate

from data_checks.checking import require_waivable
from deployments.forms import WAIVABLE, Waiver, by_check
from deployments.serve import deployments
from deployments.served import close
from domain.checks import NEVER_WAIVED
from office.settings.settings import Settings

CENT = {"check": "bill-amount", "reason": "one cent"}


def served():
    """The form that `billclose up` shows."""
    made = {one.name: one for one in deployments(Settings(), "America/Denver", [])}
    return made["close-period"]._parameter_openapi_schema.model_dump_for_openapi()


def deployed():
    """The form that `prefect deploy` makes."""
    return close.parameters.model_dump_for_openapi()


@pytest.fixture(params=[served, deployed], ids=["billclose up", "prefect deploy"])
def form(request):
    return request.param()


def refusals(form, **filled):
    return [error.message for error in validate({"period": "2026-10"} | filled, form)]


def test_waivers_are_a_list_of_a_choice_and_a_reason(form):
    entry = form["definitions"]["Waiver"]

    assert ("array", []) == (
        form["properties"]["waive"]["type"],
        form["properties"]["waive"]["default"],
    )
    assert {"$ref": "#/definitions/Waiver"} == form["properties"]["waive"]["items"]
    assert WAIVABLE == entry["properties"]["check"]["enum"]
    assert ["check", "reason"] == entry["required"]
    assert [] == refusals(form, waive=[CENT])


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"check": "bill-amount"}, id="no reason"),
        pytest.param({"check": "bill-amount", "reason": "  "}, id="a blank reason"),
        pytest.param({"check": "sensitive-data", "reason": "x"}, id="never waived"),
        pytest.param({"check": "misspelled", "reason": "x"}, id="no check"),
    ],
)
def test_a_waiver_is_refused_by_the_form_that_has(form, entry):
    assert 1 == len(refusals(form, waive=[entry]))


def test_programs_may_hand_over_reasons_by_check_as_before(form):
    named = {"bill-amount": "one cent"}

    taken = close.validate_parameters({"period": "2026-10", "waivers": named})

    assert "waivers" not in form["properties"]
    assert [] == refusals(form, waivers=named)
    assert named == by_check(taken["waive"], taken["waivers"])


def test_every_choice_can_be_waived():
    require_waivable(WAIVABLE)

    assert NEVER_WAIVED.isdisjoint(WAIVABLE)


def test_a_check_that_stands_twice_loses_no_reason():
    listed = [Waiver(check="bill-amount", reason=reason) for reason in ("a\n cent", "old rates")]

    assert {"bill-amount": "known; a cent; old rates", "bill-copy": "x"} == by_check(
        [*listed, listed[0]], {"bill-amount": "known", "bill-copy": "x"}
    )
