"""The exceptions of a run: what needs a person, each with its account and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from database.books import Database
from database.tables import check_finding, check_result, delivery
from domain.checks import CheckStatus
from domain.deliveries import DeliveryStatus

ADVICE = {
    DeliveryStatus.FAILED: "Correct the address in the billing system and print this bill.",
    DeliveryStatus.DEFERRED: "Run the close again later; it tries these once more.",
    DeliveryStatus.IN_DOUBT: "It may have arrived; running the close again sends it once more.",
}
UNSENT = tuple(ADVICE)


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """One thing a person must look at; `stage` is check or mail, `code` says which."""

    account: str
    stage: str
    code: str
    message: str
    fix: str
    blocking: bool


def list_exceptions(database: Database, run: str) -> Iterator[ExceptionRow]:
    """Yield what the checks found and which mails did not leave, the blocking ones first."""
    findings = (
        sa.select(
            check_finding.c.account,
            check_finding.c.check_name,
            check_finding.c.detail,
            check_result.c.fix,
            check_result.c.status,
        )
        .join(
            check_result,
            sa.and_(
                check_result.c.run == check_finding.c.run,
                check_result.c.check_name == check_finding.c.check_name,
            ),
        )
        .where(check_finding.c.run == run)
        .order_by(check_result.c.position, check_finding.c.line)
    )
    unsent = (
        sa.select(delivery.c.account, delivery.c.status, delivery.c.error)
        .where(delivery.c.run == run, delivery.c.status.in_(UNSENT))
        .order_by(delivery.c.key)
    )
    with database.reading() as books:
        for number, name, detail, fix, status in books.execute(findings):
            blocking = status in (CheckStatus.FAILED, CheckStatus.WAIVED)
            yield ExceptionRow(number, "check", name, detail, fix, blocking)
        for number, status, error in books.execute(unsent):
            yield ExceptionRow(number, "mail", f"mail-{status}", error or "", ADVICE[status], False)
