"""Checking a staged run before it may be closed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime

import sqlalchemy as sa

from data_checks import recording, runner
from data_checks.check import Check, find, to_query
from data_checks.checks.catalog import CATALOG
from data_checks.choices.chosen import ALL, CheckChoices
from data_checks.choices.muting import Mute, mark_known
from data_checks.memory import give_back_memory
from data_checks.parameters import Thresholds, parameters
from data_checks.recording import Conclusion, conclude, is_waivable, miscounted
from data_checks.reviewed import (
    LookedAt,
    merge_review,
    record_figures,
    review_lines,
    review_register,
)
from data_checks.runner import FailedRows, warm_up
from database.books import Database
from domain.checks import NEVER_WAIVED, CheckResult, CheckStatus, Severity
from domain.failures import Misuse, Refused
from domain.words import say_meant

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
AS_SHIPPED = CheckChoices()
STAGED = (
    *("account", "account_email", "movement", "portal_user", "portal_link", "cosigner"),
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
    choices: CheckChoices = AS_SHIPPED,
    at: datetime | None = None,
) -> tuple[CheckResult, ...]:
    """
    Run every check on a staged run, write down the results, and return them, root causes first.

    `today` is the local date of the close; `waived` maps names of checks to reasons; `choices` are
    what the office wants of its checks. The register is reviewed at the moment `at` (None: not).
    Running again replaces the results. No transaction is open while the framework works, so the
    caller holds the run's lock.
    """
    _refresh_statistics(database)
    with database.reading() as books:
        values = parameters(books, period, today, thresholds)
    chosen = choices.as_chosen(checks)
    queries = {check.name: to_query(check.sql, values) for check in chosen}
    # lines are looked at while the database counts; the framework works in this thread alone
    with ThreadPoolExecutor(1) as beside:
        looking = None
        if at is not None:
            looking = beside.submit(review_lines, database, period, choices, at)
        verdicts = runner.judge(database.url, queries)
    reviewed = None
    if looking is not None and at is not None:
        reviewed = review_register(looking.result(), choices, at)
    database.forget_pages()  # what was read to count; what is found and written down comes on top
    give_back_memory()

    looked = [_look(database, check, queries[check.name], verdicts[check.name]) for check in chosen]
    if reviewed is not None:
        looked = merge_review(looked, reviewed, choices)
    conclusions = [
        _conclude(database, period, one, choices.mutes, today, waived or {}) for one in looked
    ]

    recording.record(database, period, conclusions)
    if reviewed is not None:
        record_figures(database, period, reviewed)
    return tuple(conclusion.result for conclusion in conclusions)


def blocking_failures(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Return what stops the close: blocking checks that failed, and any check that crashed."""
    return tuple(result for result in results if result.status is CheckStatus.FAILED)


def unknown_check_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that no check bears, so that a misspelled waiver is refused."""
    return tuple(name for name in names if name not in ALL)


def unwaivable_check_names(names: Iterable[str], raised: Collection[str] = ()) -> tuple[str, ...]:
    """
    Return the names of checks that a waiver does not help: warnings, and what never goes.

    `raised` are those that the office lets block, though they only warn at first.
    """
    waivable = {check.name for check in ALL.values() if is_waivable(check)}
    waivable |= {name for name in raised if name not in NEVER_WAIVED}
    return tuple(name for name in names if name not in waivable)


def require_waivable(names: Iterable[str], raised: Collection[str] = ()) -> None:
    """Raise Misuse for a check that does not exist, Refused for one that is never waived."""
    wanted = list(names)
    if unknown := unknown_check_names(wanted):
        meant = say_meant(unknown[0], ALL)
        raise Misuse(
            f"There is no check {unknown[0]!r}{meant}; `billclose checks list` names them."
        )
    if never := unwaivable_check_names(wanted, raised):
        raise Refused("not-waivable", f"The check {never[0]} cannot be waived.")


def _look(database: Database, check: Check, query: str, verdict: FailedRows) -> LookedAt:
    """Fetch the rows of a check that failed; the framework's count has to be ours."""
    if not verdict.failed:
        return LookedAt(check, (), verdict.error)
    with database.reading() as books:
        findings = find(books, check, query)
    return LookedAt(check, findings, miscounted(verdict, findings))


def _conclude(
    database: Database,
    period: str,
    looked: LookedAt,
    mutes: Iterable[Mute],
    today: date,
    waived: Collection[str],
) -> Conclusion:
    check, findings = looked.check, looked.findings
    if findings:
        with database.reading() as books:
            findings = mark_known(books, period, check, findings, mutes, today)
    if check.may_block and any(finding.blocks for finding in findings):
        check = replace(check, severity=Severity.BLOCKING)
    return conclude(check, findings, waived, looked.error)


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
