"""Autopay's pages: what is said before the yes, what is done, and who may see and end it."""

from __future__ import annotations

import re
from datetime import date

import pytest
import sqlalchemy as sa

from database.definitions.identity import activity
from database.feed.tables import customer_choice
from database.tables import account, audit, balance_due, delivery, enrollment, gateway_payment
from domain.accounts import AccountStatus
from domain.identity import LinkProof
from domain.money import Money
from domain.payments import PaymentState
from identity.account_links import add_link
from office.settings.money import AutopaySettings
from tests.builders import NOW
from tests.office.health_builders import an_office_at
from tests.web.conftest import asking
from tests.web.customers.choices.conftest import (
    LANDLORD,
    MINE,
    TENANT,
    THEIRS,
    add_method,
    signed_in,
    words,
)

PAGE = f"/accounts/{MINE}/autopay"


def wish(person, **changes):
    (first, *_) = re.findall(r'name="method" id="method-(\w+)"', person.get(PAGE).text)
    return {"days": "5", "maximum": "", "above": "skip", "method": first} | changes


def offered(person, **changes):
    return person.post(PAGE, **wish(person, **changes))


def agree(person, offer):
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', offer.text))
    hidden.pop("csrf")
    return person.post(f"{PAGE}/offer", **hidden)


def enrolled(person, **changes):
    answer = agree(person, offered(person, **changes))
    assert f"{PAGE}?done=enrolled" == answer.headers["location"]


def mailed(books):
    with books.reading() as connection:
        query = sa.select(delivery.c.form, delivery.c.address).order_by(delivery.c.form)
        return [tuple(row) for row in connection.execute(query)]


def payments(books):
    rows = gateway_payment.c
    with books.reading() as connection:
        query = sa.select(rows.amount, rows.pay_on, rows.immediate, rows.state)
        return [tuple(row) for row in connection.execute(query)]


def mandates(books) -> list[tuple[object, ...]]:
    rows = enrollment.c
    with books.reading() as connection:
        query = sa.select(rows.portal_user, rows.days_prior, rows.maximum, rows.enrolled_by)
        return [tuple(row) for row in connection.execute(query.where(rows.cancelled_at.is_(None)))]


def change(books, **values) -> None:
    with books.writing() as connection:
        connection.execute(account.update().where(account.c.account_key == MINE).values(values))


def owe(books, amount: str) -> None:
    with books.writing() as connection:
        mine = balance_due.update().where(balance_due.c.account_key == MINE)
        connection.execute(mine.values(amount_due=Money.parse(amount)))


def on(tmp_path, town, at: str, address: str = TENANT, **sections):
    """The tenant, signed in on a day, with a card in the wallet."""
    office = an_office_at(tmp_path, town, f"{at}T09:00", **sections)
    person = signed_in(office, town, asking(office), address)
    add_method(person)
    return person


# Rules 48-59: every case of the day E of enrolling, the due date D and the days prior n.
CASES = (
    ("2026-11-03", "5", "We draw $80.00 on November 13, 2026: the entire balance due."),
    ("2026-11-03", "5", "No bank works on November 15, 2026, so it is another day."),
    ("2026-11-03", "0", "We draw $80.00 on November 20, 2026: the entire balance due."),
    ("2026-11-18", "2", "The day on which it is drawn is today."),
    ("2026-11-18", "2", "We draw $80.00 today: the entire balance due."),
    ("2026-11-18", "5", "The day on which it would be drawn, November 13, 2026, has passed."),
    ("2026-11-18", "5", "We draw $80.00 today: the entire balance due."),
    ("2026-11-24", "5", "Your bill was due on November 20, 2026 and is not paid."),
    ("2026-11-24", "5", "We draw $80.00 today: the entire balance due."),
)


@pytest.mark.parametrize(("at", "days", "sentence"), CASES)
def test_what_happens_with_the_bill_of_now_is_said_before_the_yes(
    tmp_path, town, office, at, days, sentence
):
    person = on(tmp_path, town, at)

    page = offered(person, days=days)

    assert (200, True) == (page.status_code, sentence in words(page))
    assert ([], []) == (mandates(town), payments(town))


@pytest.mark.parametrize("at", ["2026-11-03", "2026-11-24"])
def test_without_a_balance_nothing_is_scheduled_until_the_next_bill(tmp_path, town, office, at):
    """Rules 56, 57: cases 4 and 5."""
    owe(town, "0.00")
    person = on(tmp_path, town, at)

    page = words(offered(person))
    enrolled(person)

    assert "You owe nothing now, so no payment is scheduled." in page
    assert ([], 1) == (payments(town), len(mandates(town)))
    assert "You owe nothing now" in words(person.get(PAGE))


@pytest.mark.parametrize(
    ("above", "sentence", "expected"),
    [
        (
            "skip",
            "You owe $80.00, more than your maximum of $50.00: nothing of it is drawn.",
            [],
        ),
        (
            "cap",
            "We draw $50.00 on November 13, 2026, your maximum. The rest, $30.00, you pay",
            [(Money(5000), date(2026, 11, 13), False, PaymentState.SCHEDULED)],
        ),
    ],
)
def test_above_the_maximum_happens_what_the_customer_chose(tenant, town, above, sentence, expected):
    """Rule 50; rulings 3 and 5."""
    add_method(tenant)

    page = offered(tenant, maximum="50.00", above=above)
    agree(tenant, page)

    assert (True, expected) == (sentence in words(page), payments(town))


def test_the_immediate_payment_respects_the_maximum(tmp_path, town, office):
    """Ruling 5."""
    person = on(tmp_path, town, "2026-11-24")

    page = words(offered(person, maximum="50.00", above="cap"))

    assert "We draw $50.00 today, your maximum. The rest, $30.00, you pay another way." in page


@pytest.mark.parametrize(
    ("moves", "sentence"),
    [
        ("previous", "it is the banking day before."),
        ("next", "it is the banking day after, but never later than the due date."),
        ("same", "Weekends and holidays do not change the day."),
    ],
)
def test_what_happens_every_time_is_said_as_the_office_has_set_it(
    tmp_path, town, office, moves, sentence
):
    """Rules 41, 49, 60; ruling 13."""
    person = on(tmp_path, town, "2026-11-03", autopay=AutopaySettings(on_closed_day=moves))

    page = words(offered(person))

    for expected in (
        sentence,
        "Each bill is paid 5 days before its due date. Due dates change from bill to bill",
        "To change the payment method, the days or the maximum, unenroll and set autopay up again.",
        "There is no maximum.",
    ):
        assert expected in page


def test_the_yes_enrolls_and_keeps_what_was_agreed_to(tenant, town):
    """Rules 48, 50, 53, 69: who is never an address."""
    add_method(tenant)

    enrolled(tenant, maximum="150.00")

    assert [(TENANT, 5, Money(15000), tenant.who)] == mandates(town)
    expected = [(Money(8000), date(2026, 11, 13), False, PaymentState.SCHEDULED)]
    assert expected == payments(town)
    with town.reading() as books:
        consent = books.scalar(sa.select(enrollment.c.consent_text))
        acts = list(books.scalars(sa.select(activity.c.kind).order_by(activity.c.number)))
        acted = sa.select(audit.c.who, audit.c.action).order_by(audit.c.id)
        audited = [tuple(row) for row in books.execute(acted)]
    assert "I authorize City of Larkspur to collect" in consent
    assert ("enrolled in autopay", (tenant.who, "enroll in autopay")) == (acts[-1], audited[-1])
    assert [("access-autopay", tenant.address)] == mailed(town)
    page = words(tenant.get(PAGE))
    for sentence in ("Autopay is on.", "We draw $80.00 on November 13, 2026.", "Visa ending 4242"):
        assert sentence in page


def test_whoever_reads_spanish_agrees_in_spanish_and_that_is_kept(tenant, town):
    add_method(tenant)
    tenant.post("/language", language="es", next="/")

    offer = offered(tenant, maximum="150.00")
    agree(tenant, offer)

    (shown,) = re.findall(r'<div class="card" lang="es">(.*?)</div>', offer.text, re.DOTALL)
    with town.reading() as books:
        version, kept = books.execute(
            sa.select(enrollment.c.consent_version, enrollment.c.consent_text)
        ).one()
    assert "1-es" == version
    assert kept.split("\n\n") == re.findall("<p>(.*?)</p>", shown)
    assert "Autorizo a City of Larkspur" in kept and "Hoy: $80.00 se cobran el 13 de" in kept


def test_an_offices_own_text_stays_in_its_own_words_on_spanish_pages(tenant, town, office):
    add_method(tenant)
    own = "Version: 3\n{account} {method} {amount_rule} {day_rule} {today_rule}\n\nOurs."
    (office.home / "autopay-consent.txt").write_text(own, encoding="utf-8")
    tenant.post("/language", language="es", next="/")

    page = offered(tenant).text

    (shown,) = re.findall(r'<div class="card" lang="en">(.*?)</div>', page, re.DOTALL)
    assert "Visa ending 4242" in shown and "<p>Ours.</p>" in shown


def test_the_consent_is_shown_whole_before_the_yes(tenant):
    add_method(tenant)

    page = words(offered(tenant))

    assert "I authorize City of Larkspur to collect what account 01.1037.1 owes" in page
    assert "How to cancel." in page


def test_pressing_twice_enrolls_once(tenant, town):
    add_method(tenant)
    page = offered(tenant)

    answers = [agree(tenant, page).status_code for _ in range(2)]

    assert ([303, 303], 1, 1) == (answers, len(mandates(town)), len(payments(town)))


def test_what_changed_meanwhile_is_shown_again_and_not_done(tenant, town):
    """A payment at the counter between the page and the yes."""
    add_method(tenant)
    page = offered(tenant)
    owe(town, "30.00")

    again = agree(tenant, page)

    assert (409, []) == (again.status_code, mandates(town))
    assert "Something changed since the page was shown" in words(again)
    assert "We draw $30.00 on November 13, 2026" in words(again)
    assert f"{PAGE}?done=enrolled" == agree(tenant, again).headers["location"]


def test_a_page_that_was_changed_by_hand_does_nothing(tenant, town):
    add_method(tenant)
    fields = wish(tenant)

    answer = tenant.post(f"{PAGE}/offer", **fields, seal="0" * 64)

    assert (409, []) == (answer.status_code, mandates(town))


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("days", "", "Enter how many days before the due date"),
        ("days", "-1", "Enter how many days before the due date"),
        ("days", "31", "a whole number from 0 to 30"),
        ("days", "2.5", "a whole number from 0 to 30"),
        ("days", "٣", "a whole number from 0 to 30"),
        ("days", "9" * 50, "a whole number from 0 to 30"),
        ("maximum", "45,50", "Enter an amount such as 150.00"),
        ("maximum", "0", "Enter an amount such as 150.00"),
        ("maximum", "-5.00", "Enter an amount such as 150.00"),
        ("maximum", "9999999999999999", "Enter an amount such as 150.00"),
        ("method", "", "Choose the payment method that autopay draws from."),
        ("method", "0" * 16, "Choose the payment method that autopay draws from."),
        ("method", "tok_ok", "Choose the payment method that autopay draws from."),
    ],
)
def test_what_was_typed_wrongly_is_named_beside_its_field(tenant, town, field, value, sentence):
    """Rule 48: the days are mandatory."""
    add_method(tenant)

    answer = offered(tenant, **{field: value})

    assert (422, True, []) == (answer.status_code, sentence in words(answer), mandates(town))


@pytest.mark.parametrize(
    ("said", "maximum"), [("$1,027.35", Money(102735)), (" 45.5 ", Money(4550))]
)
def test_amounts_are_read_as_people_write_them(tenant, town, said, maximum):
    add_method(tenant)

    enrolled(tenant, maximum=said)

    assert maximum == mandates(town)[0][2]


def test_a_method_of_somebody_else_pays_nothing(tenant, neighbor, town):
    """Rule 117; IDOR."""
    theirs = add_method(neighbor)
    add_method(tenant)

    answer = offered(tenant, method=theirs)

    assert (422, []) == (answer.status_code, mandates(town))


@pytest.mark.parametrize("path", ["", "/offer", "/cancel"])
def test_the_account_of_somebody_else_is_not_there(tenant, neighbor, town, path):
    """IDOR, by GET and by POST."""
    add_method(tenant)
    enrolled(tenant)
    add_method(neighbor)

    asked = neighbor.get(PAGE + path)
    told = neighbor.post(PAGE + path, days="5", method="x")
    nothing = neighbor.get("/accounts/0999999/autopay")

    assert (404, 404, 404) == (asked.status_code, told.status_code, nothing.status_code)
    assert (words(nothing), 1) == (words(asked), len(mandates(town)))


@pytest.mark.parametrize("path", ["", "/offer", "/cancel"])
def test_a_form_without_the_sessions_token_changes_nothing(tenant, town, path):
    add_method(tenant)
    if path == "/cancel":
        enrolled(tenant)
    before = mandates(town)

    answer = tenant.post(PAGE + path, csrf="wrong", **({} if before else wish(tenant)))

    assert (403, before) == (answer.status_code, mandates(town))


def test_direct_pay_is_ended_by_the_office_first(tenant, town):
    """Rules 61-63."""
    add_method(tenant)
    fields = wish(tenant)
    change(town, direct_pay=True)

    page = tenant.get(PAGE)
    answer = tenant.post(PAGE, **fields)

    assert "Ask the office to end direct pay" in words(page)
    assert "Continue" not in words(page)
    assert (409, []) == (answer.status_code, mandates(town))


def test_direct_pay_that_came_between_the_page_and_the_yes_is_refused(tenant, town):
    """Rule 63: never live on both at once."""
    add_method(tenant)
    page = offered(tenant)
    change(town, direct_pay=True)

    answer = agree(tenant, page)

    assert (409, []) == (answer.status_code, mandates(town))
    assert "You would pay twice" in words(answer)


@pytest.mark.parametrize(("token", "block"), [("tok_ok", "card"), ("tok_ach_ok", "ach")])
def test_a_kind_that_the_account_may_not_pay_with_is_not_offered(tenant, town, token, block):
    """Rules 136-138."""
    mine = add_method(tenant, token)
    change(town, **{f"block_{block}": True})

    page = tenant.get(PAGE)
    answer = tenant.post(PAGE, days="5", method=mine)

    assert "This account may not be paid that way." in words(page)
    assert "Continue" not in words(page)
    assert (422, []) == (answer.status_code, mandates(town))


def test_a_block_that_was_set_between_the_page_and_the_yes_is_honored(tenant, town):
    """Rule 138."""
    add_method(tenant)
    page = offered(tenant)
    change(town, block_card=True)

    answer = agree(tenant, page)

    assert (422, []) == (answer.status_code, mandates(town))


def test_an_expired_card_is_not_offered(tenant):
    add_method(tenant, "tok_expired_card")

    page = words(tenant.get(PAGE))

    assert ("This card has expired." in page, "Continue" in page) == (True, False)


def test_a_closed_account_is_not_enrolled(tenant, town):
    add_method(tenant)
    change(town, status=AccountStatus.CLOSED)

    assert "This account is closed." in words(tenant.get(PAGE))


def test_without_a_method_the_page_leads_to_the_wallet(tenant):
    page = tenant.get(PAGE)

    assert 'href="/wallet/add"' in page.text


def test_the_landlord_sees_that_autopay_is_on_and_no_payment_details(tenant, landlord, town):
    """Rules 118, 134, 135."""
    add_method(tenant)
    enrolled(tenant, maximum="151.00")

    page = landlord.get(PAGE)

    assert "Autopay is on." in words(page)
    assert "We draw $80.00 on November 13, 2026." in words(page)
    for secret in ("4242", "Visa", "151.00", "Unenroll"):
        assert secret not in page.text


def test_the_landlord_does_not_end_the_tenants_autopay(tenant, landlord, town):
    add_method(tenant)
    enrolled(tenant)

    answer = landlord.post(f"{PAGE}/cancel")

    assert (409, 1) == (answer.status_code, len(mandates(town)))
    assert "Somebody else&#39;s payment method" in answer.text


def test_the_tenant_sees_no_payment_details_of_the_landlord(tenant, landlord, town):
    """Rule 118, the other way round."""
    add_method(landlord)
    enrolled(landlord)

    page = tenant.get(PAGE)

    assert [LANDLORD] == [row[0] for row in mandates(town)]
    assert ("4242" in page.text, "Unenroll" in page.text) == (False, False)


def test_unenrolling_says_what_it_drops_and_drops_it(tenant, town):
    """Rules 60, 61."""
    add_method(tenant)
    enrolled(tenant)

    before = words(tenant.get(PAGE))
    answer = tenant.post(f"{PAGE}/cancel")
    after = words(tenant.get(answer.headers["location"]))

    assert "The payment of $80.00 on November 13, 2026 is taken off the schedule" in before
    assert "what is due by then may be drawn at once" in before
    assert "You are unenrolled from autopay." in after
    assert ([], [PaymentState.CANCELLED]) == (mandates(town), [row[3] for row in payments(town)])
    with town.reading() as books:
        acts = list(books.scalars(sa.select(activity.c.kind).order_by(activity.c.number)))
    assert "autopay ended" == acts[-1]
    told = [("access-autopay", tenant.address), ("access-autopay-ended", tenant.address)]
    assert told == mailed(town)


def test_unenrolling_twice_says_that_there_is_nothing(tenant, town):
    add_method(tenant)
    enrolled(tenant)

    tenant.post(f"{PAGE}/cancel")
    answer = tenant.post(f"{PAGE}/cancel")

    assert (409, True) == (answer.status_code, "Nothing was changed" in words(answer))


def test_a_payment_that_was_asked_for_stands(tenant, town):
    add_method(tenant)
    enrolled(tenant)
    with town.writing() as books:
        books.execute(gateway_payment.update().values(state=PaymentState.SUBMITTED))

    before = words(tenant.get(PAGE))
    tenant.post(f"{PAGE}/cancel")

    assert "was already asked for. It stands." in before
    assert [PaymentState.SUBMITTED] == [row[3] for row in payments(town)]


def test_a_card_is_changed_by_unenrolling_and_enrolling_again(tenant, town):
    """Rule 60; ruling 9: what is due by then is said before the yes."""
    add_method(tenant)
    enrolled(tenant)
    second = add_method(tenant, "tok_ach_ok")

    tenant.post(f"{PAGE}/cancel")
    page = offered(tenant, method=second)
    agree(tenant, page)

    assert "We draw $80.00 on November 13, 2026" in words(page)
    assert [PaymentState.SCHEDULED] == [row[3] for row in payments(town)]


def test_an_account_of_no_closed_period_waits_for_its_first_bill(tenant, town):
    add_method(tenant)
    with town.writing() as books:
        mine = balance_due.c.account_key == MINE
        books.execute(balance_due.update().where(mine).values(period=None, due_on=None))
        add_link(books, tenant.number, MINE, LinkProof.STAFF, NOW, "clerk 1")

    page = offered(tenant)

    assert "There is no bill of this account here yet." in words(page)


def test_of_two_accounts_each_has_its_own_page(tenant):
    assert 404 == tenant.get(f"/accounts/{THEIRS}/autopay").status_code


@pytest.mark.parametrize("path", ["", "/cancel"])
def test_autopay_set_up_and_ended_is_told_to_the_billing_system(tenant, town, path):
    add_method(tenant)
    enrolled(tenant)
    if path:
        tenant.post(PAGE + path)

    with town.reading() as books:
        rows = customer_choice.c
        last = books.execute(sa.select(rows.field, rows.value).order_by(rows.number.desc())).first()
    assert last is not None
    assert ("autopay", "no" if path else "yes") == tuple(last)
