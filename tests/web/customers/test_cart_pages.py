"""The cart, other payments and guests on the pages: what is offered, asked, shown and taken."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.checkout import checkout, checkout_line
from database.ledger.tables import feed_file
from database.tables import delivery, gateway_payment
from domain.money import Money
from office.settings.checkout import (
    CheckoutSettings,
    DistributionSettings,
    MessagesSettings,
    OtherPaymentsSettings,
)
from office.settings.money import FeedSettings
from rules.money.checkout import NumberKind
from tests.web.customers.conftest import ANN, Browser, register
from tests.web.customers.test_paying import PAY, add_method, owed, payments
from web.desk import desk_of

ONLINE = {"allow_online": True, "allow_portal": True}
PARK = DistributionSettings(code="shelter", name="Park shelter", category="Parks", **ONLINE)
COPIES = DistributionSettings(
    code="copies", name="Copies", category="Clerk", amount="5.00", require_comment=True, **ONLINE
)
PERMIT = DistributionSettings(
    code="permit", name="Building permit", category="Permits", number=NumberKind.PERMIT, **ONLINE
)
DEPOSIT = DistributionSettings(
    code="deposit", name="Deposit", category="Utility", number=NumberKind.CUSTOMER,
    allow_guests=False, **ONLINE,
)  # fmt: skip
AT_DESK = DistributionSettings(code="desk", name="At the desk", category="Parks", allow_online=True)
OTHER = OtherPaymentsSettings(
    allow=True, permits="permits.csv", distributions=(PARK, COPIES, PERMIT, DEPOSIT, AT_DESK)
)
OPEN = CheckoutSettings(cart=True, guests=True, card_fee="1.50", guest_attempts=3)


def with_settings(office, **settings):
    changed = {"checkout": OPEN, "other_payments": OTHER} | settings
    return replace(office, settings=office.settings.model_copy(update=changed))


@pytest.fixture
def city(office):
    """An office that lets customers and guests pay anything, several things at once."""
    (office.home / "permits.csv").write_text("number,name\nBP-77,Doe\n", encoding="utf-8")
    found = with_settings(office)
    user = register(found, accounts=("0110371", "0220002"))
    add_method(found, user, "tok_ok")
    return found


def guest_of(city):
    browser = Browser(desk_of(city))
    browser.get("/guest")
    browser.get("/guest")
    return browser


def follow(browser, answer):
    """Go where an answer leads, as a browser does."""
    while answer.status_code == 303:
        place = answer.headers["location"]
        answer = browser.get(re.sub(r"^https://[^/]+", "", place))
    return answer


def lines(city):
    query = sa.select(
        checkout_line.c.account, checkout_line.c.distribution, checkout_line.c.amount
    ).order_by(checkout_line.c.checkout, checkout_line.c.number)
    with city.database.reading() as books:
        return [(account, code, str(amount)) for account, code, amount in books.execute(query)]


def receipts(city):
    with city.database.reading() as books:
        query = sa.select(delivery.c.address).where(delivery.c.kind == "receipt")
        return list(books.scalars(query))


def test_two_accounts_and_a_shelter_are_paid_at_once_with_one_fee_line(
    city, ann
):  # rules 191 and 195
    for account in ("0110371", "0220002"):
        ann.get(f"/accounts/{account}/pay")
        ann.post(f"/accounts/{account}/pay", amount="10.00", act="cart")
    ann.get("/other/shelter")
    cart = follow(ann, ann.post("/other/shelter", payor="Ann Doe", amount="25")).text
    check = follow(ann, ann.post("/cart", method="tok_ok"))
    paid = follow(ann, ann.post(f"{check.url.path}/confirm")).text

    assert "Park shelter (Ann Doe)" in cart and "$45.00" in cart
    assert "$1.50" not in cart  # rule 194: fees only when all is known
    assert "$3.00" in check.text and "Pay $48.00 now" in check.text
    assert "Your payment was received" in paid
    assert [("48.00", "succeeded")] == payments(city)
    assert [("01.1037.1", "", "10.00"), ("02.2000.2", "", "10.00"), ("", "shelter", "25.00")] == [
        *lines(city)
    ]
    assert [ANN] == receipts(city)
    assert "There is nothing to pay here yet" in ann.get("/cart").text


def test_a_line_is_taken_out_of_the_cart_again(city, ann):
    ann.get(PAY)
    cart = follow(ann, ann.post(PAY, amount="10.00", act="cart")).text
    number = re.search(r'name="line" value="(\d+)"', cart)

    left = follow(ann, ann.post("/cart/remove", line=number[1])).text

    assert "There is nothing to pay here yet" in left


@pytest.mark.parametrize(
    ("code", "fields", "sentence"),
    [
        pytest.param("shelter", {"amount": "5"}, "name of whoever pays", id="no payor"),
        pytest.param("shelter", {"payor": "A", "amount": "5,5"}, "in dollars", id="no amount"),
        pytest.param("copies", {"payor": "A"}, "what the payment is for", id="rule 193"),
        pytest.param("permit", {"amount": "5", "number": "XX"}, "know that number", id="no permit"),
        pytest.param("deposit", {"amount": "5", "number": "9"}, "know that number", id="nobody"),
        pytest.param("deposit", {"amount": "5"}, "Enter the number", id="no number"),
    ],
)
def test_what_another_payment_needs_is_asked(ann, code, fields, sentence):  # rules 192 and 199
    ann.get(f"/other/{code}")

    answer = ann.post(f"/other/{code}", **fields)

    assert 422 == answer.status_code
    assert sentence in answer.text


def test_numbers_that_are_known_are_taken_as_they_are_written_there(city, ann):
    for code, typed in (("permit", "bp-77"), ("deposit", "0220002")):
        ann.get(f"/other/{code}")
        ann.post(f"/other/{code}", number=typed, amount="5.00")

    cart = ann.get("/cart").text

    assert "Building permit (bp-77)" in cart
    assert "Deposit (02.2000.2)" in cart


def test_only_what_has_both_boxes_is_offered_in_the_portal(ann):  # rule 197
    offered = ann.get("/other").text

    assert "Park shelter" in offered and "Copies" in offered
    assert "At the desk" not in offered  # rule 198
    assert 404 == ann.get("/other/desk").status_code


def test_without_the_switch_nothing_else_is_paid(office):
    closed = with_settings(office, other_payments=OtherPaymentsSettings(distributions=(PARK,)))
    register(closed)
    browser = Browser(desk_of(closed))
    browser.sign_in()

    assert 404 == browser.get("/other").status_code
    assert "/other" not in browser.get("/").text


def test_a_new_card_in_mid_payment_leads_back_to_the_payment(city, ann):
    page = ann.get(PAY)
    assert "A new card or bank account" in page.text
    sandbox = follow(ann, ann.post(PAY, amount="12.00", method="new"))
    cart = follow(ann, ann.post(sandbox.url.path, token="tok_ok"))
    token = re.search(r'value="(tok_ok\.[0-9a-f]+)"', cart.text)
    check = follow(ann, ann.post("/cart", method=token[1]))

    assert "what each does" in sandbox.text or "Approved" in sandbox.text
    assert "/cart" == cart.url.path and "$12.00" in cart.text
    assert "Pay $13.50 now" in check.text


def test_a_guest_pays_a_bill_with_number_and_name_and_sees_the_amount_alone(city):  # rule 190
    guest = guest_of(city)
    found = guest.post("/guest", number="01.1037.1", proof="Beltran")
    cart = follow(guest, guest.post("/guest", number="01.1037.1", proof="Beltran", amount="45.50"))
    sandbox = follow(guest, guest.post("/guest/cart", email="guest@home.example"))
    check = follow(guest, guest.post(sandbox.url.path, token="tok_ok"))
    paid = follow(guest, guest.post(f"{check.url.path}/confirm"))

    assert "$45.50" in found.text
    for private in ("Canyon", "Beltran", "example.org", "555"):
        assert private not in re.sub(r"<input[^>]*>", "", found.text)
    assert "/guest/cart" == cart.url.path
    assert "Pay $47.00 now" in check.text
    assert "Your payment was received" in paid.text
    assert "0.00" == owed(city)
    assert ["guest@home.example"] == receipts(city)


@pytest.mark.parametrize("path", ["/guest", "/guest/cart", "/guest/other", "/guest/payments/x"])
def test_without_the_switch_there_is_nothing_for_guests(office, path):  # rule 199
    browser = Browser(desk_of(office))

    assert 404 == browser.get(path).status_code


def test_a_guests_payment_is_seen_and_paid_by_nobody_else(city, ann):
    guest = guest_of(city)
    guest.get("/guest/other/shelter")
    guest.post("/guest/other/shelter", payor="G", amount="7")
    guest.get("/guest/cart")
    sandbox = follow(guest, guest.post("/guest/cart", email="guest@home.example"))
    check = follow(guest, guest.post(sandbox.url.path, token="tok_ok"))
    other = guest_of(city)

    assert 404 == other.get(check.url.path).status_code
    assert 404 == other.post(f"{check.url.path}/confirm").status_code
    assert 404 == ann.get(check.url.path.removeprefix("/guest")).status_code
    assert [] == payments(city)


def test_another_sites_form_pays_nothing_for_a_guest(city):
    guest = guest_of(city)
    guest.get("/guest/other/shelter")

    without = guest.send("/guest/other/shelter", payor="G", amount="7")
    made_up = guest.send("/guest/other/shelter", payor="G", amount="7", csrf="x" * 64)

    assert [403, 403] == [one.status_code for one in (without, made_up)]
    assert all('href="/guest"' in one.text for one in (without, made_up))
    assert "There is nothing to pay here yet" in guest.get("/guest/cart").text


def test_what_guests_may_not_pay_is_not_there_for_them(city):
    guest = guest_of(city)

    assert "Deposit" not in guest.get("/guest/other").text
    assert 404 == guest.get("/guest/other/deposit").status_code


def test_wrong_names_are_counted_and_then_the_right_one_finds_nothing(city):
    guest = guest_of(city)
    for _ in range(3):
        guest.post("/guest", number="01.1037.1", proof="Smith")

    answer = guest.post("/guest", number="01.1037.1", proof="Beltran")

    assert 422 == answer.status_code
    assert "We found no account" in answer.text
    assert "$45.50" not in answer.text


def test_a_guests_network_pays_so_often_a_day_and_no_more(city):
    guest, answers = guest_of(city), []
    for _ in range(4):
        guest.get("/guest/other/shelter")
        guest.post("/guest/other/shelter", payor="G", amount="7")
        guest.get("/guest/cart")
        sandbox = follow(guest, guest.post("/guest/cart", email="guest@home.example"))
        check = follow(guest, guest.post(sandbox.url.path, token="tok_expired_card"))
        answers.append(guest.post(f"{check.url.path}/confirm").status_code)

    assert [303, 303, 303, 429] == answers
    assert 3 == len(payments(city))


def test_a_receipt_needs_an_address(city):
    guest = guest_of(city)
    guest.get("/guest/other/shelter")
    guest.post("/guest/other/shelter", payor="G", amount="7")
    guest.get("/guest/cart")

    answer = guest.post("/guest/cart", email="nobody")

    assert 422 == answer.status_code
    assert "the receipt is to go to" in answer.text


def a_feed_of(office, written_at):
    with office.database.writing() as books:
        books.execute(
            feed_file.insert().values(
                name="f",
                written_at=written_at,
                received_at=written_at,
                taken_in_at=written_at,
                sha256="0" * 64,
                movements=0,
                amount=Money(0),
            )
        )


@pytest.mark.parametrize(
    ("when_stale", "amount"),
    [pytest.param("stop", "", id="stop"), pytest.param("warn", "45.50", id="warn")],
)
def test_a_balance_that_is_not_of_today_is_said_and_what_is_known_to_be_open_is_paid(
    office, when_stale, amount
):
    stale = with_settings(office, feed=FeedSettings(max_age=6, when_stale=when_stale))
    a_feed_of(stale, stale.due_now() - timedelta(hours=30))
    add_method(stale, register(stale, accounts=("0110371",)), "tok_ok")
    ann = Browser(desk_of(stale))
    ann.sign_in()

    asked = ann.get(PAY).text
    check = follow(ann, ann.post(PAY, amount="45.50", method="tok_ok"))
    paid = follow(ann, ann.post(f"{check.url.path}/confirm"))

    assert "We know balances as they were on" in asked
    assert "We know balances as they were on" in check.text
    assert f'name="amount" type="text" value="{amount}"' in asked
    assert "Your payment was received" in paid.text


def test_a_feed_of_today_is_not_spoken_of(office):
    fresh = with_settings(office, feed=FeedSettings(max_age=6))
    a_feed_of(fresh, fresh.due_now() - timedelta(hours=1))
    add_method(fresh, register(fresh, accounts=("0110371",)), "tok_ok")
    ann = Browser(desk_of(fresh))
    ann.sign_in()

    assert "We know balances" not in ann.get(PAY).text


def test_the_offices_own_words_stand_where_they_belong_rules_71_and_200(office):
    words = MessagesSettings(
        navigation="Permits and parks", login_top="Top words", login_bottom="Bottom words",
        landing="Landing words", payment="Fee words <b>", payment_complete="Complete words",
        autopay="Autopay words", other_payments="Other words", cart="Cart words",
    )  # fmt: skip
    worded = with_settings(office, messages=words)
    add_method(worded, register(worded, accounts=("0110371",)), "tok_ok")
    ann = Browser(desk_of(worded))
    signing_in = ann.get("/sign-in").text
    ann.sign_in()
    home, other, cart = (ann.get(path).text for path in ("/", "/other", "/cart"))
    asked = ann.get(PAY).text
    check = follow(ann, ann.post(PAY, amount="1.00", method="tok_ok"))
    paid = follow(ann, ann.post(f"{check.url.path}/confirm")).text

    assert "Top words" in signing_in and "Bottom words" in signing_in
    assert "Landing words" in home and "Permits and parks" in home
    assert "Other words" in other and "Cart words" in cart
    assert "Fee words &lt;b&gt;" in asked and "Fee words &lt;b&gt;" in check.text
    assert "Complete words" in paid
    assert "Autopay words" in ann.get("/accounts/0110371/autopay").text


def test_a_bank_debit_is_agreed_to_by_a_text_that_is_kept(city, ann):
    from tests.builders import ACH

    add_method(city, 1, "tok_ach_ok", kind=ACH, last4="6789")
    ann.get(PAY)
    check = follow(ann, ann.post(PAY, amount="10.00", method="tok_ach_ok"))
    ann.post(f"{check.url.path}/confirm")

    with city.database.reading() as books:
        kept = books.scalar(sa.select(checkout.c.consent))
    assert kept in check.text
    assert "debit your bank account ending 6789 once, today, for $10.00" in kept
    with city.database.reading() as books:
        assert 1 == books.scalar(sa.select(sa.func.count()).select_from(gateway_payment))


def refund(city, amount, at):
    from payments.outcomes.refunding import refund_payment

    with city.database.reading() as books:
        number = books.scalar(sa.select(gateway_payment.c.confirmation))
    wish = Money.parse(amount)
    refund_payment(city.database, city.gateway, number, wish, "a mistake", at, city.autopay_terms)


def test_what_was_given_back_stands_on_the_payments_page_and_is_mailed_each_time(city, ann):
    from office.procedures.checkout import follow_up

    ann.get(PAY)
    check = follow(ann, ann.post(PAY, amount="10.00", method="tok_ok"))
    ann.post(f"{check.url.path}/confirm")
    refund(city, "4.00", city.due_now())
    follow_up(city)
    in_part = ann.get(check.url.path).text
    refund(city, "7.50", city.due_now())
    follow_up(city)
    whole = ann.get(check.url.path).text

    assert "A part of your payment went back" in in_part
    assert "We gave $4.00 back to you on November 3, 2026" in in_part
    assert "Your payment went back" in whole
    assert "We gave $7.50 back to you" in whole
    with city.database.reading() as books:
        forms = list(books.scalars(sa.select(delivery.c.form).where(delivery.c.kind == "receipt")))
    assert ["receipt", "receipt-taken-back", "receipt-taken-back"] == sorted(forms)
    mail = rendered(city, "receipt-taken-back")
    assert "We gave $4.00 back to you on November 3, 2026" in mail
    spanish = rendered(city, "receipt-taken-back", "es")
    assert "Le devolvimos $4.00 el 3 de noviembre de 2026" in spanish and "We " not in spanish


def rendered(city, form, language="en"):
    """Return the words of all mails of a form."""
    from dataclasses import fields

    from mail.outbox.deliveries import Delivery
    from mail.rendering.checkouts import to_checkout_letter
    from mail.rendering.notice_facts import find_notice_facts

    with city.database.reading() as books:
        rows = books.execute(sa.select(delivery).where(delivery.c.form == form)).all()
    names = [one.name for one in fields(Delivery)]
    words = []
    for row in rows:
        one = Delivery(**{name: getattr(row, name) for name in names})
        facts = find_notice_facts(city.database, [one.key])[one.key]
        common = {"form": form, "utility": "U", "account": one.account}
        common["language"] = language
        words.append(to_checkout_letter(city.database, one, facts, common).what_happened)
    return "\n".join(words)
