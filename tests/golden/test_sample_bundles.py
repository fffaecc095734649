"""The sample billing exports close, or are refused, exactly as their outcomes say."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from domain.accounts import account_key
from domain.money import Money

FOLDER = Path(os.environ.get("BILLCLOSE_BUNDLES", "no-bundles"))
BUNDLES = sorted(path.parent.name for path in FOLDER.glob("*/expected.json"))
GOOD = [name for name in BUNDLES if not name.startswith("refused-")]
REFUSED = [name for name in BUNDLES if name.startswith("refused-")]
SHOWN = ("bills", "deliveries", "paper", "scheduled-payments", "autopay-unscheduled")

# One of each kind closes or is refused each time: of which file what is read is the splitter's
# subject, which check refuses what that of the checks.
_LEFT_OUT = pytest.mark.release


def some(names: list[str], without: str) -> list[object]:
    """Return the names of which every run tries the first, a release all."""
    return [
        pytest.param(one, marks=_LEFT_OUT if place else ())
        for place, one in enumerate(names or [without])
    ]


pytestmark = pytest.mark.skipif(
    not BUNDLES, reason="BILLCLOSE_BUNDLES names no folder of sample bundles"
)


@pytest.mark.parametrize("name", some(GOOD, "larkspur"))
def test_a_sample_bundle_closes(desk, name):
    expected = json.loads((FOLDER / name / "expected.json").read_text("utf-8"))

    answer = desk.close(FOLDER / name, "--yes")

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    bills, deliveries = desk.rows("bills"), desk.rows("deliveries")
    assert all(row["visible"] for row in bills)
    assert {"sent"} == {row["status"] for row in deliveries}
    assert keyed(expected["bills"], to_bill) == {
        account_key(row["account"]): to_bill(row) for row in bills
    }
    assert keyed(expected["ebill_recipients"], sorted) == grouped(
        (row["account"], row["recipient"].lower()) for row in deliveries
    )
    assert sorted(map(account_key, expected["paper"])) == sorted(
        account_key(row["account"]) for row in desk.rows("paper")
    )
    assert keyed(expected["scheduled"], to_payment) == {
        account_key(row["account"]): to_payment(row) for row in desk.rows("scheduled-payments")
    }
    assert keyed(expected["unscheduled"], str) == {
        account_key(row["account"]): row["reason"] for row in desk.rows("autopay-unscheduled")
    }
    checks = {row["check"]: set(map(account_key, row["accounts"])) for row in desk.rows("checks")}
    assert {
        name: set(map(account_key, accounts)) for name, accounts in expected["warnings"].items()
    } == {name: checks[name] for name in expected["warnings"]}
    owed = keyed(expected["amount_due"], lambda amount: Money.parse(amount).cents)
    balances = dict(desk.query("SELECT account_key, amount_due FROM balance_due"))
    assert keyed(expected["bills"], bool).keys() <= balances.keys()
    assert {key: owed[key] for key in balances} == balances
    totals = answer.json["totals"]
    assert expected["totals"] == {name: str(value) for name, value in totals.items()}


@pytest.mark.parametrize("name", some(REFUSED, "refused"))
def test_a_sample_bundle_is_refused(desk, name):
    expected = json.loads((FOLDER / name / "expected.json").read_text("utf-8"))
    check = name.removeprefix("refused-")

    answer = desk.close(FOLDER / name, "--yes")

    assert (3, check) == (answer.status, answer.json["refusal"]["code"]), answer.err
    assert {what: [] for what in SHOWN} == {what: desk.rows(what) for what in SHOWN}
    checks = {row["check"]: row for row in desk.rows("checks")}
    assert "failed" == checks[check]["status"]
    assert {
        found: set(map(account_key, accounts)) for found, accounts in expected["planted"].items()
    } == {found: set(map(account_key, checks[found]["accounts"])) for found in expected["planted"]}


def to_bill(row):
    return Money.parse(row["amount_due"]), row["pages"]


def to_payment(row):
    told = [row[field] for field in ("pay_date", "immediate", "method", "last4")]
    return Money.parse(row["amount"]), *told


def keyed(by_account, to_value):
    return {account_key(account): to_value(value) for account, value in by_account.items()}


def grouped(pairs):
    found = {}
    for account, value in pairs:
        found.setdefault(account_key(account), []).append(value)
    return {account: sorted(values) for account, values in found.items()}
