"""Checking a staged run before it may be closed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import sqlalchemy as sa

from data_checks import recording, runner
from data_checks.check import Check, find, to_query
from data_checks.checks.catalog import CATALOG
from data_checks.parameters import Thresholds, parameters
from data_checks.recording import Conclusion, conclude, is_waivable
from data_checks.runner import FailedRows, warm_up
from database.books import Database
from domain.checks import CheckResult, CheckStatus, Severity
from domain.failures import Misuse, Refused

__all__ = [
    "Thresholds",
    "blocking_failures",
    "check_run",
    "require_waivable",
    "unknown_check_names",
    "unwaivable_check_names",
    "warm_up",
]

DEFAULT_THRESHOLDS = Thresholds()
STAGED = (
    *("account", "account_email", "movement", "portal_link", "cosigner"),
    *("payment_method", "mandate", "problem", "bulk_file", "page", "bill", "bill_place"),
    *("delivery_plan", "recipient", "planned_payment", "gateway_payment"),
    *("enrollment", "enrollment_end"),
    *("balance_entry", "balance_due", "boundary_finding", "posting"),
)


def check_run(
    database: Database,
    period: str,
    *,
    today: date,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    waived: Mapping[str, str] | None = None,
    checks: Sequence[Check] = CATALOG,
) -> tuple[CheckResult, ...]:
    """
    Run every check on a staged run, write down the results, and return them, root causes first.

    `today` is the local date of the close; `waived` maps names of checks to reasons. Running
    again replaces the results. No transaction is open while the framework works, so the caller
    holds the run's lock.
    """
    _refresh_statistics(database)
    with database.reading() as books:
        values = parameters(books, period, today, thresholds)
    queries = {check.name: to_query(check.sql, values) for check in checks}
    verdicts = runner.judge(database.url, queries)

    conclusions = [
        _conclude(database, check, queries[check.name], verdicts[check.name], waived or {})
        for check in checks
    ]

    recording.record(database, period, conclusions)
    return tuple(conclusion.result for conclusion in conclusions)


def blocking_failures(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Return what stops the close: blocking checks that failed, and any check that crashed."""
    return tuple(result for result in results if result.status is CheckStatus.FAILED)


def unknown_check_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that no check bears, so that a misspelled waiver is refused."""
    known = {check.name for check in CATALOG}
    return tuple(name for name in names if name not in known)


def unwaivable_check_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of checks that a waiver does not help: warnings, and what never goes."""
    waivable = {check.name for check in CATALOG if is_waivable(check)}
    return tuple(name for name in names if name not in waivable)


def require_waivable(names: Iterable[str]) -> None:
    """Raise Misuse for a check that does not exist, Refused for one that is never waived."""
    wanted = list(names)
    if unknown := unknown_check_names(wanted):
        raise Misuse(f"There is no check {unknown[0]!r}; `billclose list checks` names them.")
    if never := unwaivable_check_names(wanted):
        raise Refused("not-waivable", f"The check {never[0]} cannot be waived.")


def _conclude(
    database: Database, check: Check, query: str, verdict: FailedRows, waived: Collection[str]
) -> Conclusion:
    if not verdict.failed:
        return conclude(check, verdict, (), waived)
    with database.reading() as books:
        findings = find(books, check, query)
    if any(finding.blocks for finding in findings):
        check = replace(check, severity=Severity.BLOCKING)
    return conclude(check, verdict, findings, waived)


def _refresh_statistics(database: Database) -> None:
    """
    Let the database count its rows anew after a bulk load; on SQLite a thousand of each index.

    PostgreSQL believes, before its own housekeeping comes by, that the new run is empty, and joins
    200,000 accounts to as many movements one by one. SQLite, which never counts unasked, takes an
    index by the run alone for as good as one by run and account, and does the same.
    """
    with database.writing() as books:
        if database.is_sqlite:
            books.exec_driver_sql("PRAGMA analysis_limit=1000")
            books.exec_driver_sql("ANALYZE")
        else:
            books.execute(sa.text(f"ANALYZE {', '.join(STAGED)}"))
