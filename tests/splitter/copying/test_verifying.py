"""A bill leaves only when it was read back."""

from __future__ import annotations

from datetime import date

import pytest

from domain.bills import BillRange
from domain.money import Money
from splitter.copying.copier import BillCopier
from splitter.copying.verifying import ForeignAccounts, examine
from splitter.text.patterns import compile_patterns
from tests.splitter.pdf_builders import a_bulk_file, a_page, write_pdf

PATTERNS = compile_patterns(a_bulk_file())


def a_bill(account="01.1037.1", pages=(0,), amount="12.50", due_on=date(2026, 11, 20)):
    return BillRange(account, pages, Money.parse(amount), due_on)


@pytest.fixture(scope="module")
def copier(tmp_path_factory):
    pages = [
        a_page("01.1037.1"),
        ["More of it"],
        a_page("01.1037.1", "Formerly 02.2048.2"),
        ["Usage of 02.2048.2"],
    ]
    return BillCopier.open(write_pdf(tmp_path_factory.mktemp("bulk") / "bills.pdf", pages))


def found_wrong(copy, bill):
    """Read back with the quick audit, after a look that the full one agrees."""
    foreign_accounts = ForeignAccounts(frozenset({"01.1037.1", "02.2048.2"}))
    quick = examine(copy, bill, PATTERNS, foreign_accounts, audits=False)
    full = examine(copy, bill, PATTERNS, foreign_accounts)
    assert quick.findings == full.findings
    assert quick.is_read_back
    assert full.is_read_back
    return list(quick.findings)


@pytest.mark.parametrize(
    ("pages", "bill", "finding"),
    [
        pytest.param([0], a_bill(account="01.1037.2"), "account", id="it shows another account"),
        pytest.param([0], a_bill(amount="12.51"), "amount due", id="it shows another amount"),
        pytest.param([0], a_bill(due_on=date(2026, 11, 21)), "due date", id="or another due date"),
        pytest.param([0, 1], a_bill(), "2 pages instead of 1", id="it has a page too many"),
        pytest.param([1], a_bill(), "account", id="it shows no account"),
        pytest.param(
            [0, 3], a_bill(pages=(0, 1)), "another account", id="a page may be a neighbour's"
        ),
    ],
)
def test_a_bill_does_not_leave_when(copier, pages, bill, finding):
    assert any(finding in found for found in found_wrong(copier.copy(pages), bill))


def test_a_bill_leaves_when_all_is_as_expected(copier):
    assert found_wrong(copier.copy([0]), a_bill()) == []
    assert found_wrong(copier.copy([0, 1]), a_bill(account="0110371", pages=(0, 1))) == []


def test_a_page_that_names_its_account_may_mention_another(copier):
    assert found_wrong(copier.copy([2]), a_bill()) == []


def test_a_copy_that_cannot_be_opened_does_not_leave():
    assert found_wrong(b"%PDF-1.7 nothing", a_bill()) == ["cannot be opened"]


def test_short_accounts_are_not_searched_for_everywhere():
    assert (
        frozenset({"02.2048.2"})
        == ForeignAccounts.of(["123456", "84670-1234", "02.2048.2"]).accounts
    )
