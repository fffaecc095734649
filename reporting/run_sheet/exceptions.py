"""The exceptions of a run: what needs a person, each with its account and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from database.books import Database
from database.queries.exceptions import exceptions
from database.queries.outsorted import CODE as OUTSORTED
from database.tables import check_result
from domain.checks import CheckStatus
from domain.reminders import EXEMPTIONS
from domain.words import say_code
from reporting.run_sheet.run_sheet import RunSheet
from reporting.wording import capitalize, without_addresses

FIXES = {
    "mail-failed": "Correct the address in the billing system. A bill that no mailbox took "
    "is printed, with the close or with the next part.",
    "mail-deferred": "Run the close again later; it tries these once more.",
    "mail-in-doubt": "It may have arrived; running the close again sends it once more.",
    "mail-bounced": "Correct the address in the billing system, then lift its suppression "
    "(`billclose bounces`). A bill that no mailbox took is printed with the next part.",
    "mail-policy": "The address is right: ask whoever runs your mail server why the mail is "
    "refused.",
    "bounce-unknown": "Find out whether the mail arrived, then `billclose bounces settle`.",
    "reminder-no-address": "Write or call; a corrected address counts from the next export on.",
    "reminder-held": "Nothing, while the hold is right; `billclose hold` lists and lifts holds.",
    **{
        f"reminder-{shield}": "Put right what went wrong on our side; the mail follows then."
        for shield in EXEMPTIONS
    },
    "autopay-left-out": "Run `billclose schedule-autopay` for the period again.",
    OUTSORTED: "Look at the bill, then `billclose release` does all that was held back.",
    "arrangement-broken": "Make another plan with its customer (`billclose arrange`), or dun on.",
    "arrangement-waiting": "Let another person approve or cancel it (`billclose arrange`).",
    "choice-refused": "Tell the customer, and have it put right in the billing system.",
}
_FIX_OF_STAGE = {  # of codes that are many, such as why a row of the feed cannot be read
    "feed": "Have it put right in the billing system; `billclose balances decide` settles a "
    "movement.",
}
_FIX = "See `billclose list exceptions`."


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """
    One thing a person must look at.

    `stage` is check, outsort, mail, autopay, feed or payment, `code` says which.
    """

    account: str
    stage: str
    code: str
    message: str
    fix: str
    blocking: bool


def list_exceptions(
    database: Database, period: str, further: Iterable[sa.Select[Any]] = ()
) -> Iterator[ExceptionRow]:
    """
    Yield the exceptions of a period as `list exceptions` has them, each with what to do.

    FoundByChecks of checks come first, then mails, then autopay. `further` are those that go by the
    office's settings and clock.
    """
    found = exceptions(further, period).subquery("found")
    result = sa.and_(
        found.c.stage == "check",
        check_result.c.period == found.c.period,
        check_result.c.check_name == found.c.code,
    )
    stage = sa.case({"check": 0, "outsort": 1, "mail": 2}, value=found.c.stage, else_=3)
    query = (
        sa.select(found, check_result.c.fix, check_result.c.status)
        .outerjoin_from(found, check_result, result)
        .order_by(stage, found.c._position, found.c._account_key)
    )
    with database.reading() as books:
        for row in books.execution_options(yield_per=2_000).execute(query):
            fix = row.fix if row.stage == "check" else _fix_of(row.stage, row.code)
            blocking = row.status in (CheckStatus.FAILED, CheckStatus.WAIVED)
            yield ExceptionRow(row.account, row.stage, row.code, row.message, fix, blocking)


def _fix_of(stage: str, code: str) -> str:
    """Say what to do about a code; of one that nobody wrote a sentence for, in general."""
    return FIXES.get(code) or _FIX_OF_STAGE.get(stage, _FIX)


SHOWN = 12  # account numbers before "and N more"
_MAIL = {
    "mail-failed": "A bill could not be e-mailed: the address or the mail server refused it.",
    "mail-bounced": "A bill that was e-mailed came back: the mailbox is gone or does not take it.",
    "mail-policy": "A bill that was e-mailed was refused for what it is or who sends it.",
    "bounce-unknown": "Something came back that does not say whether the bill arrived.",
    "mail-deferred": "A bill has not been e-mailed yet: the mail server asked to come back later.",
    "mail-in-doubt": "A bill may have been e-mailed or not: the mail server's answer was lost.",
    "reminder-no-address": "Money is owed, and there is no e-mail address to remind anybody at.",
    "reminder-held": "A past-due mail is owed, and a hold keeps it back.",
    **{
        f"reminder-{shield}": "A past-due mail is owed, and a failure of ours keeps it back."
        for shield in EXEMPTIONS
    },
    "autopay-left-out": "An autopay payment of the period is not scheduled yet.",
    OUTSORTED: "A bill is held back: it is not shown, mailed, printed or drawn, and no balance "
    "moved.",
}


@dataclass(frozen=True, slots=True)
class ExceptionMessage:
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
    findings: tuple[ExceptionMessage, ...]
    accounts: tuple[str, ...]  # each once, in the order found
    causes: tuple[tuple[str, int], ...]  # why mails did not leave, the frequent causes first

    @property
    def level(self) -> str:
        if self.waived:
            return "waived"
        return "blocking" if self.blocking else "warning"

    @property
    def general(self) -> tuple[ExceptionMessage, ...]:
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
    findings = tuple(ExceptionMessage(row.account, without_addresses(row.message)) for row in rows)
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
