"""Finding a customer in the console (rules 170-174)."""

from __future__ import annotations

import html
import re

import pytest

from domain.customer_service import StaffAct
from identity.customer_service.locking import delete_user, lock_user
from tests.builders import NOW
from tests.web.csr.conftest import ELM, OAK

ACT = StaffAct("csr 1", "opted-out")


def found(page: str) -> list[str]:
    return re.findall(r'<th scope="row"[^>]*>([^<]+)</th>', page)


@pytest.mark.parametrize(
    ("typed", "accounts"),
    [
        pytest.param("ann@portal.example", [OAK], id="the portal's address"),
        pytest.param("ANN.ABBOTT@example", [OAK], id="a part of the address on file"),
        pytest.param("bea@example.com", [ELM], id="the second address on file"),
        pytest.param("ann abbott", [OAK], id="first and last name"),
        pytest.param("abbott, ann", [OAK], id="last and first name"),
        pytest.param("garcia lopez", [ELM], id="without accents and dash"),
        pytest.param("02.2000", [ELM], id="the beginning of an account number"),
        pytest.param("0220002", [ELM], id="an account number without its dots"),
        pytest.param("1", [OAK], id="a person ID"),
        pytest.param("customer 1", [OAK], id="a person ID as the audit list has it"),
        pytest.param("2172", [OAK, ELM], id="all who live in one building"),
        pytest.param("2172 apt 2", [ELM], id="the service address"),
        pytest.param("po box 77", [OAK], id="the billing address"),
        pytest.param("", [OAK, ELM], id="nothing: all customers"),
        pytest.param("nobody at all", [], id="nobody"),
        pytest.param("%", [], id="no letter at all"),
        pytest.param("_", [], id="no letter either"),
        pytest.param("%%% ___", [], id="no letter in any word"),
        pytest.param("2172 %", [OAK, ELM], id="a word beside a sign that says nothing"),
        pytest.param("a%t", [], id="a sign that stands for nothing else"),
        pytest.param("9' OR '1'='1", [], id="an attack"),
    ],
)
def test_rules_170_and_171_a_customer_is_found_by(csr, typed, accounts):
    page = csr.get("/csr", params={"q": typed}).text

    assert accounts == found(page)


@pytest.mark.parametrize(
    ("boxes", "accounts"),
    [
        (["enrolled", "unenrolled"], [OAK, ELM]),
        (["enrolled"], [OAK]),
        (["unenrolled"], [ELM]),
        (["permanent-lock", "hidden"], []),
        ([], []),
    ],
)
def test_rules_172_and_173_only_the_checked_standings_are_shown(csr, boxes, accounts):
    page = csr.get("/csr", params={"q": "2172", "filtered": "1", "status": boxes}).text

    assert accounts == found(page)


@pytest.mark.parametrize(("act", "box"), [(lock_user, "permanent-lock"), (delete_user, "hidden")])
def test_rule_163_who_was_deactivated_is_found_among_the_locked_and_hidden(csr, town, act, box):
    with town.office.database.writing() as books:
        act(books, town.ann, ACT, NOW)

    usual = csr.get("/csr", params={"q": "2172"}).text
    asked = csr.get("/csr", params={"q": "2172", "filtered": "1", "status": [box]}).text

    assert [ELM] == found(usual) and "1 more is of another portal status" in usual
    assert [OAK] == found(asked) and town.page in asked


def test_links_of_the_office_to_a_portal_user_find_who_is_locked(csr, town):
    with town.office.database.writing() as books:
        lock_user(books, town.ann, ACT, NOW)
    pages = ("/office/portal-users", f"/office/customers/{OAK}")

    links = [re.search(r'href="(/csr[?]q=ann[^"]+)"', csr.get(page).text) for page in pages]

    for link in links:
        assert OAK in found(csr.get(html.unescape(link[1])).text)


def test_rule_172_a_district_is_chosen_from_those_that_there_are(csr):
    page = csr.get("/csr", params={"q": "2172", "filtered": "1", "district": "South",
                                   "status": ["enrolled", "unenrolled"]}).text  # fmt: skip

    assert [ELM] == found(page)
    assert "<option>North</option>" in page and "<option selected>South</option>" in page


def test_view_leads_to_the_portal_user_and_without_one_to_the_account(csr, town):
    page = csr.get("/csr", params={"q": "2172"}).text

    assert [town.page, "/csr/accounts/0220002"] == re.findall(
        r'<a href="([^"]+)" aria-describedby="row-\d">View</a>', page
    )


def test_rule_174_all_customers_leads_back_from_a_wrong_account(csr, town):
    page = csr.get(town.page).text

    assert '<a href="/csr?q=">All Customers</a>' in page
    assert [OAK, ELM] == found(csr.get("/csr?q=").text)


def test_rule_175_a_link_leads_to_payment_administration(csr, town):
    assert '"/office/payments">Go to Payment Administration</a>' in csr.get(town.page).text
    assert 200 == csr.get("/office/payments").status_code


def test_who_is_found_by_a_new_export_is_found_by_what_it_says(csr, town):
    from tests.builders import a_household, close_run, stage_run

    stage_run(town.office.database, a_household(OAK, mandates=(), name="ABBOTT-RAY, ANN",
              service_address="5 New Ct"), period="2026-11", due_on=NOW.date())  # fmt: skip
    with town.office.database.writing() as books:
        from database.tables import bill_run

        books.execute(bill_run.update().where(bill_run.c.period == "2026-11").values(
            starts_on=NOW.date().replace(day=1), ends_on=NOW.date().replace(day=30)))  # fmt: skip
    close_run(town.office.database, "2026-11")

    assert [OAK] == found(csr.get("/csr?q=abbottray").text)
    assert [ELM] == found(csr.get("/csr?q=2172").text)
