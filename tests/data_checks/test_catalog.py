"""The catalog keeps what the contract promises."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from data_checks.check import says, to_query
from data_checks.checking import STAGED
from data_checks.checks.catalog import CATALOG
from data_checks.parameters import Thresholds, parameters
from database.schema import metadata
from domain.checks import NEVER_WAIVED, Severity
from tests.data_checks.rows import RUN, TODAY

BLOCKING = {
    "unreadable-row",
    "account-duplicate",
    "control-totals",
    "roll-forward",
    "page-unassigned",
    "bill-unknown-account",
    "bill-duplicate",
    "bill-missing",
    "bill-amount",
    "bill-due-date",
    "sensitive-data",
}
WARNING = {
    "ebill-no-email",
    "email-invalid",
    "neither-paper-nor-ebill",
    "negative-bill",
    "usage-outlier",
    "amount-outlier",
    "closed-account-billed",
    "autopay-direct-pay",
    "notice-short",
}
PERSONAL = ("a.name", "mailing_address", "service_address", "phone", "e.address AS", "r.address")


def names(severity: Severity) -> set[str]:
    return {check.name for check in CATALOG if check.severity is severity}


def test_the_contracts_checks_are_there_with_their_severities():
    assert names(Severity.BLOCKING) >= BLOCKING
    assert names(Severity.WARNING) >= WARNING
    assert {check.name for check in CATALOG} >= NEVER_WAIVED


def test_the_statistics_of_every_table_a_check_reads_are_refreshed():
    read = {
        table for check in CATALOG for table in re.findall(r"(?:FROM|JOIN) ([a-z_]+)", check.sql)
    }

    assert read & set(metadata.tables) - set(STAGED) == {
        "bill_run",
        "period_close",
        "suppressed_address",  # small, whatever the run
        "correction",
        "draw",
        "feed_file",
        "wallet_method",  # these two grow day by day, and no import loads them
        "web_user",
    }


def test_names_are_unique_and_fit_their_column():
    listed = [check.name for check in CATALOG]

    assert len(listed) == len(set(listed))
    assert [name for name in listed if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)] == []
    assert max(map(len, listed)) <= 40


@pytest.mark.parametrize("check", CATALOG, ids=lambda check: check.name)
def test_a_check_speaks_to_the_clerk_in_sentences_and_shows_no_person(check):
    assert all(text.endswith(".") for text in (check.what, check.why, check.fix))
    assert ":period" in check.sql
    assert [word for word in PERSONAL if word in check.sql.split("FROM")[0]] == []


def test_a_detail_writes_cents_as_dollars_and_nothing_for_nothing():
    write = says("{due_cents} on {due_on}: {usage} and {average}")

    row = {"due_cents": -123456, "due_on": None, "usage": 1234.0, "average": 2.25}
    assert write(row) == "-$1,234.56 on nothing: 1,234 and 2.2"


def test_no_check_reads_the_whole_ledger_for_each_of_its_rows(clean_books):
    """In a city that took minutes on SQLite: what a row asks has an index, or is asked once."""
    if not clean_books.is_sqlite:
        pytest.skip("PostgreSQL plans by what there is")
    with clean_books.reading() as books:
        values = parameters(books, RUN, TODAY, Thresholds())
        walked = [
            (check.name, detail)
            for check in CATALOG
            for detail in _asked_of_each_row(books, to_query(check.sql, values))
            if detail.startswith("SCAN ") and detail.split()[1] in _names_of_ledger(check.sql)
        ]

    assert [] == walked


def _names_of_ledger(query: str) -> set[str]:
    return {"balance_entry", *re.findall(r"balance_entry (?:AS )?([a-z_]+)", query)}


def _asked_of_each_row(books, query: str) -> Iterator[str]:
    """Yield the steps of SQLite's plan that are done anew for each row of another."""
    steps = {}
    for row in books.execute(sa.text(f"EXPLAIN QUERY PLAN {query}")):
        parent, for_each = steps.get(row.parent, ("", False))
        steps[row.id] = row.detail, for_each or parent.startswith("CORRELATED")
        if steps[row.id][1]:
            yield row.detail
