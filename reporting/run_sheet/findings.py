"""The findings of a period's checks, as whoever decides about the close reads them."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.account_changes import column_in_force
from database.tables import account, check_finding, check_result
from domain.checks import CheckFindings, CheckStatus, FoundAccount, FoundByChecks

FIRST = 5  # accounts that are named before "and N more"


def read_findings(books: Connection, period: str, first: int = FIRST) -> FoundByChecks:
    """
    Return what every check of a period found, each with its first accounts.

    What stops the close, and warnings about bills and draws that leave with it, must be done
    before the yes; the rest is good to know. The accounts with most at stake stand first.
    """
    results = books.execute(
        sa.select(check_result)
        .where(check_result.c.period == period, check_result.c.status != CheckStatus.PASSED)
        .order_by(check_result.c.position)
    ).all()
    accounts = _first_accounts(books, period, first)
    must_do: list[CheckFindings] = []
    good_to_know: list[CheckFindings] = []
    for result in results:
        found = _to_findings(result, accounts.get(result.check_name, ()))
        (must_do if _is_urgent(result) else good_to_know).append(found)
    must_do.sort(key=lambda found: found.status is not CheckStatus.FAILED)
    return FoundByChecks(tuple(must_do), tuple(good_to_know))


def findings_figures(findings: FoundByChecks) -> dict[str, Any]:
    """Write findings down for programs: money as decimal strings."""
    return {
        "must_do": [_figures(found) for found in findings.must_do],
        "good_to_know": [_figures(found) for found in findings.good_to_know],
    }


def _is_urgent(result: Any) -> bool:
    is_warned = result.status is CheckStatus.WARNED and result.before_yes
    return result.status is CheckStatus.FAILED or is_warned


def _to_findings(result: Any, first: tuple[FoundAccount, ...]) -> CheckFindings:
    return CheckFindings(
        check=result.check_name,
        severity=result.severity,
        status=result.status,
        failed=result.failed,
        known=result.known,
        says=result.error or result.what,
        remedy=result.fix,
        first=first,
    )


def _first_accounts(
    books: Connection, period: str, first: int
) -> dict[str, tuple[FoundAccount, ...]]:
    row = check_finding.c
    stake = sa.func.coalesce(sa.func.abs(sa.type_coerce(row.stake, sa.BigInteger)), 0)
    place = sa.func.row_number().over(
        partition_by=row.check_name, order_by=(stake.desc(), row.line)
    )
    ranked = (
        sa.select(check_finding, place.label("place"))
        .where(row.period == period, row.known_until.is_(None))
        .subquery()
    )
    of_run = sa.and_(account.c.period == period, account.c.account_key == ranked.c.account_key)
    rows = books.execute(
        sa.select(ranked, sa.func.coalesce(column_in_force(account, "name"), "").label("name"))
        .outerjoin_from(ranked, account, of_run)
        .where(ranked.c.place <= first)
        .order_by(ranked.c.check_name, ranked.c.place)
    )
    found: dict[str, list[FoundAccount]] = {}
    for one in rows:
        months = tuple(json.loads(one.months)) if one.months else ()
        told = FoundAccount(
            one.account, one.name, one.detail, one.stake, one.service, months, one.line
        )
        found.setdefault(one.check_name, []).append(told)
    return {check: tuple(accounts) for check, accounts in found.items()}


def _figures(found: CheckFindings) -> dict[str, Any]:
    return {
        "check": found.check,
        "severity": found.severity.value,
        "status": found.status.value,
        "failed": found.failed,
        "known": found.known,
        "says": found.says,
        "remedy": found.remedy,
        "accounts": [
            {
                "account": one.account,
                "name": one.name,
                "detail": one.detail,
                "at_stake": None if one.stake is None else str(one.stake),
                "line": one.line,
            }
            for one in found.first
        ],
        "more": found.more,
    }
