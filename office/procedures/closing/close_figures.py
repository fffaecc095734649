"""The figures of a period for a person to decide by: totals, checks with remedies, payments."""

from __future__ import annotations

from typing import Any

from database.runs import find_run
from domain.checks import CheckStatus
from domain.money import Money
from office.equipment.office import Office
from office.procedures.closing.checklist import current_sheet
from reporting.run_sheet.findings import findings_figures
from reporting.run_sheet.run_sheet import PaperSheet, RunSheet
from reporting.wording import say_day


def sheet_figures(office: Office, period: str) -> dict[str, Any]:
    """Return what a close brings, as text in the office's words; nothing for an unknown period."""
    if find_run(office.database, period) is None:
        return {}
    sheet = current_sheet(office, period)
    return {
        "facts": _facts(sheet) + _totals(sheet),
        "checks": _checks(sheet),
        "findings": findings_figures(sheet.findings),
        "checklist": [line.to_json() for line in sheet.checklist],
    }


def _facts(sheet: RunSheet) -> list[list[str]]:
    autopay, mail = sheet.autopay, sheet.deliveries
    return [
        ["Utility", sheet.utility],
        ["Due on", say_day(sheet.due_on)],
        ["Pages", f"{sheet.pages['total']:,}, {sheet.pages['unassigned']:,} unassigned"],
        ["Bills", f"{sheet.bills:,}"],
        ["Amount due of the bills", sheet.amount_due_total.dollars()],
        ["Bills by email", f"{mail.bills:,}"],
        ["Bills on paper", _paper(sheet.paper)],
        [
            "Autopay",
            f"{autopay.scheduled:,} payments, {autopay.amount.dollars()}, "
            f"{autopay.immediate:,} of them at once; {autopay.unscheduled:,} without a payment",
        ],
    ]


def _paper(paper: PaperSheet) -> str:
    told = f"{paper.bills:,}, {paper.pages:,} pages"
    if paper.envelopes:
        told += f"; {paper.envelopes:,} envelopes, {paper.sheets:,} sheets"
    return told


def _totals(sheet: RunSheet) -> list[list[str]]:
    """Return the control totals, which tie the balances before to those after."""
    return [
        [name.replace("_", " ").capitalize(), _written(total)]
        for name, total in sheet.totals.items()
        if name != "bills"  # said above
    ]


def _written(total: Money | int) -> str:
    return total.dollars() if isinstance(total, Money) else f"{total:,}"


def _checks(sheet: RunSheet) -> list[dict[str, Any]]:
    """Return the checks, what failed first, each with what it says and what to do."""
    rows = []
    for result in sheet.checks:
        says, remedy = sheet.check_texts.get(result.check, ("", ""))
        rows.append(
            {
                "check": result.check,
                "says": says,
                "severity": result.severity.value,
                "status": result.status.value,
                "failed": result.failed,
                "remedy": "" if result.status is CheckStatus.PASSED else remedy,
                "accounts": list(result.accounts[:20]),
            }
        )
    return sorted(rows, key=lambda row: row["status"] == CheckStatus.PASSED.value)
