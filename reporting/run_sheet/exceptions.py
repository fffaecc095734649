"""The exceptions of a run: what needs a person, each with its account and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from database.books import Database
from database.queries.autopay import payments_left_out
from database.queries.debtors import unreachable_debtors
from database.tables import bounce, check_finding, check_result, delivery
from domain.bounces import BounceKind
from domain.checks import CheckStatus
from domain.deliveries import DeliveryStatus
from reporting.run_sheet.run_sheet import RunSheet
from reporting.wording import capitalize, say_code, without_addresses

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


SHOWN = 12  # account numbers before "and N more"
_MAIL = {
    "mail-failed": "A bill could not be e-mailed: the address or the mail server refused it.",
    "mail-bounced": "A bill that was e-mailed came back: the mailbox is gone or does not take it.",
    "mail-policy": "A bill that was e-mailed was refused for what it is or who sends it.",
    "bounce-unknown": "Something came back that does not say whether the bill arrived.",
    "mail-deferred": "A bill has not been e-mailed yet: the mail server asked to come back later.",
    "mail-in-doubt": "A bill may have been e-mailed or not: the mail server's answer was lost.",
    "reminder-no-address": "Money is owed, and there is no e-mail address to remind anybody at.",
    "autopay-left-out": "An autopay payment of the period is not scheduled yet.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    account: str  # empty where the run as a whole is meant
    message: str


@dataclass(frozen=True, slots=True)
class ExceptionGroup:
    """All exceptions of one code."""

    code: str
    meaning: str
    fix: str
    blocking: bool
    waived: bool
    findings: tuple[Finding, ...]
    accounts: tuple[str, ...]  # each once, in the order found
    causes: tuple[tuple[str, int], ...]  # why mails did not leave, the frequent causes first

    @property
    def level(self) -> str:
        if self.waived:
            return "waived"
        return "blocking" if self.blocking else "warning"

    @property
    def general(self) -> tuple[Finding, ...]:
        """The findings that are about no single account."""
        return tuple(finding for finding in self.findings if not finding.account)


def group_exceptions(
    sheet: RunSheet, exceptions: Iterable[ExceptionRow]
) -> tuple[ExceptionGroup, ...]:
    """Put exceptions of one code together: blocking, waived, unsent e-mails, warnings."""
    rows_of: dict[str, list[ExceptionRow]] = {}
    for row in exceptions:
        rows_of.setdefault(row.code, []).append(row)
    groups = [_group(sheet, code, rows) for code, rows in rows_of.items()]
    ranks = ("blocking", "waived", "warning")
    return tuple(sorted(groups, key=lambda group: (ranks.index(group.level), not group.causes)))


def _group(sheet: RunSheet, code: str, rows: list[ExceptionRow]) -> ExceptionGroup:
    findings = tuple(Finding(row.account, without_addresses(row.message)) for row in rows)
    what, advice = sheet.check_texts.get(code, ("", ""))
    waived = any(
        result.check == code and result.status is CheckStatus.WAIVED for result in sheet.checks
    )
    causes = Counter(finding.message for finding in findings if finding.message)
    return ExceptionGroup(
        code=code,
        meaning=what or _MAIL.get(code, capitalize(f"{say_code(code)}.")),
        fix=next((row.fix for row in rows if row.fix), advice),
        blocking=any(row.blocking for row in rows),
        waived=waived,
        findings=findings,
        accounts=tuple(dict.fromkeys(row.account for row in rows if row.account)),
        causes=tuple(causes.most_common(3)) if rows[0].stage == "mail" else (),
    )
