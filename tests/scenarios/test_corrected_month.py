"""A close that is taken back on day two and closed again, and no more on the ninth.

Then what is open is the truth to the cent, and gateway, books and cash receipting agree.
Left for a release: `tests/corrections` takes a close back, closes it again and refuses to each
time, by the same commands; here gateway and cash receipting are asked besides.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace

import pytest

from domain.money import ZERO, Money
from tests.flows.town import ABBOTT, FROST, IRWIN, with_household, write_town

pytestmark = [pytest.mark.slow, pytest.mark.release]


@pytest.fixture
def office(closed, tmp_path):
    return closed.copied(tmp_path / "office")


def collect(office, *days):
    for day in days:
        assert 0 == office("collect", "--json", "--as-of", f"2026-11-{day:02}T08:00").status


def truth(town, paid):
    """What each account owes by what is known of it: its amount due less what was taken."""
    return {
        one.number: str(one.amount_due - Money.parse(paid.get(one.number, "0.00")))
        for one in town
        if one.account.get("status") != "closed"
    }


def open_balances(office):
    return {row["account"]: row["open"] for row in office.rows("balances")}


def taken(office):
    """What the gateway drew, the ledger counts and cash receipting has, in all."""
    with contextlib.closing(sqlite3.connect(office.home / "cash-receipting.db")) as system:
        posted = system.execute("SELECT cents FROM receipt").fetchall()
    books = office.query("SELECT sum(-amount) FROM balance_entry WHERE kind = 'payment'")
    drawn = office.query("SELECT sum(amount) FROM draw WHERE state = 'approved'")
    receipts = sum((Money(cents) for (cents,) in posted), ZERO)
    return Money(drawn[0][0]), Money(books[0][0]), receipts


def test_a_close_taken_back_on_day_two_and_closed_again_owes_the_truth(office, tmp_path):
    collect(office, 2)  # Irwin pays 90.00 of a bill that should have been 95.00
    undone = office("undo", "2026-10", "--yes", "--as-of", "2026-11-03T10:00", "--json")
    meanwhile = open_balances(office)
    right = with_household(replace(IRWIN, charges="95.00"))

    again = office.close(write_town(tmp_path / "again", right), "--yes", as_of="2026-11-04T09:00")
    collect(office, 4, 10, 13)
    late = office("undo", "2026-10", "--yes", "--as-of", "2026-11-09T10:00", "--json")

    assert [0, 0, 3] == [undone.status, again.status, late.status], again.err
    assert ({"-90.00", "0.00"}, "-90.00") == (set(meanwhile.values()), meanwhile[IRWIN.number])
    paid = {ABBOTT.number: "27.35", FROST.number: "50.00", IRWIN.number: "90.00"}
    assert truth(right, paid) == open_balances(office)
    assert {Money.parse("167.35")} == set(taken(office))
    assert 0 == office("audit", "verify").status
