"""Every list of payments and deposits, with rows in it, read back from Excel as the page has it."""

from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest

from database.ledger.tables import balance_entry
from domain.identity import Role
from domain.ledger import EntryKind, EntrySource
from domain.money import Money
from office.secrets.files import make_secret
from payments.outcomes.events import take_in_events
from payments.outcomes.settlements import read_settlements
from tests.builders import ACH
from tests.office.health_builders import an_office_at
from tests.payments.collecting_builders import TERMS, a_collector, paying
from tests.web.office.conftest import TRIAL
from tests.web.office.test_lists import as_shown, cells_of
from web.office.pages import LIST_PAGES

GROUPS = ("payments", "autopay", "deposits")
PAGES = [page for page in LIST_PAGES if page.group in GROUPS]
# Nobody has a plan in this month; what is pending or in doubt has tests of its own.
EMPTY = {"arrangements", "pending-payments", "unknown-payments"}


@pytest.fixture
def office(tmp_path, books):
    """A month drawn: one succeeded, one came back, one has nothing to draw."""
    make_secret(tmp_path)
    made = a_collector(
        books, tmp_path, paying("1"), paying("2", "tok_ach_R01_d2", method_kind=ACH),
        paying("3", balance="0.00"), paying("4", balance="12.34"),
    )  # fmt: skip
    made.collect()
    made.wait(days=10)
    take_in_events(books, made.gateway, TERMS, made.now)
    read_settlements(books, made.gateway, made.at, "anna")
    with books.writing() as connection:
        connection.execute(
            balance_entry.insert().values(
                key="feed/m1", account_key="3", kind=EntryKind.PAYMENT, amount=Money(-15_00),
                counts=True, happened_on=date(2026, 11, 12), recorded_at=made.at,
                recorded_by="anna", source=EntrySource.FEED, reference="R77",
            )
        )  # fmt: skip
    return an_office_at(tmp_path, books, "2026-12-05T09:00", web=TRIAL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.what)
def test_a_list_read_back_from_excel_is_the_page_row_for_row(office, signed_in, page):
    """Rules 77 and 88: exported is what is shown, amounts as amounts."""
    admin = signed_in(Role.ADMIN)
    shown = admin.get(page.path).text

    sheet = openpyxl.load_workbook(io.BytesIO(admin.get(f"{page.path}/export.xlsx").content)).active

    columns = sheet.max_column
    in_file = [[as_shown(cell) for cell in row] for row in sheet.iter_rows(min_row=2)]
    on_page = cells_of(shown) if "<tbody>" in shown else []
    rows = [_without_link(row, page, columns) for row in on_page]
    assert [list(map(_rate, row)) for row in rows] == [list(map(_rate, row)) for row in in_file]
    if page.what not in EMPTY:
        assert in_file


def test_completed_payments_are_those_of_every_source_rule_88(office, signed_in):
    page = signed_in(Role.CLERK).get("/office/payments/completed").text

    rows = cells_of(page)

    assert {("SB", "autopay"), ("R7", "counter")} == {
        (row[0][:2], source) for row in rows for source in ("autopay", "counter") if source in row
    }
    assert any("$15.00" in row and "2026-11-12" in row for row in rows)


def _without_link(row: list[str], page, columns: int) -> list[str]:
    """Return a row without the cell of its link, which stands second and is no column."""
    has_link = page.row_link is not None and len(row) == columns + 1
    return [row[0], *row[2:]] if has_link else row


def _rate(text: str) -> str:
    """Write a rate as Excel gives it back: it knows no difference between 3.0 and 3."""
    return text.removesuffix(".0")
