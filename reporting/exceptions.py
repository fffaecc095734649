"""The exceptions of a run: what needs a person, each with its account and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from database.books import Database
from database.debtors import unreachable_debtors
from database.left_out import payments_left_out
from database.tables import bounce, check_finding, check_result, delivery
from domain.bounces import BounceKind
from domain.checks import CheckStatus
from domain.deliveries import DeliveryStatus

ADVICE = {
    DeliveryStatus.FAILED: "Correct the address in the billing system. A bill that no mailbox took "
    "is printed, with the close or with the next part.",
    DeliveryStatus.DEFERRED: "Run the close again later; it tries these once more.",
    DeliveryStatus.IN_DOUBT: "It may have arrived; running the close again sends it once more.",
}
BOUNCED = (
    "Correct the address in the billing system, then lift its suppression (`billclose bounces`). "
    "A bill that no mailbox took is printed with the next part."
)
POLICY = "The address is right: ask whoever runs your mail server why the mail is refused."
JUDGE = "Find out whether the mail arrived, then `billclose bounces settle`."
CALL = "Write or call; a corrected address counts from the next export on."
SCHEDULE = "Run `billclose schedule-autopay` for the period again."
UNSENT = tuple(ADVICE)


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """One thing a person must look at; `stage` is check, mail or autopay, `code` says which."""

    account: str
    stage: str
    code: str
    message: str
    fix: str
    blocking: bool


def list_exceptions(database: Database, run: str) -> Iterator[ExceptionRow]:
    """
    Yield what the checks found and which mails did not leave, the blocking ones first.

    After these come whoever owes money and cannot be reminded, once reminding has begun, and the
    autopay payments that the schedule left out.
    """
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
        sa.select(delivery.c.account, delivery.c.status, delivery.c.error, delivery.c.bounced_at)
        .where(delivery.c.run == run, delivery.c.status.in_(UNSENT))
        .order_by(delivery.c.key)
    )
    unknown = (
        sa.select(delivery.c.account, bounce.c.diagnostic)
        .join(delivery, delivery.c.key == bounce.c.delivery_key)
        .where(
            delivery.c.run == run,
            bounce.c.kind == BounceKind.UNKNOWN,
            bounce.c.settled_at.is_(None),
        )
        .order_by(bounce.c.id)
    )
    with database.reading() as books:
        for number, name, detail, fix, status in books.execute(findings):
            blocking = status in (CheckStatus.FAILED, CheckStatus.WAIVED)
            yield ExceptionRow(number, "check", name, detail, fix, blocking)
        for number, status, error, bounced_at in books.execute(unsent):
            code, fix = f"mail-{status}", ADVICE[status]
            if bounced_at is not None:
                code, fix = "mail-bounced", BOUNCED
                if (error or "").startswith("bounced: 5.7."):
                    code, fix = "mail-policy", POLICY
            yield ExceptionRow(number, "mail", code, error or "", fix, False)
        for number, diagnostic in books.execute(unknown):
            yield ExceptionRow(number, "mail", "bounce-unknown", diagnostic, JUDGE, False)
        for select, fix in ((unreachable_debtors(run), CALL), (payments_left_out(run), SCHEDULE)):
            found = select.subquery()
            for row in books.execute(sa.select(found).order_by(found.c._account_key)):
                yield ExceptionRow(row.account, row.stage, row.code, row.message, fix, False)
