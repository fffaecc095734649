"""The wallet's pages: methods added on the sandbox's page, removed, made default."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from database.books import insert_rows
from database.definitions.identity import activity, method_capture, wallet_method, web_user
from database.tables import audit, bill_run, enrollment, payment_method, suspended_method
from domain.failures import TemporaryFailure
from office.settings.close import WebSettings
from office.settings.money import PaymentsSettings
from payments.method_capture import CapturePage
from tests.builders import ACH, CARD, NOW, RUN, a_household, close_run, stage_run
from tests.office.health_builders import an_office_at
from tests.web.conftest import asking
from tests.web.customers.choices.conftest import (
    LANDLORD,
    MINE,
    TENANT,
    add_method,
    methods_of,
    signed_in,
    words,
)


def tokens(books) -> list[str]:
    with books.reading() as connection:
        rows = sa.select(wallet_method.c.token).where(wallet_method.c.removed_at.is_(None))
        return [token.partition(".")[0] for token in connection.scalars(rows)]


def acts(books, user: int) -> list[tuple[str, str]]:
    with books.reading() as connection:
        rows = sa.select(activity.c.kind, activity.c.detail).where(activity.c.user_number == user)
        return [tuple(row) for row in connection.execute(rows.order_by(activity.c.number))]


def enroll_by_hand(books, token: str, mailbox: str = TENANT, account: str = "01.1037.1") -> None:
    with books.writing() as connection:
        connection.execute(
            enrollment.insert().values(
                account_key=account.replace(".", ""), account=account, portal_user=mailbox,
                method_token=token, method_kind=CARD, last4="4242", days_prior=5,
                enrolled_on=date(2026, 11, 3), enrolled_at=NOW, enrolled_by="anna",
                consent_version="1", consent_text="x",
            )
        )  # fmt: skip


def own_token(books) -> str:
    with books.reading() as connection:
        return str(connection.scalar(sa.select(wallet_method.c.token)))


@pytest.mark.parametrize(
    ("token", "name"),
    [("tok_ok", "Visa ending 4242"), ("tok_ach_R01", "Bank account ending 1116")],
)
def test_a_method_that_was_chosen_on_the_sandboxs_page_is_in_the_wallet(tenant, books, token, name):
    """Rules 117, 122: the first one is the default, and the act is on both lists."""
    add_method(tenant, token)

    page = words(tenant.get("/wallet"))
    assert (name in page, "Default: offered first" in page) == (True, True)
    assert [("payment method added", name.replace("Bank", "bank"))] == acts(books, tenant.number)
    with books.reading() as connection:
        row = connection.execute(sa.select(audit.c.who, audit.c.action, audit.c.subject)).all()
    assert (tenant.who, "payment method added", tenant.who) in [tuple(one) for one in row]


@pytest.mark.parametrize(
    ("language", "name", "within"),
    [
        ("en", "Visa ending 4242", "from my Visa ending 4242"),
        ("es", "Visa terminada en 4242", "Visa terminada en 4242"),
    ],
)
def test_a_card_has_one_name_wherever_its_owner_reads_of_it(tenant, books, language, name, within):
    """In the wallet, where they pay and on its receipt, and where autopay draws from it."""
    key = add_method(tenant)
    tenant.post("/language", language=language, next="/")
    pay, autopay = f"/accounts/{MINE}/pay", f"/accounts/{MINE}/autopay"
    payment = tenant.post(pay, amount="10.00", method=own_token(books)).headers["location"]
    wish = {"days": "5", "maximum": "", "above": "skip", "method": key}
    offer = tenant.post(autopay, **wish).text

    pages = [words(tenant.get(page)) for page in ("/wallet", pay, autopay, payment)]
    tenant.post(f"{payment}/confirm")
    pages += [words(tenant.get(page)) for page in (payment, "/bills", f"/wallet/{key}/remove")]

    assert [] == [page for page in pages if name not in page]
    assert within in offer


def test_the_sandboxs_page_lists_every_test_token_and_what_it_does(tenant):
    page = tenant.post("/wallet/add").headers["location"]

    shown = words(tenant.get(page))

    for token in ("tok_ok", "tok_insufficient_funds", "tok_ach_R01", "tok_never_arrives"):
        assert token in shown
    assert "Declined twice, then approved." in shown


def test_a_method_is_added_once_however_often_its_page_is_loaded(tenant, books):
    page = tenant.post("/wallet/add").headers["location"]
    back = tenant.post(page, token="tok_ok").headers["location"]
    tenant.post(page, token="tok_lost_card")

    answers = [tenant.get(back).headers["location"] for _ in range(3)]

    assert (["/wallet?done=added"] * 3, ["tok_ok"]) == (answers, tokens(books))
    assert 1 == len(acts(books, tenant.number))


def test_a_head_request_adds_nothing(tenant, books):
    page = tenant.post("/wallet/add").headers["location"]
    back = tenant.post(page, token="tok_ok").headers["location"]

    tenant.head(back)

    assert [] == tokens(books)


def test_coming_back_without_a_choice_adds_nothing(tenant, books):
    page = tenant.post("/wallet/add").headers["location"]
    key = page.rpartition("/")[2]

    answer = tenant.get(f"/wallet/added/{key}")

    assert ("/wallet?done=nothing", []) == (answer.headers["location"], tokens(books))


def test_two_customers_who_choose_the_same_test_token_have_each_their_own(tenant, neighbor, books):
    add_method(tenant)
    add_method(neighbor)

    assert ["tok_ok", "tok_ok"] == tokens(books)


def test_nobody_finishes_the_visit_of_somebody_else(tenant, neighbor, books):
    page = tenant.post("/wallet/add").headers["location"]
    back = tenant.post(page, token="tok_ok").headers["location"]

    answer = neighbor.get(back)

    assert (404, []) == (answer.status_code, tokens(books))


@pytest.mark.parametrize("act", ["remove", "default"])
def test_nobody_acts_on_a_method_of_somebody_else(tenant, neighbor, books, act):
    """IDOR: what is somebody else's answers like what is not there."""
    mine = add_method(tenant)

    answer = neighbor.post(f"/wallet/{mine}/{act}")
    nothing = neighbor.post(f"/wallet/{'0' * 16}/{act}")

    assert (404, 404, ["tok_ok"]) == (answer.status_code, nothing.status_code, tokens(books))
    assert words(answer) == words(nothing)
    assert 404 == neighbor.get(f"/wallet/{mine}/remove").status_code


@pytest.mark.parametrize("path", ["/wallet/add", "/wallet/{}/remove", "/wallet/{}/default"])
def test_a_form_without_the_sessions_token_does_nothing(tenant, books, path):
    add_method(tenant)
    second = add_method(tenant, "tok_lost_card")
    before = tenant.get("/wallet").text

    answer = tenant.post(path.format(second), csrf="wrong")

    assert (403, before) == (answer.status_code, tenant.get("/wallet").text)


def test_the_landlord_sees_nothing_of_the_tenants_wallet(tenant, landlord):
    """Rules 117, 118, 135."""
    add_method(tenant)

    assert "4242" not in landlord.get("/wallet").text
    assert set() == methods_of(landlord)


def test_a_method_is_removed_after_a_yes(tenant, books):
    """Rules 120, 121."""
    mine = add_method(tenant)

    asked = words(tenant.get(f"/wallet/{mine}/remove"))
    answer = tenant.post(f"/wallet/{mine}/remove")

    assert "Remove Visa ending 4242?" in asked
    assert ("/wallet?done=removed", []) == (answer.headers["location"], tokens(books))
    assert "There is no payment method yet." in words(tenant.get("/wallet"))
    assert "payment method removed" == acts(books, tenant.number)[-1][0]


def test_a_method_that_autopay_binds_to_is_not_removed(tenant, books):
    """Ruling 12."""
    mine = add_method(tenant)
    enroll_by_hand(books, own_token(books))

    asked = tenant.get(f"/wallet/{mine}/remove")
    answer = tenant.post(f"/wallet/{mine}/remove")

    assert "End autopay of the account first" in words(asked)
    assert ("Yes, remove it" in words(asked), f'href="/accounts/{MINE}/autopay"' in asked.text) == (
        False,
        True,
    )
    assert (409, ["tok_ok"]) == (answer.status_code, tokens(books))
    assert "End autopay of the account first" in words(answer)


def test_a_method_of_an_ended_autopay_is_removed(tenant, books):
    mine = add_method(tenant)
    enroll_by_hand(books, own_token(books))
    with books.writing() as connection:
        connection.execute(enrollment.update().values(cancelled_at=NOW))

    assert "/wallet?done=removed" == tenant.post(f"/wallet/{mine}/remove").headers["location"]


def test_another_default_moves_no_autopay(tenant, books):
    """Ruling 12."""
    add_method(tenant)
    enroll_by_hand(books, own_token(books))
    second = add_method(tenant, "tok_ach_ok")

    answer = tenant.post(f"/wallet/{second}/default")

    assert "/wallet?done=default" == answer.headers["location"]
    with books.reading() as connection:
        bound = connection.scalar(sa.select(enrollment.c.method_token))
        default = connection.scalar(
            sa.select(web_user.c.default_method).where(web_user.c.number == tenant.number)
        )
    assert ("tok_ok", "tok_ach_ok") == (bound.partition(".")[0], default.partition(".")[0])
    first = re.search(r'id="method-1">([^<]+)<', tenant.get("/wallet").text)
    assert first and first[1] == "Bank account ending 6789"


def export_method(
    books, period: str = RUN, owner: str = TENANT, token: str = "tok_exported"
) -> None:
    with books.writing() as connection:
        columns = ["period", "portal_user", "token", "kind", "last4"]
        insert_rows(connection, payment_method, columns, [(period, owner, token, ACH, "0113")])


def test_a_method_of_the_export_is_in_the_wallet_of_its_user_alone(tenant, landlord, books):
    """Ruling 25; rules 118, 135."""
    export_method(books)

    assert "Bank account ending 0113" in words(tenant.get("/wallet"))
    assert "0113" not in landlord.get("/wallet").text


def test_a_method_of_the_export_stays_removed_until_a_later_export_brings_it(tenant, books):
    export_method(books)
    (mine,) = methods_of(tenant)

    tenant.post(f"/wallet/{mine}/remove")
    gone = methods_of(tenant)
    stage_run(
        books, a_household("01.1037.1", mandates=(), links=((TENANT, True),)), period="2026-11",
        due_on=date(2026, 12, 18), ends_on=date(2026, 11, 30),
    )  # fmt: skip
    export_method(books, "2026-11")
    before = methods_of(tenant)  # that export was imported before the removal
    with books.writing() as connection:
        later = bill_run.update().where(bill_run.c.period == "2026-11")
        connection.execute(later.values(imported_at=datetime(2026, 12, 1, tzinfo=UTC)))

    assert (set(), set(), {mine}) == (gone, before, methods_of(tenant))


def test_an_own_method_survives_an_export_that_does_not_list_it(tenant, books):
    """Ruling 25."""
    mine = add_method(tenant)

    stage_run(
        books, a_household("01.1037.1", mandates=(), links=((TENANT, True),)), period="2026-11",
        due_on=date(2026, 12, 18), ends_on=date(2026, 11, 30),
    )  # fmt: skip
    close_run(books, "2026-11")

    assert {mine} == methods_of(tenant)


def test_a_suspended_and_an_expired_method_say_so(tenant, books):
    add_method(tenant, "tok_expired_card")
    with books.writing() as connection:
        connection.execute(
            suspended_method.insert().values(method_token=own_token(books), since=NOW, reason="R02")
        )

    page = words(tenant.get("/wallet"))

    assert ("Expired 12/2025" in page, "nothing can be drawn from it" in page) == (True, True)


def test_whoever_begins_too_often_waits_for_a_day(tenant, books):
    answers = [tenant.post("/wallet/add").status_code for _ in range(21)]

    assert ([303] * 20 + [429]) == answers
    with books.reading() as connection:
        assert 20 == connection.scalar(sa.select(sa.func.count()).select_from(method_capture))


def test_a_gateway_that_does_not_answer_is_told_and_nothing_is_saved(tenant, office, books):
    class Away:
        def begin(self, _request):
            raise TemporaryFailure("no answer from tok_secret")

    office.__dict__["method_capture"] = Away()

    answer = tenant.post("/wallet/add")

    assert (503, []) == (answer.status_code, tokens(books))
    assert ("Nothing was saved" in words(answer), "tok_secret" in answer.text) == (True, False)


def test_a_gateways_own_page_is_reached_by_a_link(tenant, office):
    """The policy of our pages lets no form lead to another site."""

    class Elsewhere:
        def begin(self, _request):
            return CapturePage("https://pay.example/visit/1", "cs_1")

    office.__dict__["method_capture"] = Elsewhere()

    answer = tenant.post("/wallet/add")

    assert (200, True) == (answer.status_code, 'href="https://pay.example/visit/1"' in answer.text)


def test_no_token_is_ever_on_a_page(tenant, books):
    add_method(tenant)

    assert own_token(books) not in tenant.get("/wallet").text


def test_a_visitor_who_is_not_signed_in_is_asked_to(ask):
    for path in ("/wallet", "/wallet/add", "/wallet/0123456789abcdef/remove"):
        assert f"/sign-in?next={path}" == ask("GET", path).headers["location"]


def test_the_page_works_where_the_portals_own_address_is_set(tmp_path, town):
    office = an_office_at(
        tmp_path, town, "2026-11-03T09:00", web=WebSettings(url="https://desk.example")
    )
    person = signed_in(office, town, asking(office), LANDLORD)

    page = person.post("/wallet/add").headers["location"]
    back = person.post(page, token="tok_ok").headers["location"]

    assert back == f"/wallet/added/{page.rpartition('/')[2]}"


def test_an_office_whose_gateway_has_no_such_page_says_so(tmp_path, town):
    office = an_office_at(
        tmp_path, town, "2026-11-03T09:00", payments=PaymentsSettings(gateway="stripe")
    )
    person = signed_in(office, town, asking(office), TENANT)

    answer = person.post("/wallet/add")

    assert (503, True) == (answer.status_code, "Nothing was saved" in words(answer))
    assert 404 == person.get("/sandbox/methods/x").status_code


@pytest.mark.parametrize(
    ("language", "said", "on_home"),
    [
        (
            "en",
            "Autopay draws from this card, which is good until 11/2026 and no longer.",
            "Autopay draws from your Visa ending 4242, which is good until 11/2026 and no longer. "
            "Add your new card",
        ),
        (
            "es",
            "El pago automático cobra de esta tarjeta, que es válida hasta 11/2026 y no después.",
            "El pago automático cobra de su Visa terminada en 4242, que es válida hasta 11/2026 y "
            "no después. Agregue su tarjeta nueva",
        ),
    ],
)
def test_the_wallet_and_the_home_page_say_that_a_card_of_autopay_is_soon_no_good(
    tenant, landlord, books, language, said, on_home
):
    add_method(tenant)
    with books.writing() as connection:
        connection.execute(wallet_method.update().values(expires_on=date(2026, 11, 30)))
        connection.execute(web_user.update().values(language=language))
    before = words(tenant.get("/wallet")) + words(tenant.get("/"))
    enroll_by_hand(books, own_token(books))

    assert said not in before and on_home not in before
    assert said in words(tenant.get("/wallet"))
    assert f'href="/accounts/{MINE}/autopay"' in tenant.get("/wallet").text
    assert on_home in words(tenant.get("/"))
    assert "11/2026" not in words(landlord.get("/")) + words(landlord.get("/wallet"))


def test_of_a_card_of_autopay_that_is_good_for_longer_nothing_is_said(tenant, books):
    add_method(tenant)
    enroll_by_hand(books, own_token(books))

    assert "no longer" not in words(tenant.get("/wallet")) + words(tenant.get("/"))
