"""The results of a run's checks in the books: what the clerk's list and the close read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from data_checks.check import Check, Finding
from data_checks.runner import FailedRows
from database.books import Database, insert_rows
from database.tables import check_finding, check_result, outsorted_bill, waiver
from domain.checks import NEVER_WAIVED, CheckResult, CheckStatus, Severity


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A check with its result, its rows, and the error if it crashed."""

    check: Check
    result: CheckResult
    findings: tuple[Finding, ...]
    error: str = ""


def miscounted(verdict: FailedRows, findings: Sequence[Finding]) -> str:
    """Return why nothing is known of the data, '' where the framework and our query agree."""
    if not verdict.error and verdict.failed != len(findings):
        return f"the framework counts {verdict.failed} rows, our own query {len(findings)}"
    return verdict.error


def conclude(
    check: Check, findings: tuple[Finding, ...], waived: Collection[str], error: str = ""
) -> Conclusion:
    """
    Decide the status of a check by what was found; what the office knows does not count.

    A check with an `error` fails whatever its severity and cannot be waived: nothing is known about
    the data, and not knowing is no reason to go on.
    """
    counted = tuple(finding for finding in findings if finding.known_until is None)
    accounts = (name for row in counted for name in (row.account, row.also) if name)
    result = CheckResult(
        check=check.name,
        severity=check.severity,
        status=CheckStatus.FAILED if error else _status(check, counted, waived),
        failed=len(counted),
        accounts=tuple(dict.fromkeys(accounts)),
    )
    return Conclusion(check, result, findings, error)


def is_waivable(check: Check) -> bool:
    """Only what blocks needs a waiver, and some things are never waived."""
    may_block = check.severity is Severity.BLOCKING or check.may_block
    return may_block and check.name not in NEVER_WAIVED


def _status(check: Check, findings: tuple[Finding, ...], waived: Collection[str]) -> CheckStatus:
    if not findings:
        return CheckStatus.PASSED
    if check.severity is not Severity.BLOCKING:
        return CheckStatus.WARNED
    if check.name in waived and is_waivable(check):
        return CheckStatus.WAIVED
    return CheckStatus.FAILED


_RESULT = (
    *("period", "check_name", "position", "severity", "status", "failed", "what", "fix", "error"),
    *("before_yes", "known"),
)
_FINDING = (
    *("period", "check_name", "line", "account_key", "account", "detail"),
    *("service", "stake", "months", "known_until"),
)
_HELD = (
    "period", "account_key", "account", "check_name", "reason", "outsorted_at", "outsorted_by",
)  # fmt: skip


def record(database: Database, period: str, conclusions: Sequence[Conclusion]) -> None:
    """
    Replace what the books say about a run's checks, in one transaction.

    The bills of a waived check's accounts are held back until somebody releases them, like those
    that a person outsorts. A hold whose finding is gone falls away; what was released stays so
    until another export is staged.
    """
    with database.writing() as books:
        for table in (check_result, check_finding):
            books.execute(table.delete().where(table.c.period == period))
        _record_results(books, period, conclusions)
        for conclusion in conclusions:
            _record_findings(books, period, conclusion)
        _hold(books, period, conclusions)


def _record_results(books: Connection, period: str, conclusions: Sequence[Conclusion]) -> None:
    rows = (
        (
            period,
            conclusion.check.name,
            position,
            conclusion.result.severity,
            conclusion.result.status,
            conclusion.result.failed,
            conclusion.check.what,
            conclusion.check.fix,
            conclusion.error,
            conclusion.check.before_yes,
            sum(finding.known_until is not None for finding in conclusion.findings),
        )
        for position, conclusion in enumerate(conclusions, start=1)
    )
    insert_rows(books, check_result, _RESULT, rows)


def _concerned(finding: Finding) -> list[tuple[str, str, str]]:
    """
    Return the accounts of a finding, each its key, as it is written, and what is found of it.

    There is at least one, maybe none's.
    """
    first = (finding.account_key, finding.account, finding.detail)
    second = (finding.also_key, finding.also, finding.also_detail or finding.detail)
    if not finding.also_key:
        return [first]
    return [first, second] if finding.account_key else [second]


def _record_findings(books: Connection, period: str, conclusion: Conclusion) -> None:
    told = [
        (key, name, detail, finding.service, finding.stake, *_kept(finding))
        for finding in conclusion.findings
        for key, name, detail in _concerned(finding)
    ]
    rows = (
        (period, conclusion.check.name, line, *found) for line, found in enumerate(told, start=1)
    )
    insert_rows(books, check_finding, _FINDING, rows)


def _kept(finding: Finding) -> tuple[str, date | None]:
    months = json.dumps(finding.months) if finding.months else ""
    return months, finding.known_until


def _hold(books: Connection, period: str, conclusions: Iterable[Conclusion]) -> None:
    held = outsorted_bill.c
    books.execute(
        outsorted_bill.delete().where(
            held.period == period, held.check_name != "", held.released_at.is_(None)
        )
    )
    released = sa.select(held.check_name, held.account_key).where(
        held.period == period, held.check_name != ""
    )
    let_go = {(row.check_name, row.account_key) for row in books.execute(released)}
    given = {
        row.check_name: (row.reason, row.waived_at, row.waived_by)
        for row in books.execute(sa.select(waiver).where(waiver.c.period == period))
    }
    for conclusion in conclusions:
        if conclusion.result.status is CheckStatus.WAIVED:
            name = conclusion.check.name
            concerned = {
                key: number
                for finding in conclusion.findings
                for key, number, _ in _concerned(finding)
                if key
            }
            rows = (
                (period, key, number, name, *given[name])
                for key, number in concerned.items()
                if (name, key) not in let_go
            )
            insert_rows(books, outsorted_bill, _HELD, rows)
