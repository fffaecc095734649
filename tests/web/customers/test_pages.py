"""What a customer sees of their own accounts, and of nobody else's."""

from __future__ import annotations

from datetime import date
from html import unescape

import pytest
import sqlalchemy as sa

from database.ledger.entries import record_entries
from database.tables import bill, movement
from domain.money import Money
from domain.movements import MovementKind
from tests.builders import NOW, RUN, a_household, an_entry, close_run, stage_run
from tests.web.customers.conftest import ANN, BOB, Browser, register

MINE, THEIRS = "0110371", "0220002"


@pytest.fixture
def filed(office):
    """Both accounts have a bill in the store, and some lines."""
    with office.database.writing() as books:
        for number, key in (("01.1037.1", MINE), ("02.2000.2", THEIRS)):
            path = f"{RUN}/utility-bill/{number}.pdf"
            office.store.write(path, b"%PDF-1.7 of " + number.encode())
            books.execute(
                bill.insert().values(
                    period=RUN, form="utility-bill", account_key=key, ordinal=1, account=number,
                    bulk=0, first_page=0, pages=2, pdf=path, sha256="0" * 64, size=20,
                )
            )  # fmt: skip
        for line, (day, service, kind, cents, usage) in enumerate(
            [
                (date(2026, 10, 5), "", MovementKind.PAYMENT, -20_00, None),
                (date(2026, 10, 31), "Water", MovementKind.BILLING, 45_50, 7.5),
            ]
        ):
            books.execute(
                movement.insert().values(
                    period=RUN, line=line, account_key=MINE, account="01.1037.1", posted_on=day,
                    service=service, description="Payment - thank you", kind=kind,
                    amount=Money(cents), usage=usage,
                )
            )  # fmt: skip
    register(office, ANN, accounts=(MINE,))
    register(office, BOB, accounts=(THEIRS,))
    return office


@pytest.fixture
def ann(filed, app):
    browser = Browser(app)
    browser.sign_in(ANN)
    return browser


def test_rule_13_view_bill_is_the_pdf_that_the_splitter_made(ann):
    answer = ann.get(f"/accounts/{MINE}/bill")

    assert ("application/pdf", b"%PDF-1.7 of 01.1037.1") == (
        answer.headers["content-type"],
        answer.content,
    )
    assert "no-store" == answer.headers["cache-control"]


@pytest.mark.parametrize("path", ["bill", f"bill/{RUN}", f"bill/{RUN}/page", "unlink"])
def test_another_ones_account_is_not_there(ann, path):
    theirs, nobodys = ann.get(f"/accounts/{THEIRS}/{path}"), ann.get(f"/accounts/9/{path}")

    assert (404, 404) == (theirs.status_code, nobodys.status_code)
    assert theirs.text.replace(THEIRS, "") == nobodys.text.replace("accounts/9/", "accounts//")


def test_rule_44_history_shows_payments_in_parentheses(ann):
    page = ann.get("/bills").text

    assert "($20.00)" in page and "$45.50" in page and "October 2026" in page
    assert "02.2000.2" not in page


def test_rule_45_a_bill_is_a_page_that_everyone_can_read(ann):
    page = ann.get(f"/accounts/{MINE}/bill/{RUN}/page").text

    assert "Bill for October 2026" in page and "Amount due" in page
    assert (
        '<td class="num" data-of="Usage">7.5 </td>' in page
        and "What was billed, by service" in page
    )


def test_rule_178_usage_is_a_graph_with_its_numbers_as_a_table(ann):
    page = ann.get("/usage").text

    assert (
        "<svg" in page
        and "Water" in page
        and '<td class="num" data-of="This year">7.5</td>' in page
    )


def test_rule_12_a_bill_that_was_never_split_is_not_offered(office, app):
    register(office, ANN, accounts=(MINE,))
    browser = Browser(app)
    browser.sign_in(ANN)

    assert "View bill" not in browser.get("/").text
    assert 404 == browser.get(f"/accounts/{MINE}/bill").status_code


def test_rules_3_and_40_an_open_period_shows_nowhere(filed, ann):
    before = [ann.get(path).text for path in ("/", "/bills", "/usage")]
    stage_run(
        filed.database,
        a_household("01.1037.1", balance="99.99"),
        period="2026-11",
        ends_on=date(2026, 11, 30),
        due_on=date(2026, 12, 20),
    )
    with filed.database.writing() as books:
        row = dict(books.execute(sa.select(bill).where(bill.c.account_key == MINE)).one()._mapping)
        books.execute(bill.insert().values(row | {"period": "2026-11"}))
        line = dict(books.execute(sa.select(movement).where(movement.c.line == 1)).one()._mapping)
        books.execute(movement.insert().values(line | {"period": "2026-11", "line": 9}))
    after = [ann.get(path).text for path in ("/", "/bills", "/usage")]

    assert before == after and "$45.50" in after[0]
    assert 404 == ann.get(f"/accounts/{MINE}/bill/2026-11").status_code
    close_run(filed.database, "2026-11")
    assert "$99.99" in ann.get("/").text  # and the close it is that shows it
    assert 200 == ann.get(f"/accounts/{MINE}/bill/2026-11").status_code


def test_an_unlinked_account_is_gone_from_every_page(ann):
    ann.get(f"/accounts/{MINE}/unlink")
    ann.post(f"/accounts/{MINE}/unlink")

    assert "No account is linked" in ann.get("/").text
    assert 404 == ann.get(f"/accounts/{MINE}/bill").status_code
    assert "01.1037.1" not in ann.get("/bills").text


SINCE_PAID = {
    "en": "Your bill shows $45.50. We received $30.00 on November 20, 2026, after it was made: "
    "$15.50 is left.",
    "es": "Su factura indica $45.50. Recibimos $30.00 el 20 de noviembre de 2026, después de "
    "hacerla: quedan $15.50.",
}


@pytest.mark.parametrize("path", ["/", f"/accounts/{MINE}/bill/html"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_rule_39_home_and_bill_say_what_moved_since_the_bill(filed, ann, path, language):
    before = ann.get(path).text
    with filed.database.writing() as books:
        entry = an_entry(amount="-30.00", account_key=MINE)
        record_entries(books, [entry], now=NOW, who="anna")
    ann.post("/language", language=language, next="/")

    page = unescape(ann.get(path).text)

    assert SINCE_PAID[language] in page
    assert "Your bill shows" not in before and "Su factura indica" not in before


def test_only_the_newest_bills_page_says_what_moved_since(filed, ann):
    with filed.database.writing() as books:
        record_entries(books, [an_entry(amount="-30.00", account_key=MINE)], now=NOW, who="anna")
    stage_run(filed.database, a_household("01.1037.1", balance="95.00", mandates=()),
              period="2026-11", ends_on=date(2026, 11, 30), due_on=date(2026, 12, 20))  # fmt: skip
    close_run(filed.database, "2026-11")

    assert "Your bill shows" not in ann.get(f"/accounts/{MINE}/bill/{RUN}/html").text


def test_a_long_history_shows_its_newest_first_and_the_older_ones_behind_a_link(filed, ann):
    with filed.database.writing() as books:
        line = dict(books.execute(sa.select(movement).where(movement.c.line == 1)).one()._mapping)
        books.execute(movement.insert(), [line | {"line": 2 + more} for more in range(40)])

    page, whole = ann.get("/bills").text, ann.get("/bills?older=1").text

    assert (6, 42) == tuple(text.count(f"/accounts/{MINE}/lines/") for text in (page, whole))
    assert "Show older ones too" in page and "Show older ones too" not in whole
    assert len(page) < 10_000  # with style and script below 20,000
