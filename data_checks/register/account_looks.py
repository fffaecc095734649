"""What the review asks of whole accounts: finals, deposits, credits, plans, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from data_checks.check import Finding
from data_checks.register.limits import Limits
from domain.money import Money

_ZIP = re.compile(r"\d{5}(-?\d{4})?")
_STATES = frozenset(
    [
        *("AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA", "HI", "ID", "IL", "IN", "IA"),
        *("KS", "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ"),
        *("NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT"),
        *("VA", "WA", "WV", "WI", "WY", "DC", "PR", "GU", "VI", "AS", "MP", "AA", "AE", "AP"),
    ]
)
MOST_UNUSABLE = 0.5  # of the addresses: beyond it they are of another country


def look_at_accounts(
    books: Connection, period: str, accounts: pd.DataFrame, limits: Limits
) -> Iterator[tuple[str, Finding]]:
    """Yield the findings about whole accounts, each with the name of its check."""
    yield from _deposits(books, period, accounts)
    yield from _finals(books, period, accounts)
    yield from _balances(accounts, limits)
    yield from _addresses(books, period)


def _deposits(
    books: Connection, period: str, accounts: pd.DataFrame
) -> Iterator[tuple[str, Finding]]:
    held = accounts[(accounts["status"] == "final") & (accounts["deposit_held"].fillna(0) > 0)]
    if held.empty:
        return
    query = sa.text(
        "SELECT DISTINCT account_key FROM movement WHERE period = :period AND kind = 'adjustment' "
        "AND UPPER(service) LIKE 'DEPOSIT%'"
    )
    applied = set(books.execute(query, {"period": period}).scalars())
    for key, row in held.iterrows():
        if key not in applied:
            stake = Money(int(row["deposit_held"]))
            detail = f"final, and the deposit of {stake.dollars()} is not applied"
            yield "final-without-deposit", Finding(str(key), row["account"], detail, stake=stake)


def _finals(
    books: Connection, period: str, accounts: pd.DataFrame
) -> Iterator[tuple[str, Finding]]:
    """Yield who is closed now, was active at its own last close, and has no final bill."""
    query = sa.text("""
        SELECT b.account_key, b.period AS last_run FROM balance_due b
        JOIN account p ON p.period = b.period AND p.account_key = b.account_key
        JOIN account a ON a.period = :period AND a.account_key = b.account_key
        LEFT JOIN bill f ON f.period = :period AND f.account_key = b.account_key
        WHERE b.period <> :period AND p.status = 'active' AND a.status = 'closed'
            AND f.account_key IS NULL""")
    for key, last in books.execute(query, {"period": period}):
        detail = f"closed, was active in {last}, and no final bill came between"
        yield "final-missing", Finding(key, accounts.loc[key, "account"], detail)


def _balances(accounts: pd.DataFrame, limits: Limits) -> Iterator[tuple[str, Finding]]:
    balance = accounts["closing_balance"].astype("f8")
    credit = balance < -limits.of("credit-large", "money")
    for key, row in accounts[credit].iterrows():
        stake = Money(-int(row["closing_balance"]))
        detail = f"a credit of {stake.dollars()}"
        yield "credit-large", Finding(str(key), row["account"], detail, stake=stake)
    active = accounts["status"] == "active"
    for key, row in accounts[active & (accounts["amount_due"] == 0)].iterrows():
        yield "bill-zero", Finding(str(key), row["account"], "active, and nothing is due")
    plan = accounts["equal_pay_amount"].astype("f8")
    drifted = active & (balance.abs() > limits.of("equal-pay-drift", "factor") * plan)
    for key, row in accounts[drifted & (plan > 0)].iterrows():
        own, agreed = Money(int(row["closing_balance"])), Money(int(row["equal_pay_amount"]))
        detail = f"a plan of {agreed.dollars()} a month, and a balance of {own.dollars()}"
        yield "equal-pay-drift", Finding(str(key), row["account"], detail, stake=own)


def _addresses(books: Connection, period: str) -> Iterator[tuple[str, Finding]]:
    """Yield paper bills without a whole address; where most are so, it is another country's."""
    query = sa.text("""
        SELECT a.account_key, a.account, a.mailing_address, a.city, a.state, a.zip FROM account a
        JOIN delivery_plan d ON d.period = a.period AND d.account_key = a.account_key
        WHERE a.period = :period AND d.paper IS NOT NULL""")
    printed, faults = 0, []
    for key, account, *address in books.execute(query, {"period": period}):
        printed += 1
        if fault := _fault(*address):
            faults.append(Finding(key, account, f"on paper, {fault}"))
    if len(faults) <= MOST_UNUSABLE * printed:
        yield from (("address-unusable", finding) for finding in faults)


def _fault(street: str, city: str, state: str, code: str) -> str:
    if not street.strip():
        return "and no street is told"
    if not city.strip():
        return "and no city is told"
    if state.strip().upper().rstrip(".") not in _STATES and len(state.strip()) <= 2:
        return "and the state is not known"
    return "" if _ZIP.fullmatch(code.strip()) else "and the ZIP has not five or nine digits"
