"""`billclose preview`: a look at a mail before anybody gets it."""

from __future__ import annotations

import json
import webbrowser
from datetime import date
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from database.books import Database
from database.tables import balance_due, bill_run, planned_payment
from domain.deliveries import MessageKind
from domain.money import ZERO, Money
from tests.flows.desk import Desk
from tests.mail.builders import PDF, RUN, a_run, an_account, deliveries
from tests.mail.servers import MailServer, running

NUMBER, KEY = "01.1037.1", "0110371"
DRAW_DAY = date(2026, 11, 13)
OWED = {
    "account_key": KEY, "account": NUMBER, "period": RUN, "amount_due": Money(80_00), "paid": ZERO,
    "due_on": date(2026, 11, 20),
}  # fmt: skip
PLANNED = {
    "period": RUN, "account_key": KEY, "account": NUMBER, "amount": Money(80_00),
    "pay_on": DRAW_DAY, "immediate": False, "method_token": "tok", "method_kind": "card",
    "last4": "4242",
}  # fmt: skip


@pytest.fixture
def office(prepared: Desk, tmp_path: Path) -> Desk:
    """A home whose books hold a closed run with one account, and its bill in the store."""
    desk = Desk(prepared.copied(tmp_path / "office").home)
    with_account(desk, closed=True)
    return desk


@pytest.fixture
def staged(prepared: Desk, tmp_path: Path) -> Desk:
    """The same before the close."""
    desk = Desk(prepared.copied(tmp_path / "office").home)
    with_account(desk, closed=False)
    return desk


def with_account(desk: Desk, *, closed: bool) -> None:
    books = Database(f"sqlite:///{desk.home}/billclose.db")
    a_run(books, closed=closed)
    an_account(books, NUMBER, draw=DRAW_DAY if closed else None, wallet_owner="bob@x.example")
    with books.writing() as connection:
        if closed:
            connection.execute(balance_due.insert().values(**OWED))
        else:
            connection.execute(bill_run.update().values(state="staged"))
            connection.execute(planned_payment.insert().values(**PLANNED))
    books.close()
    bill = desk.home / "bills" / RUN / "utility-bill" / "0110371.1.pdf"
    bill.parent.mkdir(parents=True, exist_ok=True)
    bill.write_bytes(PDF)


def looked_at(answer, desk: Desk):
    """Return the mail and the page that were written."""
    mail, page = (Path(line.split(" ", 1)[1]) for line in answer.out.splitlines()[:2])
    for file in (mail, page):
        assert 0o600 == file.stat().st_mode & 0o777
    return message_from_bytes(mail.read_bytes(), policy=default), page.read_text()


def recorded(desk: Desk) -> list:
    books = Database(f"sqlite:///{desk.home}/billclose.db")
    rows = deliveries(books)
    books.close()
    return rows


def test_a_bill_is_shown_with_the_accounts_own_facts(office):
    answer = office("preview", "bill", "--account", "01-1037-1")

    mail, page = looked_at(answer, office)
    (pdf,) = mail.iter_attachments()
    assert (0, "") == (answer.status, answer.err)
    assert (
        "Your City of Larkspur utility bill for October 2026, account 01.1037.1" == mail["Subject"]
    )
    assert "ann@customer.example" == mail["To"]
    assert PDF == pdf.get_content()
    assert "$80.00" in page
    assert 0o700 == (office.home / "preview").stat().st_mode & 0o777
    assert [] == recorded(office)
    assert not (office.home / "mail").exists()


def test_a_bill_is_shown_before_the_close(staged):
    mail, page = looked_at(staged("preview", "bill", "--account", NUMBER, "--period", RUN), staged)

    assert "ann@customer.example" == mail["To"]
    assert "Your payment of $80.00 will be drawn on November 13, 2026" in page


def test_who_may_not_know_the_payment_method_is_not_shown_it(office):
    _, page = looked_at(office("preview", "autopay-scheduled", "--account", NUMBER), office)

    assert "The autopay payment of $80.00" in page
    assert "6789" not in page


def test_a_template_that_does_not_work_is_said_so(office):
    (office.home / "templates").mkdir()
    (office.home / "templates" / "utility-bill.txt").write_text("{{ no_such_thing }}")

    answer = office("preview", "bill", "--sample")

    assert (2, True) == (answer.status, "utility-bill does not work" in answer.err)


@pytest.mark.parametrize("kind", [kind.value for kind in MessageKind])
def test_every_kind_is_shown_with_invented_facts(office, kind):
    answer = office("preview", kind, "--sample")

    mail, page = looked_at(answer, office)
    assert 0 == answer.status
    assert mail.defects == []
    assert "<h1" in page
    assert "City of Larkspur" in str(mail["From"])


def test_an_offices_own_step_of_the_ladder_is_shown(office):
    notices = office.home / "templates" / "notices"
    notices.mkdir(parents=True)
    (notices / "past-due-2.subject").write_text("Second notice")

    mail, _ = looked_at(office("preview", "past-due", "--form", "past-due-2", "--sample"), office)

    assert "Second notice" == mail["Subject"]


def test_it_is_written_where_the_clerk_wants_it(office, tmp_path):
    answer = office("preview", "receipt", "--sample", "--to", tmp_path / "mine.eml")

    assert f"Mail {tmp_path}/mine.eml\nPage {tmp_path}/mine.html\n" == answer.out
    assert (tmp_path / "mine.html").exists()
    assert not (office.home / "preview").exists()


@pytest.mark.parametrize(("opens", "said"), [(True, ""), (False, "no browser could be opened")])
def test_the_page_is_opened_in_the_browser(office, monkeypatch, opens, said):
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or opens)

    answer = office("preview", "receipt", "--sample", "--open")

    page = Path(answer.out.splitlines()[1].removeprefix("Page "))
    assert ([page.as_uri()], 0) == (opened, answer.status)
    assert said in answer.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nope", "--sample"], "'nope' is not one of bill, payment-due"),
        (["bill"], "Give either --account N or --sample."),
        (["bill", "--account", "1", "--sample"], "Give either --account N or --sample."),
        (["bill", "--sample", "--period", RUN], "--period goes with --account"),
        (["bill", "--account", "99"], "No period in the books has an account 99"),
        (["bill", "--account", "99", "--period", RUN], "Period 2026-10 has no account 99"),
        (["bill", "--account", NUMBER, "--period", "2031-01"], "No export of period 2031-01"),
        (["bill", "--account", NUMBER, "--form", "final-bill"], "no bill of the form final-bill"),
        (["receipt", "--account", NUMBER], "there is no payment that is succeeded; try --sample"),
        (["past-due", "--sample", "--form", "second"], "such a form is called past-due-NAME"),
        (["past-due", "--sample", "--to", "here.html"], "its page goes beside it"),
        (["bill", "--sample", "--send-to", "a@x;b@y"], "the e-mail address is not valid"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_sentence(office, words, sentence):
    answer = office("preview", *words)

    (said,) = answer.sentences
    assert 2 == answer.status
    assert sentence in said


def test_a_test_mail_goes_to_the_clerk_and_is_no_delivery(office):
    with running(MailServer()) as server:
        answer = office(
            "preview", "bill", "--account", NUMBER, "--send-to", "clerk@larkspur.example",
            BILLCLOSE_SMTP__URL=f"smtp://127.0.0.1:{server.port}",
            BILLCLOSE_SMTP__SENDER="billing@larkspur.example",
        )  # fmt: skip

    (sent,) = server.accepted
    mail = message_from_bytes(sent[2], policy=default)
    audit = json.loads(office("list", "audit", "--json").out)
    assert 0 == answer.status, answer.err
    assert "clerk@larkspur.example" == mail["To"]
    assert mail["Subject"].startswith("[Test] Your City of Larkspur utility bill")
    assert "Ann O'Neil" in mail.get_body(("plain",)).get_content()
    assert "Sent clerk@larkspur.example" in answer.out
    assert [] == recorded(office)
    assert [("send test mail", "utility-bill-2026-10-01.1037.1")] == [
        (row["action"], row["subject"]) for row in audit
    ]


def test_two_test_mails_are_two_mails(office):
    for _ in range(2):
        assert 0 == office("preview", "bill", "--sample", "--send-to", "c@x.example").status

    mails = [
        message_from_bytes(file.read_bytes(), policy=default)
        for file in (office.home / "mail").iterdir()
    ]
    assert 2 == len({mail["Message-ID"] for mail in mails})


def test_a_test_mail_that_is_refused_is_said_so(office):
    with running(MailServer()) as server:
        answer = office(
            "preview", "bill", "--sample", "--send-to", "gone@larkspur.example",
            BILLCLOSE_SMTP__URL=f"smtp://127.0.0.1:{server.port}",
        )  # fmt: skip

    (said,) = answer.sentences
    assert 1 == answer.status
    assert "the mail server refused the test mail" in said


def test_a_look_has_the_business_time_that_it_is_given(office):
    words = ("preview", "past-due", "--account", NUMBER, "--as-of")

    early = office(*words, "2026-11-20T09:00")
    mail, _ = looked_at(office(*words, "2026-12-01T09:00"), office)

    assert (2, True) == (early.status, "it is not past due" in early.err)
    assert "11 days ago" in mail.get_body(("plain",)).get_content()
    assert "Tue, 01 Dec 2026 09:00:00 -0700" == mail["Date"]


def test_the_text_in_the_place_of_a_mail_is_said_and_nothing_is_written(office):
    kind = MessageKind.PAST_DUE.value

    own = office("preview", kind, "--account", NUMBER, "--text")
    sample = office("preview", kind, "--sample", "--text")
    never = office("preview", "bill", "--sample", "--text")

    assert (0, 0, 2) == (own.status, sample.status, never.status)
    assert "of your account ending 37.1, $80.00, was due November 20, 2026" in own.out
    assert "Reply STOP to end texts." in sample.out and "is always a mail" in never.err
    assert not (office.home / "preview").exists()
