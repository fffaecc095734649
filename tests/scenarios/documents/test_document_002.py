"""The overview for portal users, walked in its order: an invited customer's first visit and on."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from email import message_from_bytes, policy

import openpyxl
import pytest

from database.definitions.identity import one_time_link
from domain.identity import LinkKind, UserState
from identity.one_time_links import make_link
from identity.users import make_user
from office.procedures.mailing.portal_mail import send_portal_mails
from tests.builders import NOW
from tests.scenarios.documents.pressing import press
from tests.web.customers.conftest import ANN, PASSWORD, Browser, newest_link
from tests.web.customers.history.conftest import MINE, app, office, year  # noqa: F401

NEW = "another correct horse"


@pytest.fixture
def ann(year, app) -> Browser:  # noqa: F811
    browser = Browser(app)
    browser.sign_in(ANN)
    return browser


def invited(office, address: str = "cy@example.com") -> str:  # noqa: F811
    """Invite a customer as customer service does; return the link's path."""
    with office.database.writing() as books:
        user = make_user(books, address, NOW, UserState.INVITED)
        tokens = office.link_tokens
        key = make_link(books, tokens, LinkKind.CREATE_CREDENTIALS, NOW, user=user)
    return f"/invite/{tokens.token(key)}"


def test_an_invitation_is_good_for_three_days_and_leads_to_a_password(office, app):  # noqa: F811
    """Rules 142, 143 and 151: follow the link, choose a password, sign in; once, and in time."""
    link = invited(office)
    page = Browser(app).get(link).text
    chosen = Browser(app).send(link, password=NEW, again=NEW)
    signed_in = Browser(app).sign_in("cy@example.com", NEW)
    late = invited(office, "dee@example.com")
    with office.database.writing() as books:
        row = books.execute(one_time_link.select().order_by(one_time_link.c.made_at.desc())).all()
        books.execute(one_time_link.update().values(expires_at=office.due_now()))
    too_late = Browser(app).send(late, password=NEW, again=NEW)

    assert {timedelta(hours=72)} == {one.expires_at - one.made_at for one in row}
    assert 'name="password"' in page
    assert "/sign-in?done=password" == chosen.headers["location"]
    assert 303 == signed_in.status_code
    assert 410 == too_late.status_code and "Send me a new link" in too_late.text


def test_the_head_of_the_home_page_says_balance_last_paid_and_pay_where_there_is_something(ann):
    """Rules 46, 47 and 181: with the days of the zone that the settings name."""
    home = ann.get("/").text

    assert "$45.50" in home and "Due on November 20, 2026" in home
    assert "Last paid: $20.00 on October 5, 2026." in home  # at the counter
    assert "As of 9:00 AM." in home
    assert f'href="/accounts/{MINE}/pay"' in home
    assert f'href="/accounts/{MINE}/bill"' in home


def test_invoices_credits_payments_and_usages_have_each_their_part(ann):
    """Rules 179 and 180."""
    bills = ann.get("/bills").text
    usage = ann.get("/bills/usage").text

    assert "Nov 20, 2026" in bills and "$45.50" in bills and "PDF" in bills
    assert "ADJ-1" in bills and "($4.25)" in bills and "($20.00)" in bills
    assert "7.5" in usage and "Invoiced" in usage


def test_usages_are_filtered_shown_by_column_and_sent_as_a_file(ann):
    """Rules 182 and 183: at most the newest thousand, by a mailed link to whoever is signed in."""
    chosen = ann.get("/bills/usage?since=2026-01-01&column=date&column=id").text
    ann.get("/bills/usage")
    sent = ann.post("/bills/usage", account=MINE)

    assert ["ID", "Date"] == re.findall(r'<th scope="col">([^<]*)', chosen)
    assert "/bills/usage?done=sent" == sent.headers["location"]
    assert ANN in ann.get("/bills/usage?done=sent").text


def test_my_account_is_read_but_for_password_and_methods(ann):
    """Rules 43, 122 and 164."""
    page = ann.get("/account").text
    wallet = ann.get("/wallet").text

    assert 'name="mailing_address"' not in page and 'name="last_name"' not in page
    assert 'href="/account/password"' in page or 'action="/account/password"' in page
    assert "Add" in wallet


def test_autopay_needs_a_payment_method(ann):
    """Rule 70: where the wallet is empty the page leads to it, and nothing is scheduled."""
    page = ann.get(f"/accounts/{MINE}/autopay").text

    assert 'href="/wallet' in page and "Yes, enroll" not in page


def test_methods_are_added_one_is_made_the_default_and_one_deleted(ann):
    """Rule 122: the one that is offered first, and the one that goes."""
    for token in ("tok_ok", "tok_ach_savings_ok"):
        methods = press(ann, ann.get("/wallet"), "Add a payment method")
        (button,) = re.findall(r'<button class="main">([^<]+)</button>', methods.text)
        both = press(ann, methods, button, token=token)
    changed = press(ann, both, "Make default")
    asked = press(ann, changed, "Remove")
    left = press(ann, asked, "Yes, remove it")

    first = [default_of(page.text) for page in (both, changed)]
    assert {"4242", "4321"} == set(first)
    assert 1 == len(re.findall(r"ending (?:4242|4321)</h2>", left.text))


def test_an_export_of_usages_comes_as_an_excel_file_by_the_mailed_link(ann, year):  # noqa: F811
    """Rule 183: pressed with Send; the link in the mail fetches it."""
    page = ann.get("/bills/usage")
    press(ann, page, "Send")
    send_portal_mails(year)
    (mail,) = (
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in year.home.rglob("*.eml")
    )
    text = mail.get_body(("plain",)).get_content()
    (link,) = re.findall(r"https://[^/]+(/exports/\S+)", text)
    book = openpyxl.load_workbook(io.BytesIO(ann.get(link).content))

    assert ANN == mail["To"]
    assert 1 < book.active.max_row <= 1001
    assert {7.5} <= {cell.value for row in book.active.iter_rows() for cell in row}


def default_of(page: str) -> str:
    """Return the last digits of the method that a wallet's page calls the default."""
    return re.search(r"ending (\d{4})</h2>(?:(?!</h2>).)*?Default:", page, re.DOTALL)[1]


def test_a_forgotten_password_is_replaced_from_the_sign_in_page(year, app):  # noqa: F811
    """Rule 165: an address, a mail, a button that confirms."""
    visitor = Browser(app)
    door = visitor.get("/sign-in").text
    visitor.get("/forgot")
    visitor.post("/forgot", email=ANN)
    link = f"/reset/{newest_link(year)}"
    form = visitor.get(link).text
    visitor.post(link, password=NEW, again=NEW)

    assert 'href="/forgot"' in door and 'name="password"' in form
    assert 422 == Browser(app).sign_in(ANN, PASSWORD).status_code
    assert 303 == Browser(app).sign_in(ANN, NEW).status_code
