"""`notify` and `hold` as a clerk and a scheduler run them."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import date
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa

from database.books import Database
from database.definitions.identity import wallet_method
from database.tables import mandate, payment_method
from deployments.served import notify
from domain.identity import UserState
from domain.payments import MethodKind
from identity.users import make_user
from tests.builders import NOW
from tests.flows.desk import Desk, at_server

AFTER_THE_CLOSE, AFTER_THE_DRAWS = "2026-11-03T07:00", "2026-11-21T07:00"
IN_DECEMBER = "2026-12-01T07:00"
PAST_DUE = "2026-11-21T06:00"


@pytest.fixture
def office(closed, tmp_path) -> Desk:
    return closed.copied(tmp_path / "office")


def notified(desk: Desk, at: str, *arguments: str, **settings: str):
    return desk("notify", "--json", "--as-of", at, *arguments, **settings)


def texts(desk: Desk, pattern: str) -> list[str]:
    mails = [
        message_from_bytes(file.read_bytes(), policy=default)
        for file in sorted((desk.home / "mail").rglob(pattern))
    ]
    return [mail.get_body(("plain",)).get_content() for mail in mails]


def test_what_was_drawn_gets_its_receipt_once(office):
    early = notified(office, AFTER_THE_CLOSE)
    office("collect", "--as-of", "2026-11-20T09:00", "--json")
    look = notified(office, AFTER_THE_DRAWS, "--dry-run")
    first = notified(office, AFTER_THE_DRAWS)
    again = notified(office, "2026-11-22T07:00")

    drawn = [row for row in office.rows("scheduled-payments") if row["state"] == "succeeded"]
    receipts = office.rows("deliveries", "kind=receipt")
    assert (0, 0) == (early.status, early.json["notices"]["receipt"]["queued"]), early.err
    assert look.json["notices"] == first.json["notices"]
    nobody = {"01.1009.9"}  # it has no address
    assert {row["account"] for row in drawn} - nobody == {row["account"] for row in receipts}
    assert {"no-address": 1} == first.json["notices"]["receipt"]["skipped"]
    assert (0, len(receipts), 0) == (
        first.status,
        first.json["sent"],
        again.json["notices"]["receipt"]["queued"],
    ), first.err
    said = "".join(texts(office, "receipt*"))
    assert all(row["confirmation"] in said for row in drawn if row["account"] not in nobody)


def test_whose_e_bill_failed_hears_of_the_draw_by_a_mail_of_its_own(office):
    payments = office.rows("scheduled-payments", "method=ach", "state=scheduled")
    (one, *_) = [row for row in payments if row["pay_date"] > "2026-11-03"]
    told_before = notified(office, AFTER_THE_CLOSE, "--dry-run").json["notices"]
    with contextlib.closing(sqlite3.connect(office.home / "billclose.db")) as books, books:
        failed = "UPDATE delivery SET status = 'failed' WHERE kind = 'bill' AND account = ?"
        books.execute(failed, (one["account"],))

    told = notified(office, AFTER_THE_CLOSE)

    mails = office.rows("deliveries", "kind=autopay-scheduled")
    assert 0 == told_before["autopay-scheduled"]["queued"]
    assert (0, {one["account"]}) == (told.status, {row["account"] for row in mails}), told.err
    assert f"${one['amount']}" in texts(office, "autopay-scheduled*")[0]


def test_a_card_that_is_soon_no_good_is_told_of(office):
    database = Database(f"sqlite:///{office.home / 'billclose.db'}")
    with database.writing() as books:
        method, agreed = payment_method.c, mandate.c
        paying = sa.select(payment_method).join(mandate, agreed.method_token == method.token)
        card = books.execute(
            paying.where(method.kind == MethodKind.CARD, agreed.active).order_by(method.token)
        ).first()
        user = make_user(books, "fay@example.com", NOW, UserState.ACTIVE)
        books.execute(
            wallet_method.insert().values(
                token=card.token, user_number=user, kind=card.kind, last4=card.last4,
                brand="Visa", expires_on=date(2026, 12, 31), added_at=NOW,
            )
        )  # fmt: skip

    look = notified(office, IN_DECEMBER, "--dry-run")
    off = notified(office, IN_DECEMBER, "--dry-run", BILLCLOSE_NOTICES__METHOD_EXPIRING_DAYS="0")
    first = notified(office, IN_DECEMBER)

    found = [one.json["notices"]["method-expiring"]["queued"] for one in (look, off, first)]
    mails = office.rows("deliveries", "kind=method-expiring")
    assert [1, 0, 1] == found, first.err
    assert ["sent"] == [row["status"] for row in mails]
    assert "good until December 31, 2026 and no longer" in texts(office, "method-expiring*")[0]


def test_notices_can_be_switched_off(office):
    office("collect", "--as-of", "2026-11-20T09:00", "--json")

    told = notified(office, AFTER_THE_DRAWS, BILLCLOSE_NOTICES__RECEIPTS="false")

    assert (0, 0) == (told.status, told.json["sent"]), told.err


def test_notices_are_sent_from_the_server(office, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_HOME", str(office.home))
    with at_server(office.settings["PREFECT_API_URL"]):
        done = notify(return_state=True)

    assert "notices: 0 sent" == done.message


def test_a_hold_keeps_the_past_due_mail_back_and_says_why(office):
    place = ("--until", "2026-11-24", "--reason", "pays by the week", "--as-of", PAST_DUE)
    placed = office("hold", "01-1011-1", *place, "--json")
    group = office("hold", "--where", "city=Nowhere", *place)
    held = office("remind", "--json", "--as-of", PAST_DUE)
    shown = office("remind", "--dry-run", "--as-of", PAST_DUE)
    exceptions = office("list", "exceptions", "--json", "--as-of", PAST_DUE)
    listed = office("hold", "list", "--json", "--as-of", PAST_DUE)
    later = office("remind", "--json", "--as-of", "2026-11-25T06:00")

    assert (0, "placed", "01.1011.1") == (
        placed.status,
        placed.json["status"],
        placed.json["of"],
    ), placed.err
    assert 2 == group.status
    counts = held.json["reminders"]["past-due"]
    hold = {"hold": 1, "until": "2026-11-24", "reason": "pays by the week", "accounts": 1}
    assert ([hold], 5) == (counts["holds"], counts["sent"]), held.err
    assert "1  by hold 1 until 2026-11-24: pays by the week" in shown.out
    found = [row for row in exceptions.json if row["code"] == "reminder-held"]
    assert [("01.1011.1", "no past-due mail until 2026-11-24, hold 1: pays by the week")] == [
        (row["account"], row["message"]) for row in found
    ]
    assert [("in-force", 1)] == [(row["standing"], row["accounts"]) for row in listed.json]
    assert 1 == later.json["reminders"]["past-due"]["sent"], later.err


def test_a_hold_is_lifted_with_a_reason(office):
    office("hold", "01.1011.1", "--until", "2026-12-24", "--reason", "why", "--as-of", PAST_DUE)

    wrong = office("hold", "lift", "1", "--as-of", PAST_DUE)
    lifted = office("hold", "lift", "1", "--reason", "has paid", "--as-of", PAST_DUE)
    sent = office("remind", "--json", "--as-of", PAST_DUE).json["reminders"]["past-due"]

    assert (2, 0) == (wrong.status, lifted.status), lifted.err
    assert ([], 6) == (sent["holds"], sent["sent"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--until", "2026-12-01", "--reason", "why"),
        ("01.1011.1", "--where", "city=X", "--until", "2026-12-01", "--reason", "why"),
        ("01.1011.1", "--until", "soon", "--reason", "why"),
        ("--where", "city", "--until", "2026-12-01", "--reason", "why"),
    ],
)
def test_a_hold_that_says_not_whom_or_until_when_is_refused(office, arguments):
    assert 2 == office("hold", *arguments).status


def test_further_steps_are_shown_by_their_own_templates_or_the_first_ones(office):
    own = office.home / "templates" / "notices"
    own.mkdir(parents=True)
    (own / "past-due-3.subject").write_text("Final notice: {{ open_balance }}")
    subjects = []
    for form in ("past-due-2", "past-due-3"):
        file = office.home / f"{form}.eml"
        shown = office(
            "preview", "past-due", "--form", form, "--account", "01.1011.1",
            "--as-of", PAST_DUE, "--to", str(file),
        )  # fmt: skip
        assert 0 == shown.status, shown.err
        subjects.append(message_from_bytes(file.read_bytes(), policy=default)["Subject"])

    assert ["Past due: $200.00, account 01.1011.1", "Final notice: $200.00"] == subjects
