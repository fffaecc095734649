"""A close as programs read it: what `--json` prints and the auditor's pack holds."""

from __future__ import annotations

from typing import Any

from domain.failures import Refused
from reporting.run_sheet.findings import findings_figures
from reporting.run_sheet.run_sheet import (
    HeldSheet,
    RunSheet,
    autopay_figures,
    check_figures,
    outsorting_figures,
    total_figures,
)


def close_figures(
    period: str, status: str, refusal: Refused | None, sheet: RunSheet | None
) -> dict[str, Any]:
    """Write a run sheet down for programs: money as decimal strings, names as in the contract."""
    figures: dict[str, Any] = {
        "period": period,
        "status": status,
        "closed": sheet is not None and sheet.is_closed,
        "refusal": None if refusal is None else {"code": refusal.code, "message": refusal.message},
        "pages": {"total": 0, "billed": 0, "separators": 0, "unassigned": 0},
        "bills": 0,
        "copies": {"read_back": 0, "audited": 0},
        "checks": [],
        "findings": {"must_do": [], "good_to_know": []},
        "checklist": [],
        "totals": {},
        "autopay": {"scheduled": 0, "immediate": 0, "unscheduled": 0, "amount": "0.00"},
        "deliveries": {"sent": 0, "failed": 0, "deferred": 0, "queued": 0, "in_doubt": 0},
        "mail_waits_for": [],
        "paper": {"bills": 0, "pages": 0, "file": None, "files": []},
        "outsorted": outsorting_figures(HeldSheet()),
        "notes": [],
        "seconds": {},
    }
    if sheet is not None:
        figures |= _of_sheet(sheet)
    if status == "dry-run":  # the copy in which it was closed is gone, and its files with it
        figures |= {"closed": False, "paper": figures["paper"] | {"file": None, "files": []}}
    return figures


def _of_sheet(sheet: RunSheet) -> dict[str, Any]:
    return {
        "utility": sheet.utility,
        "pages": sheet.pages,
        "bills": sheet.bills,
        "copies": {"read_back": sheet.copies_read_back, "audited": sheet.copies_audited},
        "checks": check_figures(sheet.checks),
        "findings": findings_figures(sheet.findings),
        "checklist": [line.to_json() for line in sheet.checklist],
        "totals": total_figures(sheet),
        "autopay": autopay_figures(sheet.autopay),
        "deliveries": {
            "sent": sheet.deliveries.sent,
            "failed": sheet.deliveries.failed,
            "deferred": sheet.deliveries.deferred,
            "queued": sheet.deliveries.queued,
            "in_doubt": sheet.deliveries.in_doubt,
        },
        "paper": {
            "bills": sheet.paper.bills,
            "pages": sheet.paper.pages,
            "file": sheet.paper.files[0] if sheet.paper.files else None,
            "files": list(sheet.paper.files),
        },
        "outsorted": outsorting_figures(sheet.outsorting),
        "notes": [note.to_json() for note in sheet.notes],
        "seconds": sheet.seconds,
    }
