"""A month with everything that seldom happens: no event of it without a sentence that says why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from database.definitions.identity import wallet_method
from domain.checkout import CheckoutOwner, PayLine
from domain.identity import LinkProof, UserState
from domain.money import Money
from domain.payments import MethodKind
from identity.account_links import add_link
from identity.users import make_user
from office.clock import Clock
from office.equipment.office import Office
from office.procedures import checkout
from office.settings.settings import read_settings
from payments.checkout.confirming import PayWish
from tests.billing_system.feed.builders import write_feed
from tests.corrections.correcting_builders import correct, small_export
from tests.flows.desk import Desk
from tests.flows.town import (
    ABBOTT,
    BAKER,
    COLE,
    DUNN,
    ELLIS,
    FROST,
    GRAY,
    IRWIN,
    KANE,
    TOWN,
    write_town,
)
from tests.scenarios.explained import EVENTS, Told, silent_events, tell_all

pytestmark = pytest.mark.slow
OCTOBER = ("--period", "2026-10")
BEHAVES = {ABBOTT.number: "tok_ach_R01", IRWIN.number: "tok_chargeback"}  # returned, and disputed
BOOKS_LACK = {"bounce", "choice"}  # the demo's own month has them, or they need a mail server


@pytest.fixture(scope="module")
def month(prepared, server, tmp_path_factory) -> Iterator[Desk]:
    """An October that is closed, taken back, closed again, and lived through."""
    place = tmp_path_factory.mktemp("everything")
    settings = server.environment | {"BILLCLOSE_CLOCK__REHEARSAL": "true"}
    desk = Desk(prepared.copied(place / "office").home, settings)
    lines = (desk.home / "billclose.toml").read_text("utf-8")
    (desk.home / "billclose.toml").write_text(
        re.sub(r"(?m)^#? ?cart = false", "cart = true", lines)
    )
    export = write_town(place / "october", TOWN)
    for number, token in BEHAVES.items():
        for name in ("payment_methods.csv", "autopay.csv"):
            table = export / name
            table.write_text(table.read_text("utf-8").replace(f"tok-{number}", token))
    act = _acting(desk)
    act("close", export, "--yes", at="02T09:00")
    act("collect", at="02T10:00")
    act("undo", "2026-10", "--yes", "--reason", "Wrong rates", at="03T10:00")
    act("outsort", BAKER.number, *OCTOBER, "--reason", "Meter in doubt", at="03T11:00")
    act("close", "2026-10", "--yes", at="04T09:00")
    _correct_and_hold(desk, place, act)
    _pay_by_hand(desk, act)
    for day in (13, 20):
        act("retry-postings", "--now", at=f"{day}T07:00")
        act("collect", at=f"{day}T08:00")
        act("remind", at=f"{day}T08:30")
        if day == 13:
            _refund(desk, act)
    yield desk


def _refund(desk: Desk, act) -> None:
    taken = (one for one in desk.rows("completed-payments") if one["account"] == FROST.number)
    words = ("--amount", "7.50", "--reason", "Paid too much")
    act("refund", next(taken)["confirmation"], *words, at="14T09:00")


def _acting(desk: Desk):
    def act(*words, at):
        done = desk(*words, "--as-of", f"2026-11-{at}")
        assert done.status in (0, 4), (words, done.out, done.err)

    return act


def _correct_and_hold(desk: Desk, place, act) -> None:
    """Twice the same bill, one that was drawn, and one that is held when it is corrected."""
    lists = ((ABBOTT, "20.00"), (ABBOTT, "24.00"), (IRWIN, "95.00"), (KANE, "90.00"))
    for number, (household, charges) in enumerate(lists):
        right = replace(household, charges=charges)
        done = correct(desk, small_export(place / f"small-{number}", right), right)
        assert done.status in (0, 4), done.err
    act("outsort", ELLIS.number, *OCTOBER, "--reason", "Asked at the counter", at="05T09:00")
    act("release", BAKER.number, *OCTOBER, at="06T09:00")
    words = ("--yes", "--reason", "asked at the counter")
    act("autopay", "cancel", GRAY.number, *words, at="06T09:30")
    act("hold", "place", DUNN.number, "--until", "2026-12-01", "--reason", "Ill", at="06T10:00")
    rows = (
        ("M1", BAKER.number, "2026-11-06", "payment", "-10.00", "CASH 1"),
        ("M2", DUNN.number, "2026-11-06", "penalty", "5.00", ""),
        ("M3", COLE.number, "2026-11-06", "adjustment", "-1.10", ""),
    )
    heading = "sequence = 1\nwritten_at = 2026-11-06T22:00:00\n"
    feed = write_feed(place / "night", *rows, heading=heading)
    (feed / "changes.csv").write_text(f"account_number,email\n{DUNN.number},dee@example.net\n")
    act("feed", feed, at="07T09:00")


@pytest.fixture(scope="module")
def office(month) -> Iterator[Office]:
    opened = _office(month)
    yield opened
    opened.database.close()


def _office(desk: Desk, day: int = 24) -> Office:
    now = datetime(2026, 11, day, 19, tzinfo=UTC)
    clock = Clock(lambda: now, now.replace(hour=12, tzinfo=None))
    return Office(desk.home, read_settings(desk.home), clock, "anna")


def _pay_by_hand(desk: Desk, act) -> None:
    """One payment for two accounts, one that nobody confirmed, one that was refused at the yes."""
    office = _office(desk, 9)
    with office.database.writing() as books:
        user = make_user(books, "ben@portal.example", office.due_now(), UserState.ACTIVE)
        for household in (BAKER, COLE):
            key = household.number.replace(".", "")
            add_link(books, user, key, LinkProof.NAME, office.due_now(), "the customer")
        books.execute(
            wallet_method.insert().values(
                token="tok_ok", user_number=user, kind=MethodKind.CARD, last4="4242",
                added_at=office.due_now(),
            )
        )  # fmt: skip
    owner = CheckoutOwner(user, "ben@portal.example")

    def draft(*amounts: str) -> str:
        lines = [
            PayLine(one.number.replace(".", ""), one.number, Money.parse(amount))
            for one, amount in zip((BAKER, COLE), amounts, strict=False)
        ]
        key, refusal = checkout.draft(office, PayWish(owner, tuple(lines), "tok_ok"))
        assert refusal is None
        return key

    checkout.confirm(office, draft("12.00", "3.00"), owner, "/payments")
    draft("4.00")
    wallet = ("--user", "ben@portal.example", "--method", "tok_ok")
    act("autopay", "enroll", COLE.number, *wallet, "--days-prior", "3", "--yes", at="09T12:00")
    gone = draft("5.00")
    with office.database.writing() as books:
        books.execute(sa.delete(wallet_method))
    checkout.confirm(office, gone, owner, "/payments")
    office.database.close()


@pytest.fixture(scope="module")
def told(office) -> Told:
    return tell_all(office)


@pytest.mark.parametrize("kind", EVENTS)
def test_no_event_of_the_hard_month_is_without_its_sentence(month, told, kind):
    assert [] == silent_events(month, told, kind)
    assert kind in BOOKS_LACK or month.query(EVENTS[kind])


def test_the_month_has_what_it_is_named_for(month):
    """Else the sentences above would be proved on nothing."""
    kinds = {kind for (kind,) in month.query("SELECT DISTINCT kind FROM payment_event")}
    states = {state for (state,) in month.query("SELECT DISTINCT state FROM checkout")}
    sources = {one for (one,) in month.query("SELECT DISTINCT source FROM balance_entry")}

    assert {"return", "dispute", "refund"} <= kinds
    assert {"draft", "submitted", "refused"} == states
    assert {"feed", "draw", "checkout", "correction"} <= sources
    assert 2 == len(month.query("SELECT 1 FROM correction WHERE account = '01.1001.1'"))


def test_an_account_is_explained_while_its_only_close_is_taken_back(month, tmp_path):
    """What was drawn stands, and somebody asks why."""
    desk = month.copied(tmp_path / "office")
    with _office(desk).database.writing() as books:
        books.execute(sa.text("DELETE FROM account_search"))

    found = desk("why", IRWIN.number)

    assert 0 == found.status, found.err
    assert "was taken back" in " ".join(found.out.split())
