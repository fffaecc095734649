"""Parts of a run sheet in figures for programs; money is a decimal string."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from domain.money import Money

if TYPE_CHECKING:
    from domain.checks import CheckResult
    from reporting.run_sheet import AutopaySheet, RunSheet


def autopay_figures(autopay: AutopaySheet) -> dict[str, Any]:
    return {
        "scheduled": autopay.scheduled,
        "immediate": autopay.immediate,
        "unscheduled": autopay.unscheduled,
        "amount": str(autopay.amount),
    }


def check_figures(checks: Iterable[CheckResult]) -> list[dict[str, Any]]:
    return [
        {
            "check": result.check,
            "severity": result.severity.value,
            "status": result.status.value,
            "failed": result.failed,
        }
        for result in checks
    ]


def total_figures(sheet: RunSheet) -> dict[str, int | str]:
    return {
        name: str(total) if isinstance(total, Money) else total
        for name, total in sheet.totals.items()
    }
