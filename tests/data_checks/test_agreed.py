"""The checks of autopay see the mandates in force, whoever took them down or ended them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from data_checks.check import find, to_query
from data_checks.checks.catalog import CATALOG
from data_checks.parameters import Thresholds, parameters
from tests.data_checks.rows import CARD, CLOSED, NOON, RUN, TODAY, add, key, number

CHECKS = {check.name: check for check in CATALOG}
ENROLLED_HERE = 5  # no mandate of the export's
LATER = NOON + timedelta(days=1)


@pytest.fixture
def connection(clean_books):
    with clean_books.engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


def found(connection, check: str) -> list[str]:
    values = parameters(connection, RUN, TODAY, Thresholds())
    query = to_query(CHECKS[check].sql, values)
    return [finding.account for finding in find(connection, CHECKS[check], query)]


def enroll(connection, account: int) -> None:
    """What `billclose autopay enroll` writes."""
    add(
        connection, "enrollment", account_key=key(account), account=number(account),
        portal_user="ann@x.example", method_token="tok_own", method_kind="card", last4="4242",
        days_prior=5, enrolled_on=TODAY, enrolled_at=LATER, enrolled_by="anna",
        consent_version="1", consent_text="",
    )  # fmt: skip


def set_account(connection, account: int, change: str) -> None:
    statement = (
        f"UPDATE account SET {change} WHERE period = '{RUN}' AND account_key = '{key(account)}'"
    )
    connection.execute(sa.text(statement))


CASES = [
    ("autopay-direct-pay", "direct_pay = true"),
    ("autopay-method-blocked", "block_card = true"),
    ("autopay-closed-account", "status = 'closed'"),
]


@pytest.mark.parametrize(("check", "change"), CASES)
def test_whom_the_office_enrolled_is_seen(connection, check, change):
    set_account(connection, ENROLLED_HERE, change)
    assert [] == found(connection, check)

    enroll(connection, ENROLLED_HERE)

    assert [number(ENROLLED_HERE)] == found(connection, check)


@pytest.mark.parametrize(("check", "change"), CASES)
def test_whose_mandate_the_office_ended_is_not_seen(connection, check, change):
    set_account(connection, CARD, change)
    assert [number(CARD)] == found(connection, check)

    add(
        connection, "enrollment_end", account_key=key(CARD), ended_on=date(2026, 11, 2),
        ended_at=LATER, ended_by="anna", reason="she called",
    )  # fmt: skip

    assert [] == found(connection, check)


def test_a_closed_account_that_nobody_enrolled_is_not_seen(connection):
    set_account(connection, CLOSED, "direct_pay = true")

    assert [] == found(connection, "autopay-direct-pay")
