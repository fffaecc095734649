"""The exceptions of a run by their code: what it means, how many, whose, what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from domain.checks import CheckStatus
from reporting.exceptions import ExceptionRow
from reporting.run_sheet import RunSheet
from reporting.wording import capitalize, say_code, without_addresses

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
