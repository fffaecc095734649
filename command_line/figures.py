"""The figures of a close as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.failures import Refused
from reporting.sheet_figures import autopay_figures, check_figures, total_figures

if TYPE_CHECKING:
    from reporting.run_sheet import RunSheet


def close_figures(
    period: str, status: str, refusal: Refused | None, sheet: RunSheet | None
) -> dict[str, Any]:
    """Write a run sheet down for programs: money as decimal strings, names as in the contract."""
    figures: dict[str, Any] = {
        "period": period,
        "status": status,
        "refusal": None if refusal is None else {"code": refusal.code, "message": refusal.message},
        "pages": {"total": 0, "billed": 0, "separators": 0, "unassigned": 0},
        "bills": 0,
        "copies": {"read_back": 0, "audited": 0},
        "checks": [],
        "totals": {},
        "autopay": {"scheduled": 0, "immediate": 0, "unscheduled": 0, "amount": "0.00"},
        "deliveries": {"sent": 0, "failed": 0, "deferred": 0, "in_doubt": 0},
        "paper": {"bills": 0, "pages": 0, "file": None, "files": []},
        "seconds": {},
    }
    return figures if sheet is None else figures | _of_sheet(sheet)


def _of_sheet(sheet: RunSheet) -> dict[str, Any]:
    return {
        "utility": sheet.utility,
        "pages": sheet.pages,
        "bills": sheet.bills,
        "copies": {"read_back": sheet.copies_read_back, "audited": sheet.copies_audited},
        "checks": check_figures(sheet.checks),
        "totals": total_figures(sheet),
        "autopay": autopay_figures(sheet.autopay),
        "deliveries": {
            "sent": sheet.deliveries.sent,
            "failed": sheet.deliveries.failed,
            "deferred": sheet.deliveries.deferred + sheet.deliveries.queued,
            "in_doubt": sheet.deliveries.in_doubt,
        },
        "paper": {
            "bills": sheet.paper.bills,
            "pages": sheet.paper.pages,
            "file": sheet.paper.files[0] if sheet.paper.files else None,
            "files": list(sheet.paper.files),
        },
        "seconds": sheet.seconds,
    }
