"""The report in short, as Markdown and as table rows for the page of a flow run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from database.queries.export_notes import note_lines
from domain.checklist import ChecklistLine
from domain.checks import CheckResult, CheckStatus, FoundByChecks
from reporting.report.findings_text import (
    GOOD_TO_KNOW,
    MUST_DO,
    checklist_lines,
    say_account,
    say_head,
)
from reporting.report.verdict import give_verdict, list_key_figures
from reporting.run_sheet.control_totals import (
    Agreement,
    ControlTotal,
    Equation,
    list_control_totals,
    list_equations,
)
from reporting.run_sheet.exceptions import SHOWN, ExceptionGroup, ExceptionRow, group_exceptions
from reporting.run_sheet.run_sheet import RunSheet
from reporting.wording import capitalize, say_figure, say_moment, without_addresses

GROUPS = 20
_SPECIAL = re.compile(r"([\\`*_\[\]|~#!])")
_CHECK_ORDER = (CheckStatus.FAILED, CheckStatus.WAIVED, CheckStatus.WARNED, CheckStatus.PASSED)
_MARKS = {Agreement.TIES: "✓", Agreement.DIFFERS: "✗", Agreement.OPEN: "–"}


def to_markdown(
    sheet: RunSheet,
    exceptions: Iterable[ExceptionRow],
    *,
    rehearsal: bool = False,
    refusal: str = "",
) -> str:
    """Write verdict, key figures, totals and the first groups of exceptions as GitHub Markdown."""
    groups = group_exceptions(sheet, exceptions)
    found = sum(len(group.findings) for group in groups)
    verdict = give_verdict(sheet, found, rehearsal=rehearsal, refusal=refusal)
    figures = list_key_figures(sheet, groups, rehearsal=rehearsal)
    lines = [
        f"# {_plain(sheet.utility)}: billing period {_plain(sheet.period)}",
        "",
        f"**{verdict.word}.** {_plain(verdict.sentence)} {_plain(verdict.aftermath)}".rstrip(),
        "",
        *_table("Figure", "Value", "Note"),
        *(_row(item.label, item.value, item.note) for item in figures),
        "",
        "## Do the totals tie out?",
        "",
        *_table("Control total", "Billing system", "Counted here", "Result"),
        *(_total_row(total) for total in list_control_totals(sheet)),
        "",
        *_table("What must add up", "Figures", "Result"),
        *(_equation_row(equation) for equation in list_equations(sheet)),
        "",
        "## What needs a person",
        "",
        *_exception_lines(groups),
        *_waiver_lines(sheet),
        *_note_lines(sheet),
    ]
    return "\n".join(lines) + "\n"


def markdown_findings(findings: FoundByChecks, *, named: bool) -> Iterator[str]:
    """Yield findings as Markdown; customers' names stand in it only where it is `named`."""
    kinds = ((MUST_DO, findings.must_do), (GOOD_TO_KNOW, findings.good_to_know))
    for heading, found in kinds:
        if found:
            yield from ("", f"### {heading}", "")
        for check in found:
            yield f"- **{_plain(say_head(check))}** {_plain(check.remedy)}"
            for one in check.first:
                yield f"    - {_plain(say_account(one, named=named))}"
            if check.first and check.more:
                yield f"    - and {check.more:,} more"


def markdown_checklist(lines: Iterable[ChecklistLine]) -> Iterator[str]:
    """Yield the checklist beside a close as Markdown, what is open first."""
    heading, *rest = list(checklist_lines(lines)) or [""]
    if rest:
        yield from ("", f"### {heading.rstrip(':')}", "")
    for line in rest:
        yield f"- {_plain(line.strip())}"


def exception_rows(exceptions: Iterable[ExceptionRow], limit: int = 200) -> list[dict[str, str]]:
    """
    Return at most `limit` exceptions as rows of a table.

    Where there are more, the last row says how many: a list cut short must not look complete.
    """
    rows: list[dict[str, str]] = []
    total = 0
    for total, row in enumerate(exceptions, start=1):
        if total <= limit:
            rows.append(_exception_row(row))
    if total > limit > 0:
        left = total - limit + 1
        rows[-1] = dict.fromkeys(rows[-1], "") | {"message": f"and {left:,} more: see the report"}
    return rows


def check_rows(
    checks: Iterable[CheckResult], texts: Mapping[str, tuple[str, str]]
) -> list[dict[str, str]]:
    """
    Return every check as a row of a table: what failed first, else in the catalog's order.

    `texts` has what each of them says, and what to do.
    """
    order = list(_CHECK_ORDER)
    return [
        {
            "check": result.check,
            "severity": result.severity.value,
            "status": result.status.value,
            "found": f"{result.failed:,}",
            "accounts": _some(result.accounts),
            "what it says": texts.get(result.check, ("", ""))[0],
        }
        for result in sorted(checks, key=lambda result: order.index(result.status))
    ]


def _exception_row(row: ExceptionRow) -> dict[str, str]:
    return {
        "account": row.account,
        "stage": row.stage,
        "code": row.code,
        "message": without_addresses(row.message),
        "fix": row.fix,
        "blocking": "yes" if row.blocking else "no",
    }


def _exception_lines(groups: tuple[ExceptionGroup, ...]) -> Iterator[str]:
    if not groups:
        yield "Nothing."
        return
    yield from _table("Level", "Code", "Found", "What it means", "What to do", "Where")
    for group in groups[:GROUPS]:
        number = f"{len(group.findings):,}"
        where = [finding.message for finding in group.general] + list(group.accounts)
        yield _row(group.level, group.code, number, group.meaning, group.fix, _some(where))
    if len(groups) > GROUPS:
        yield ""
        yield f"And {len(groups) - GROUPS:,} more kinds of exceptions: see the report."


def _waiver_lines(sheet: RunSheet) -> Iterator[str]:
    if not sheet.waivers:
        return
    yield from ("", "## Waivers", "", *_table("Check", "Reason", "Waived by", "When"))
    for waiver in sheet.waivers:
        when = say_moment(waiver.at, sheet.timezone)
        yield _row(waiver.check, without_addresses(waiver.reason), waiver.by, when)


def _note_lines(sheet: RunSheet) -> Iterator[str]:
    if sheet.notes:
        yield from ("", "## What of the export was not used", "")
        yield from (f"- {_plain(line)}" for line in note_lines(sheet.notes))


def _total_row(total: ControlTotal) -> str:
    figures = say_figure(total.announced), say_figure(total.ours)
    return _row(total.name, *figures, f"{_MARKS[total.outcome]} {capitalize(total.verdict)}")


def _equation_row(equation: Equation) -> str:
    terms = " ".join(f"{term.sign} {term.figure} {term.label}" for term in equation.terms)
    verdict = f"{_MARKS[equation.outcome]} {capitalize(equation.verdict)}"
    return _row(equation.name, terms.strip(), verdict)


def _some(places: Sequence[str]) -> str:
    shown = ", ".join(places[:SHOWN])
    more = len(places) - SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def _table(*headings: str) -> tuple[str, str]:
    return _row(*headings), "|" + " --- |" * len(headings)


def _row(*cells: str) -> str:
    return "| " + " | ".join(_plain(cell) for cell in cells) + " |"


def _plain(text: str) -> str:
    """Keep a text from being read as Markdown, HTML or a new line."""
    one_line = " ".join(text.split())
    escaped = one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", escaped)
