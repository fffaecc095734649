"""The results of a run's checks in the books: what the clerk's list and the close read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy.engine import Connection

from data_checks.concluding import Conclusion
from database.books import Database, insert_rows
from database.tables import check_finding, check_result, held_account
from domain.checks import CheckStatus

_RESULT = ("run", "check_name", "position", "severity", "status", "failed", "what", "fix", "error")
_FINDING = ("run", "check_name", "line", "account_key", "account", "detail")
_HELD = ("run", "account_key", "check_name")


def record(database: Database, run: str, conclusions: Sequence[Conclusion]) -> None:
    """
    Replace what the books say about a run's checks, in one transaction.

    The accounts of a waived check are held out of e-mail and autopay until somebody has looked.
    """
    with database.writing() as connection:
        for table in (check_result, check_finding, held_account):
            connection.execute(table.delete().where(table.c.run == run))
        _record_results(connection, run, conclusions)
        for conclusion in conclusions:
            _record_findings(connection, run, conclusion)
        _hold(connection, run, conclusions)


def _record_results(connection: Connection, run: str, conclusions: Sequence[Conclusion]) -> None:
    rows = (
        (
            run,
            conclusion.check.name,
            position,
            conclusion.result.severity,
            conclusion.result.status,
            conclusion.result.failed,
            conclusion.check.what,
            conclusion.check.fix,
            conclusion.error,
        )
        for position, conclusion in enumerate(conclusions, start=1)
    )
    insert_rows(connection, check_result, _RESULT, rows)


def _record_findings(connection: Connection, run: str, conclusion: Conclusion) -> None:
    rows = (
        (run, conclusion.check.name, line, finding.account_key, finding.account, finding.detail)
        for line, finding in enumerate(conclusion.findings, start=1)
    )
    insert_rows(connection, check_finding, _FINDING, rows)


def _hold(connection: Connection, run: str, conclusions: Iterable[Conclusion]) -> None:
    for conclusion in conclusions:
        if conclusion.result.status is CheckStatus.WAIVED:
            keys = dict.fromkeys(finding.account_key for finding in conclusion.findings)
            rows = ((run, key, conclusion.check.name) for key in keys if key)
            insert_rows(connection, held_account, _HELD, rows)
