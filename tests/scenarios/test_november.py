"""November in a small town: every mail and every payment, with all nights and with three missed.

Rules 90-93, ruling 17. Left for a release: each act of a night has tests of its own by the same
command (test_remind, test_collecting and test_notify of `tests/flows`), and every run misses three
nights where reminders are made (test_reminding).
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.flows.desk import Desk

# October is due on Friday the 20th. Frost is drawn ten days before, Abbott on the banking day
# before the 15th; Irwin's day was in October, so that she is drawn as soon as it is closed.
DAYS = (3, 10, 13, 17, 20, 21)  # on the others nothing happens
MISSED = (17, 18, 19)
NIGHT = (("remind", "06:00"), ("collect", "08:00"), ("notify", "09:00"))

COLE, ELLIS, HALE, KANE = (
    ("01.1003.3", ("cam.cole@example.com", "dana@example.net")),
    ("01.1005.5", ("eve.ellis@example.com", "landlord@example.net")),
    ("01.1008.8", ("+hal@example.com",)),
    ("01.1011.1", ("kit.kane@example.com",)),
)
ABBOTT, FROST, GRAY = (
    ("01.1001.1", ("ann.abbott@example.com",)),
    ("01.1006.6", ("fay.frost@example.com",)),
    ("01.1007.7", ("gone-gray@example.com",)),
)
WHO_OWES = (COLE, ELLIS, HALE, KANE)
MAILS = {
    "bill": (ABBOTT, COLE, ELLIS, FROST, GRAY, HALE, KANE),  # the others get theirs on paper
    "payment-due": WHO_OWES,  # Gray has a credit, Abbott and Frost have paid by then
    "past-due": WHO_OWES,
    "receipt": (ABBOTT, FROST),  # Irwin has no address
    "autopay-failed": (KANE,),  # $200.00, and his maximum is $100.00
}
PAYMENTS = [
    ("01.1001.1", "2026-11-13", "27.35", "ach", "succeeded"),
    ("01.1006.6", "2026-11-10", "50.00", "card", "succeeded"),
    ("01.1009.9", "2026-11-02", "90.00", "card", "succeeded"),
]

pytestmark = pytest.mark.release


def live_through(desk: Desk, days: Iterable[int]) -> None:
    for day in days:
        for command, at in NIGHT:
            done = desk(command, "--as-of", f"2026-11-{day:02}T{at}", "--json")
            assert 0 == done.status, (command, day, done.err)


def mails(desk: Desk) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for row in desk.rows("deliveries"):
        assert "sent" == row["status"]
        found.setdefault(row["kind"], []).append((row["account"], row["recipient"].casefold()))
    return {kind: sorted(sent) for kind, sent in found.items()}


@pytest.fixture(scope="module")
def mid_november(closed, tmp_path_factory):
    """The office after the nights that nobody misses."""
    office = closed.copied(tmp_path_factory.mktemp("november") / "office")
    live_through(office, (day for day in DAYS if day < min(MISSED)))
    return office


@pytest.mark.parametrize("missed", [(), MISSED], ids=["every night", "three nights missed"])
def test_everybody_hears_what_concerns_them_once_and_pays_once(mid_november, tmp_path, missed):
    office = mid_november.copied(tmp_path / "office")

    live_through(office, (day for day in DAYS if day >= min(MISSED) and day not in missed))

    expected = {
        kind: sorted((account, mailbox) for account, mailboxes in told for mailbox in mailboxes)
        for kind, told in MAILS.items()
    }
    assert expected == mails(office)
    paid = [
        tuple(row[name] for name in ("account", "pay_date", "amount", "method", "state"))
        for row in office.rows("scheduled-payments")
    ]
    assert PAYMENTS == sorted(paid)
    posted = [(row["account"], row["amount"]) for row in office.rows("completed-payments")]
    assert [(account, amount) for account, _, amount, _, _ in PAYMENTS] == sorted(posted)
    assert [] == office.rows("pending-payments")
