"""The wallet where Stripe's page asks for the card: there and back, and told by webhook."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from database.definitions.identity import method_capture, wallet_method, web_user
from database.tables import audit, metadata
from domain.identity import UserState
from domain.payments import MethodKind
from office.secrets.files import make_secret
from office.settings.money import PaymentsSettings
from payments.method_capture import CapturePage
from tests.contracts.capture_desks import StripeCaptureDesk
from tests.contracts.conftest import localstripe_url, stripe_capture, stripe_desk
from tests.contracts.stripe_desk import API_KEY, WEBHOOK_SECRET
from tests.office.health_builders import an_office_at
from tests.payments.stripe_pages import AGREED
from tests.web.conftest import asking
from tests.web.customers.choices.conftest import (
    NEIGHBOR,
    TENANT,
    Person,
    methods_of,
    signed_in,
    words,
)

__all__ = ["localstripe_url", "stripe_capture", "stripe_desk"]
CARD, ACH = MethodKind.CARD, MethodKind.ACH


@pytest.fixture
def desk(stripe_capture) -> StripeCaptureDesk:
    return stripe_capture


@pytest.fixture
def office(tmp_path, town, desk):
    make_secret(tmp_path)
    return an_office_at(
        tmp_path, town, "2026-11-03T09:00",
        payments=PaymentsSettings(
            gateway="stripe", stripe_api_key=API_KEY, stripe_url=desk.stripe.server.url,
            stripe_webhook_secret=WEBHOOK_SECRET,
        ),
    )  # fmt: skip


@pytest.fixture
def tenant(office, town) -> Person:
    return signed_in(office, town, asking(office), TENANT)


@pytest.fixture
def neighbor(office, town) -> Person:
    return signed_in(office, town, asking(office), NEIGHBOR)


def begin(person: Person, books) -> tuple[CapturePage, str]:
    """Go to Stripe's page; return it, and the address of ours to which it leads back."""
    answer = person.post("/wallet/add")
    found = re.search(r'href="(https://checkout[^"]*/c/pay/(cs_test_\d+))"', answer.text)
    assert found, answer.text
    visits = method_capture.c
    with books.reading() as connection:
        key = connection.scalar(sa.select(visits.key).where(visits.reference == found[2]))
    return CapturePage(found[1], found[2]), f"/wallet/added/{key}"


def tell(person: Person, desk: StripeCaptureDesk, page: CapturePage) -> int:
    """Let Stripe tell that a page was filled in; return the status of our answer."""
    body, signature = desk.told(page.reference)
    headers = {"Stripe-Signature": signature}
    return person._ask("POST", "/webhooks/stripe", content=body, headers=headers).status_code


def methods(books) -> list[tuple[int, str, str, str]]:
    rows = wallet_method.c
    with books.reading() as connection:
        query = sa.select(rows.user_number, rows.kind, rows.last4, rows.brand)
        return [tuple(row) for row in connection.execute(query)]


def test_a_card_that_was_given_at_stripe_is_in_the_wallet_once(tenant, town, desk):
    page, back = begin(tenant, town)
    desk.give(page, CARD)

    answers = [tenant.get(back).headers["location"] for _ in range(3)]

    assert (["/wallet?done=added"] * 3, [(tenant.number, CARD, "4242", "Visa")]) == (
        answers,
        methods(town),
    )
    assert "Visa ending 4242" in words(tenant.get("/wallet"))


@pytest.mark.parametrize("query", ["?status=complete", "?session_id=cs_test_9&setup=succeeded"])
def test_what_the_address_says_is_not_believed(tenant, town, query):
    """Stripe itself is asked: who comes back without having given anything adds nothing."""
    _, back = begin(tenant, town)

    answer = tenant.get(f"{back}{query}")

    assert ("/wallet?done=nothing", []) == (answer.headers["location"], methods(town))


def test_what_somebody_else_gave_at_stripe_is_nobody_elses(tenant, neighbor, town, desk):
    page, back = begin(tenant, town)
    desk.give(page, CARD)

    answer = neighbor.get(back)

    assert (404, []) == (answer.status_code, methods(town))


def test_the_page_of_somebody_else_is_refused_under_ones_own_visit(tenant, neighbor, town, desk):
    """Even where our books were to name the wrong page, Stripe says whose it is."""
    theirs, _ = begin(neighbor, town)
    desk.give(theirs, CARD)
    _, mine = begin(tenant, town)
    visits = method_capture.c
    with town.writing() as connection:
        key = mine.rpartition("/")[2]
        connection.execute(
            method_capture.update().where(visits.key == key).values(reference=theirs.reference)
        )

    answer = tenant.get(mine)

    assert (503, []) == (answer.status_code, methods(town))


def test_a_browser_that_never_came_back_has_its_method_by_the_webhook(tenant, town, desk):
    page, _ = begin(tenant, town)
    desk.give(page, CARD)

    told = [tell(tenant, desk, page) for _ in range(2)]

    assert ([200, 200], [(tenant.number, CARD, "4242", "Visa")]) == (told, methods(town))


def test_told_and_come_back_is_one_method(tenant, town, desk):
    page, back = begin(tenant, town)
    desk.give(page, CARD)

    tell(tenant, desk, page)
    answer = tenant.get(back)
    tell(tenant, desk, page)

    assert ("/wallet?done=added", 1) == (answer.headers["location"], len(methods(town)))


def test_what_was_removed_does_not_come_again_by_a_late_webhook(tenant, town, desk):
    page, back = begin(tenant, town)
    desk.give(page, CARD)
    tenant.get(back)
    (mine,) = methods_of(tenant)
    tenant.post(f"/wallet/{mine}/remove")

    tell(tenant, desk, page)

    assert set() == methods_of(tenant)


def test_nothing_is_added_for_who_was_deleted_meanwhile(tenant, town, desk):
    page, _ = begin(tenant, town)
    desk.give(page, CARD)
    with town.writing() as connection:
        connection.execute(web_user.update().values(state=UserState.DELETED))

    assert (200, []) == (tell(tenant, desk, page), methods(town))


def test_a_webhook_that_stripe_did_not_sign_adds_nothing(tenant, town, desk):
    page, _ = begin(tenant, town)
    desk.give(page, CARD)
    body, _ = desk.told(page.reference)

    answer = tenant._ask(
        "POST", "/webhooks/stripe", content=body, headers={"Stripe-Signature": "t=1,v1=2"}
    )

    assert (400, []) == (answer.status_code, methods(town))


def test_stripe_sends_again_what_it_could_not_be_asked_about(tenant, town, desk):
    page, _ = begin(tenant, town)
    desk.give(page, CARD)
    desk.stripe.lose(f"/v1/checkout/sessions/{page.reference}", "never")

    told = [tell(tenant, desk, page) for _ in range(2)]

    assert ([503, 200], 1) == (told, len(methods(town)))


def test_a_bank_account_is_kept_with_its_mandate_and_no_number(tenant, town, desk):
    page, back = begin(tenant, town)
    desk.give(page, ACH)

    tenant.get(back)

    assert [(tenant.number, ACH, "6789", "STRIPE TEST BANK")] == methods(town)
    assert "STRIPE TEST BANK account ending 6789" in words(tenant.get("/wallet"))
    with town.reading() as connection:
        visit = connection.execute(sa.select(method_capture)).one()
        acts = list(connection.scalars(sa.select(audit.c.detail)))
    assert ("mandate_1", AGREED) == (visit.mandate, visit.agreed_at.timestamp())
    assert "STRIPE TEST BANK account ending 6789, mandate mandate_1" in acts


def test_no_number_that_stripe_holds_is_anywhere_in_the_books(tenant, town, desk):
    page, back = begin(tenant, town)
    desk.give(page, ACH)
    tenant.get(back)

    with town.reading() as connection:
        held = " ".join(
            str(tuple(row))
            for table in metadata.sorted_tables
            for row in connection.execute(sa.select(table))
        )

    assert [False, False, False] == [
        word in held for word in ("110000000", "FFDMA0xfhBjWSZLu", "203.0.113.9")
    ]


def test_a_customer_is_one_at_stripe_however_often_they_add(tenant, town, desk):
    pages = [begin(tenant, town)[0] for _ in range(2)]

    payers = {desk.page(page.reference)["customer"] for page in pages}

    assert 1 == len(payers)


def test_a_visit_that_stripe_never_answered_came_to_nothing(tenant, town, desk):
    desk.stripe.lose("/v1/checkout/sessions", "never")
    answer = tenant.post("/wallet/add")
    with town.reading() as connection:
        key = connection.scalar(sa.select(method_capture.c.key))

    back = tenant.get(f"/wallet/added/{key}")

    assert (503, "/wallet?done=nothing") == (answer.status_code, back.headers["location"])


def test_whose_session_ended_on_stripes_page_signs_in_and_has_the_method(tenant, town, desk):
    """A session that ran out meanwhile loses nothing: the address stays good."""
    page, back = begin(tenant, town)
    desk.give(page, CARD)

    answer = tenant._ask("GET", back)

    assert f"/sign-in?next={back}" == answer.headers["location"]
    assert "/wallet?done=added" == tenant.get(back).headers["location"]
