"""The office enrolls a customer: a wallet or a link, the offer in words, the yes, the notice."""

from __future__ import annotations

import html
import re

import pytest
import sqlalchemy as sa

from database.definitions.identity import one_time_link, web_user
from database.definitions.texts import text_message
from database.feed.tables import customer_choice
from database.tables import delivery, enrollment
from domain.identity import LinkKind, Role, UserState
from domain.payments import MethodKind
from identity.users import find_by_mailbox, make_user
from identity.wallet import SavedMethod, save_method
from mail.texts.consents import agree
from office.procedures.texting.sending import send_texts
from office.secrets.files import make_secret
from tests.builders import NOW, a_household, close_run, stage_run
from tests.office.health_builders import an_office_at
from tests.web.customers.conftest import Browser
from tests.web.office.conftest import TRIAL
from tests.web.office.deciding_builders import who_said

ANN = "ann@portal.example"
ENROLL = "/office/autopay/enroll"
ACCOUNT = "01.1001.1"


@pytest.fixture
def office(tmp_path, books):
    """The office some hours after a close in which nobody was enrolled."""
    make_secret(tmp_path)
    stage_run(books, a_household(ACCOUNT, mandates=()), a_household("01.1002.2", mandates=()))
    close_run(books)
    return an_office_at(tmp_path, books, "2026-11-03T09:00", web=TRIAL)


@pytest.fixture
def clerk(signed_in):
    browser = signed_in(Role.CLERK)
    browser.get(ENROLL)
    return browser


def a_payer(office, *tokens: str, address: str = ANN, state: UserState = UserState.ACTIVE) -> int:
    """Make a portal user with test methods in the wallet."""
    with office.database.writing() as books:
        make_user(books, address, NOW, state)
        user = find_by_mailbox(books, address)
        for token in tokens:
            save_method(books, user, SavedMethod(token, MethodKind.CARD, "4242"), NOW)
    return user.number


def sent_link(office) -> str:
    """Return the token of the link that was sent, as the mail or text has it."""
    rows = one_time_link.c
    query = sa.select(rows.key).where(rows.kind == LinkKind.ADD_METHOD)
    with office.database.reading() as books:
        return office.link_tokens.token(books.execute(query).scalar_one())


def terms_page(clerk, account: str = ACCOUNT, address: str = ANN) -> str:
    answer = clerk.post(ENROLL, account=account, address=address)
    if answer.status_code == 303:
        answer = clerk.get(answer.headers["location"])
    return answer.text


def hidden(page: str) -> dict[str, str]:
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found if name != "csrf"}


def offered(clerk, **changes: str):
    page = terms_page(clerk)
    (method, *_) = re.findall(r'name="method" value="(\w+)"', page)
    wish = {"days": "5", "maximum": "", "above": "skip", "method": method} | changes
    return clerk.post(f"{ENROLL}/offer", account=ACCOUNT, address=ANN, **wish)


def enrolled(office) -> list[tuple[object, ...]]:
    rows = enrollment.c
    with office.database.reading() as books:
        query = sa.select(rows.account, rows.portal_user, rows.days_prior, rows.enrolled_by)
        return [tuple(row) for row in books.execute(query.where(rows.cancelled_at.is_(None)))]


def mailed(office) -> list[tuple[str, str]]:
    with office.database.reading() as books:
        return [tuple(row) for row in books.execute(sa.select(delivery.c.form, delivery.c.address))]


def test_a_customer_is_enrolled_after_the_offer_was_read_out(office, clerk):
    a_payer(office, "tok_ok")

    offer = offered(clerk)
    asked = hidden(offer.text)
    refused = clerk.post(f"{ENROLL}/agree", **asked)
    before = enrolled(office)
    done = clerk.post(f"{ENROLL}/agree", **asked, reason="on the telephone, called back")

    assert "Read this to the customer" in offer.text
    assert "Each bill is paid 5 days before its due date." in html.unescape(offer.text)
    assert "be sure that it is they who agree" in offer.text
    assert (422, []) == (refused.status_code, before)
    assert "/office/autopay?done=enrolled" == done.headers["location"]
    assert [(ACCOUNT, ANN, 5, "clerk 1")] == enrolled(office)
    assert ["clerk 1"] == who_said(office, "called back")
    assert [("access-autopay", ANN)] == mailed(office)
    with office.database.reading() as books:
        told = books.execute(sa.select(customer_choice.c.field, customer_choice.c.by)).all()
    assert [("autopay", "clerk 1")] == [tuple(row) for row in told]


def test_the_notice_has_the_very_text_that_was_agreed_to(office, clerk):
    from mail.letters.access import PortalLinks
    from mail.outbox.deliveries import Delivery
    from mail.rendering.access import to_access_letter

    a_payer(office, "tok_ok")
    clerk.post(f"{ENROLL}/agree", **hidden(offered(clerk).text), reason="by telephone")

    with office.database.reading() as books:
        row = books.execute(sa.select(delivery)).one()
        agreed = books.scalar(sa.select(enrollment.c.consent_text))
    names = Delivery.__dataclass_fields__
    sent = Delivery(**{name: row._mapping[name] for name in names if name in row._mapping})
    letter = to_access_letter(office.database, sent, PortalLinks("https://pay.example"), "en")

    assert agreed == "\n\n".join(letter.agreed)


def test_what_changed_since_the_offer_is_read_out_again_and_not_done(office, clerk):
    a_payer(office, "tok_ok")

    asked = hidden(offered(clerk).text) | {"days": "6"}
    answer = clerk.post(f"{ENROLL}/agree", **asked, reason="by telephone")

    assert (422, []) == (answer.status_code, enrolled(office))
    assert "read it out again" in answer.text


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"account": ""}, "Enter the number of the account."),
        ({"account": "99.9999.9"}, "No export has that account"),
        ({"address": "nobody"}, "Enter an e-mail address in the form name@example.com."),
    ],
)
def test_what_cannot_be_is_said_on_the_page(clerk, asked, sentence):
    answer = clerk.post(ENROLL, **({"account": ACCOUNT, "address": ANN} | asked))

    assert (422, True) == (answer.status_code, sentence in html.unescape(answer.text))


def test_the_method_of_somebody_elses_wallet_is_not_offered_nor_taken(office, clerk):
    a_payer(office, "tok_ok")
    a_payer(office, "tok_other", address="bob@portal.example")
    asked = hidden(offered(clerk).text)

    page = terms_page(clerk, address="bob@portal.example")
    asked["address"] = "bob@portal.example"
    answer = clerk.post(f"{ENROLL}/agree", **asked, reason="by telephone")

    assert asked["method"] not in page
    assert (422, []) == (answer.status_code, enrolled(office))


def test_an_address_that_nobody_has_adds_a_method_by_a_mailed_link_and_is_enrolled(
    office, desk, clerk
):
    page = terms_page(clerk)
    sent = clerk.post(f"{ENROLL}/link", account=ACCOUNT, address=ANN, way="mail")
    waiting = clerk.get(sent.headers["location"]).text
    customer, token = Browser(desk), sent_link(office)
    looked = customer.get(f"/add-method/{token}")
    gateway = customer.send(f"/add-method/{token}").headers["location"]
    back = customer.send(gateway, token="tok_ok").headers["location"]
    added = customer.get(back)
    again = customer.get(back)
    offer = offered(clerk)
    clerk.post(f"{ENROLL}/agree", **hidden(offer.text), reason="by telephone")

    assert "no payment method" in page
    assert "The link is on its way by mail." in waiting
    assert ANN not in sent.headers["location"]
    assert (200, 200, 200) == (looked.status_code, added.status_code, again.status_code)
    assert "Your payment method was added." in added.text
    assert [(ACCOUNT, ANN, 5, "clerk 1")] == enrolled(office)
    with office.database.reading() as books:
        states = books.execute(sa.select(web_user.c.state)).scalars().all()
    assert [UserState.INVITED] == states  # nobody may sign in by it, and no account is seen
    assert 410 == customer.get(f"/add-method/{token}").status_code
    assert 410 == customer.send(f"/add-method/{token}").status_code


def test_two_visits_of_one_link_add_one_method(office, desk, clerk):
    terms_page(clerk)
    clerk.post(f"{ENROLL}/link", account=ACCOUNT, address=ANN, way="mail")
    customer, token = Browser(desk), sent_link(office)
    backs = []
    for method in ("tok_ok", "tok_ach_ok"):
        gateway = customer.send(f"/add-method/{token}").headers["location"]
        backs.append(customer.send(gateway, token=method).headers["location"])

    answers = [customer.get(back).status_code for back in backs]

    assert [200, 404] == answers


def test_leaving_the_gateways_page_keeps_the_link_good(office, desk, clerk):
    terms_page(clerk)
    clerk.post(f"{ENROLL}/link", account=ACCOUNT, address=ANN, way="mail")
    customer, token = Browser(desk), sent_link(office)
    gateway = customer.send(f"/add-method/{token}").headers["location"]
    key = gateway.rpartition("/")[2]

    nothing = customer.get(f"/add-method/added/{key}")

    assert "No payment method was added." in nothing.text
    assert 200 == customer.get(f"/add-method/{token}").status_code
    assert 404 == customer.get("/add-method/added/other").status_code


def test_a_link_is_texted_to_a_proved_phone_alone(office, clerk):
    user = a_payer(office)
    no_phone = clerk.post(f"{ENROLL}/link", account=ACCOUNT, address=ANN, way="text")
    with office.database.writing() as books:
        books.execute(web_user.update().values(phone="4355550142"))
        agree(books, user, "+14355550142", "yes", NOW)
    page = terms_page(clerk)
    sent = clerk.post(f"{ENROLL}/link", account=ACCOUNT, address=ANN, way="text")
    send_texts(office)

    assert "reads no texts" in no_phone.text
    assert "Text the link" in page
    assert sent.headers["location"].endswith("done=texted")
    (file,) = [one for one in (office.home / "texts").rglob("*") if one.is_file()][:1]
    assert f"/add-method/{sent_link(office)}" in file.read_text()
    with office.database.reading() as books:
        assert ["+14355550142"] == list(books.scalars(sa.select(text_message.c.phone)))


def test_nobody_gets_more_links_than_a_day_has(office, clerk, monkeypatch):
    monkeypatch.setattr("office.procedures.portal.method_link.MOST_LINKS", 1)
    terms_page(clerk)

    answers = [
        clerk.post(f"{ENROLL}/link", account=ACCOUNT, address=ANN, way="mail").status_code
        for _ in range(2)
    ]

    assert [303, 422] == answers


@pytest.mark.parametrize("state", [UserState.LOCKED, UserState.DELETED])
def test_whoever_is_locked_gets_no_link(office, clerk, state):
    a_payer(office, state=state)

    answer = clerk.post(f"{ENROLL}/link", account=ACCOUNT, address=ANN, way="mail")

    assert (422, []) == (answer.status_code, mailed(office))


def test_autopay_is_ended_with_a_notice_to_the_typed_address(office, clerk):
    a_payer(office, "tok_ok")
    clerk.post(f"{ENROLL}/agree", **hidden(offered(clerk).text), reason="by telephone")
    end = "/office/autopay/end"
    clerk.get(end, params={"key": ACCOUNT})

    wrong = clerk.post(end, key=ACCOUNT, reason="moved out", detail="nobody")
    done = clerk.post(end, key=ACCOUNT, reason="moved out", detail="new@mail.example")

    assert (422, 303) == (wrong.status_code, done.status_code)
    assert [] == enrolled(office)
    assert ("access-autopay-ended", "new@mail.example") in mailed(office)
