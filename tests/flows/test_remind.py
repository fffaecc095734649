"""`remind` as a clerk and a scheduler run it: figures, statuses, refusals, the server's flow."""

from __future__ import annotations

import sqlite3
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa

from database.books import Database
from database.tables import gateway_payment
from deployments.served import send_reminders
from domain.money import Money
from tests.billing_system.feed.builders import write_feed
from tests.builders import post_payment
from tests.flows.desk import Desk, at_server
from tests.mail.servers import MailServer, running

BEFORE, AFTER = "2026-11-17T06:00", "2026-11-21T06:00"
EVERYBODY = [
    "+hal@example.com",
    "ann.abbott@example.com",
    "cam.cole@example.com",
    "dana@example.net",
    "eve.ellis@example.com",
    "fay.frost@example.com",
    "kit.kane@example.com",
    "landlord@example.net",
]


@pytest.fixture
def office(closed, tmp_path) -> Desk:
    """A closed October, whose autopay payments wait: 8 mailboxes of those who owe money."""
    return closed.copied(tmp_path / "office")


def remind(desk: Desk, at: str, *arguments: str, **settings: str):
    return desk("remind", "--json", "--as-of", at, *arguments, **settings)


def reminded(desk: Desk, kind: str) -> list[str]:
    return sorted(row["recipient"] for row in desk.rows("deliveries", f"kind={kind}"))


def write(desk: Desk, sql: str, *values: object) -> None:
    with sqlite3.connect(desk.home / "billclose.db") as books:
        books.execute(sql, values)
    books.close()


def get_stuck(desk: Desk) -> None:
    """A payment was taken on the day of the close and never posted."""
    books = Database(f"sqlite:///{desk.home / 'billclose.db'}")
    with books.writing() as connection:
        payment = connection.execute(
            sa.select(gateway_payment).order_by(gateway_payment.c.key).limit(1)
        ).one()
        post_payment(connection, payment, amount=Money.parse("27.35"))
    books.close()


def give_up(desk: Desk) -> None:
    """Let the banks have said no to every payment: then its customer is reminded again."""
    write(desk, "UPDATE gateway_payment SET state = 'declined' WHERE state = 'scheduled'")


def test_nights_from_the_close_to_the_past_due_mail(office):
    early = remind(office, "2026-11-17T05:59")
    first = remind(office, BEFORE)
    again = remind(office, BEFORE)
    write(office, "UPDATE balance_due SET paid = amount_due WHERE account = '01.1003.3'")
    between = remind(office, "2026-11-20T23:00")
    give_up(office)
    late = remind(office, AFTER)
    later = remind(office, "2026-11-24T06:00")

    none = {"owed": 0, "queued": 0, "sent": 0}
    assert (0, "done") == (early.status, early.json["status"]), early.err
    assert none.items() <= early.json["reminders"]["payment-due"].items()
    counts = first.json["reminders"]["payment-due"]
    assert (0, 8, 8, 8, 0, {"no-address": 4}) == (
        first.status,
        *(counts[name] for name in ("owed", "queued", "sent", "already_sent", "skipped")),
    ), first.err
    assert {"owed": 8, "queued": 0, "sent": 0, "already_sent": 8}.items() <= again.json[
        "reminders"
    ]["payment-due"].items()
    assert {"owed": 6, "queued": 0}.items() <= between.json["reminders"]["payment-due"].items()
    assert {"owed": 6, "queued": 6, "sent": 6}.items() <= late.json["reminders"]["past-due"].items()
    assert {"owed": 6, "queued": 0, "sent": 0, "already_sent": 6}.items() <= later.json[
        "reminders"
    ]["past-due"].items()
    not_cole = [
        name for name in EVERYBODY if name not in ("cam.cole@example.com", "dana@example.net")
    ]
    assert EVERYBODY == reminded(office, "payment-due")
    assert not_cole == reminded(office, "past-due")
    assert {"2026-10"} == {row["period"] for row in office.rows("deliveries", "kind=past-due")}
    exceptions = office.rows("exceptions", "code=reminder-no-address")
    assert ["01.1002.2", "01.1004.4", "01.1009.9", "01.1012.2"] == [
        row["account"] for row in exceptions
    ]
    acts = [row["action"] for row in office.rows("audit")]
    assert [1, 1, 1, 1] == [
        acts.count(f"{verb} {kind}")
        for verb in ("queue", "send")
        for kind in ("payment-due", "past-due")
    ]


def test_the_mails_say_what_is_owed_and_by_when(office):
    give_up(office)
    remind(office, AFTER)
    mails = [
        message_from_bytes(file.read_bytes(), policy=default)
        for file in (office.home / "mail").rglob("past-due*.eml")
    ]

    (kane,) = [mail for mail in mails if mail["To"] == "kit.kane@example.com"]
    text = kane.get_body(("plain",)).get_content()
    assert 8 == len(mails)
    assert all(word in text for word in ("$200.00", "November 20, 2026", "1 day", "01.1011.1"))


def test_whose_payment_nobody_drew_gets_no_past_due_mail_and_the_office_is_told(office):
    """Ruling 20, case 39: the machine was off, and somebody runs `remind` before `collect`."""
    late = remind(office, AFTER)
    told = office("remind", "--dry-run", "--as-of", AFTER)
    exceptions = office("list", "exceptions", "--as-of", AFTER, "--json").json

    counts, overdue = late.json["reminders"]["past-due"], late.json["collecting_overdue"]
    undrawn = office.rows("scheduled-payments", "state=scheduled")
    assert (len(undrawn), min(row["pay_date"] for row in undrawn)) == (
        overdue["payments"],
        overdue["since"],
    )
    assert len(undrawn) == counts["skipped"]["shielded-draw"]
    assert "Collecting is overdue" in told.out
    shielded = {row["account"] for row in exceptions if row["code"] == "reminder-shielded-draw"}
    assert {row["account"] for row in undrawn} == shielded


def test_a_dry_run_says_the_same_and_leaves_nothing_behind(office):
    before = office.files()
    look = remind(office, BEFORE, "--dry-run")
    after = office.files()
    told = office("remind", "--dry-run", "--as-of", BEFORE)

    counts = look.json["reminders"]["payment-due"]
    assert (0, "dry-run", 8, 8, 0) == (
        look.status,
        look.json["status"],
        counts["owed"],
        counts["queued"],
        counts["sent"],
    ), look.err
    assert before == after
    assert "payment-due  8 owed, 8 would be sent\n            4  left out: no-address" in told.out


def test_the_switch_spares_autopay_customers_the_first_mail_alone(office):
    spared = {"BILLCLOSE_REMINDERS__SPARE_AUTOPAY": "true"}
    due = remind(office, BEFORE, **spared)
    give_up(office)
    late = remind(office, AFTER, **spared)

    counts = due.json["reminders"]["payment-due"]
    assert (6, {"autopay": 3, "no-address": 3}) == (counts["owed"], counts["skipped"]), due.err
    assert 8 == late.json["reminders"]["past-due"]["sent"]


def test_the_ladder_comes_from_the_settings(office):
    ladder = '[{"name": "past-due-2", "days_after_due": 8, "smallest_balance": "60.00"}]'
    own = {"BILLCLOSE_REMINDERS__LADDER": ladder}
    give_up(office)
    remind(office, AFTER, **own)
    later = remind(office, "2026-11-28T06:00", **own)

    assert 3 == later.json["reminders"]["past-due"]["sent"], later.err
    assert ["eve.ellis@example.com", "kit.kane@example.com", "landlord@example.net"] == sorted(
        row["recipient"] for row in office.rows("deliveries", "form=past-due-2")
    )


def test_stale_balances_are_refused_unless_somebody_says_why(office):
    get_stuck(office)
    refused = remind(office, BEFORE)
    looked = remind(office, BEFORE, "--dry-run")
    empty = remind(office, BEFORE, "--despite-stuck-postings", " ")
    nothing = reminded(office, "payment-due")
    done = remind(office, BEFORE, "--despite-stuck-postings", "paid at another counter")

    assert [(3, "postings-stuck")] * 2 == [
        (answer.status, answer.json["refusal"]["code"]) for answer in (refused, looked)
    ]
    assert (2, []) == (empty.status, nothing)
    assert (0, 7) == (done.status, done.json["reminders"]["payment-due"]["sent"]), done.err
    (act,) = office.rows("audit", "action=remind despite stuck postings")
    assert "1 payment, $27.35 not posted: paid at another counter" == act["detail"]


def test_a_mail_server_that_was_down_does_not_remind_of_what_was_paid_meanwhile(office):
    with running(MailServer()) as mail:
        down = f"smtp://127.0.0.1:{mail.port}"
    give_up(office)
    away = remind(office, AFTER, BILLCLOSE_SMTP__URL=down)
    write(office, "UPDATE balance_due SET paid = amount_due WHERE account = '01.1011.1'")
    with running(MailServer()) as mail:
        url = f"smtp://127.0.0.1:{mail.port}"
        back = remind(office, "2026-11-22T06:00", BILLCLOSE_SMTP__URL=url)

    counts = away.json["reminders"]["past-due"]
    assert (4, "unsent", 0, 8) == (
        away.status,
        away.json["status"],
        counts["sent"],
        counts["deferred"],
    ), away.err
    assert "no connection to the relay" in away.sentences[0]
    assert (0, 1, 7) == (
        back.status,
        back.json["withdrawn"],
        back.json["reminders"]["past-due"]["sent"],
    ), back.err
    assert "kit.kane@example.com" not in mail.recipients
    assert [] == office.rows("exceptions", "stage=mail", "code=mail-failed")


def test_mail_send_sends_reminders_that_were_put_off_and_none_out_of_season(office):
    with running(MailServer()) as mail:
        down = f"smtp://127.0.0.1:{mail.port}"
    remind(office, BEFORE, BILLCLOSE_SMTP__URL=down)
    in_time = office.copied(office.home.with_name("in-time"))

    sent = in_time("mail", "send", "--json", "--as-of", "2026-11-20T23:00")
    too_late = office("mail", "send", "--json", "--as-of", "2026-11-21T00:30")

    assert (0, 8) == (sent.status, sent.json["sent"]), sent.err
    assert (0, 0) == (too_late.status, too_late.json["sent"]), too_late.err
    assert [] == reminded(office, "payment-due")


def test_reminders_are_sent_from_the_server(office, monkeypatch):
    """It goes by the machine's clock: by then the due date is far past, or not yet there."""
    monkeypatch.setenv("BILLCLOSE_HOME", str(office.home))
    write(office, "UPDATE balance_due SET due_on = '2020-01-20'")
    with at_server(office.settings["PREFECT_API_URL"]):
        done = send_reminders(return_state=True)

    assert "reminders sent: 0 payment-due, 0 past-due" == done.message
    assert {"too-late": 4} == done.result()["reminders"]["past-due"]["skipped"]
    (drawn,) = {row["state"] for row in office.rows("scheduled-payments")}
    assert ("succeeded", 0) == (drawn, done.result()["collecting_overdue"]["payments"])


def test_what_was_missed_takes_in_the_feed_then_draws_then_reminds(office, monkeypatch):
    """Case 39: the machine was off on the day of the draws; Abbott paid 10.00 of her 27.35."""
    monkeypatch.setenv("BILLCLOSE_FEED__FOLDER", "inbox")
    monkeypatch.setenv("BILLCLOSE_FEED__MAX_AGE", "30")
    paid = ("M1", "01.1001.1", "2020-01-15", "payment", "-10.00", "CASH 1")
    write_feed(office.home / "inbox" / "night", paid, heading="sequence = 1\n")
    monkeypatch.setenv("BILLCLOSE_HOME", str(office.home))
    write(office, "UPDATE gateway_payment SET pay_on = '2020-01-13'")
    write(office, "UPDATE balance_due SET due_on = '2020-01-20'")

    with at_server(office.settings["PREFECT_API_URL"]):
        done = send_reminders(return_state=True)

    (abbott,) = office.rows("completed-payments", "account=01.1001.1", "source=autopay")
    assert ("17.35", 0) == (abbott["amount"], done.result()["collecting_overdue"]["payments"])
    assert "balances are of the feed" == done.result()["balances"]
    assert [] == office.rows("deliveries", "kind=past-due", "account=01.1001.1")
