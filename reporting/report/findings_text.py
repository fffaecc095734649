"""Findings in words, once for every door: the terminal, the Prefect form, a table on a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.checklist import ChecklistLine, ChecklistMark
from domain.checks import CheckFindings, CheckStatus, FoundAccount, FoundByChecks
from domain.money import Money
from domain.words import say_count
from reporting.wording import capitalize, without_addresses
from rules.closing_checklist import open_items

MUST_DO = "Must be done today, before the yes"
GOOD_TO_KNOW = "Good to know"
NOTHING = "Every check passed."
CHECKLIST = "Checklist before the yes"
MARKS = {ChecklistMark.OPEN: "OPEN", ChecklistMark.DONE: "done", ChecklistMark.ASKED: "asked"}
STATUS = {
    CheckStatus.FAILED: "stops the close",
    CheckStatus.WARNED: "look at it",
    CheckStatus.WAIVED: "waived",
}


def say_head(found: CheckFindings) -> str:
    """Say how much a check found and of what: `bill-amount, 2 findings: The amount on …`."""
    known = f", {found.known:,} more known" if found.known else ""
    return f"{found.check}, {say_count(found.failed, 'finding')}{known}: {found.says}"


def say_account(found: FoundAccount, *, named: bool = True) -> str:
    """Say one finding in a line; without `named` no customer's name stands in it."""
    who = " ".join(filter(None, (found.account, found.name if named else "")))
    said = f"{who or 'in all'}: {without_addresses(found.detail)}"
    if found.stake is None:
        return said
    return f"{said} ({Money(abs(found.stake.cents)).dollars()} at stake)"


def findings_lines(findings: FoundByChecks, *, most_to_know: int | None = None) -> Iterator[str]:
    """
    Yield the findings as a clerk reads them at the terminal.

    `most_to_know` cuts what is only good to know to so many lines with a word about the rest.
    """
    if not findings:
        yield NOTHING
        return
    if findings.must_do:
        yield f"{MUST_DO}:"
        for found in findings.must_do:
            yield from _block(found)
    if findings.good_to_know:
        yield f"{GOOD_TO_KNOW}:"
        shown = findings.good_to_know[:most_to_know]
        for found in shown:
            yield from _block(found)
        if len(shown) < len(findings.good_to_know):
            yield f"  and {len(findings.good_to_know) - len(shown)} more checks"


def checklist_lines(lines: Iterable[ChecklistLine]) -> Iterator[str]:
    """Yield the checklist beside a close, what is open first."""
    ordered = sorted(lines, key=lambda line: line.mark is not ChecklistMark.OPEN)
    if ordered:
        yield f"{CHECKLIST}:"
    for line in ordered:
        yield f"  {MARKS[line.mark]}: {line.says} {line.remedy}".rstrip()


def say_checklist(lines: Iterable[ChecklistLine]) -> str:
    """Say in a few words how the checklist stands, for the audit list."""
    left = open_items(lines)
    return f"checklist open: {', '.join(left)}" if left else "checklist without anything open"


def _block(found: CheckFindings) -> Iterator[str]:
    yield f"  {say_head(found)}"
    for one in found.first:
        yield f"      {say_account(one)}"
    if found.first and found.more:
        yield f"      and {found.more:,} more"
    yield f"    {capitalize(STATUS[found.status])}. {found.remedy}"
