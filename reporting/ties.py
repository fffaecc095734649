"""The control totals of a close: what the billing system announced, and whether ours tie out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.money import Money
from reporting.run_sheet import TOTALS, RunSheet
from reporting.wording import Figure, like, say_figure, units

_TOTAL_NAMES = {
    "accounts": "Accounts",
    "bills": "Bills",
    "opening_balance": "Opening balance",
    "billed": "Billed",
    "payments": "Payments",
    "adjustments": "Adjustments",
    "penalties": "Penalties",
    "closing_balance": "Closing balance",
}


class Outcome(StrEnum):
    TIES = "ties"
    DIFFERS = "differs"
    OPEN = "open"  # cannot be told, or not yet


@dataclass(frozen=True, slots=True)
class ControlTotal:
    """One total: what the billing system announced, what we counted, and what that means."""

    name: str
    announced: Figure
    ours: Figure
    outcome: Outcome
    verdict: str


def list_control_totals(sheet: RunSheet) -> tuple[ControlTotal, ...]:
    """Compare the billing system's eight totals with ours, to the cent."""
    return tuple(_compare(name, sheet.control[name], sheet.totals[name]) for name in TOTALS)


def _compare(name: str, announced: Figure, ours: Figure) -> ControlTotal:
    off = units(ours) - units(announced)
    if units(ours) <= 0 and units(announced) <= 0:
        off = -off  # payments are negative: counting fewer of them is less, not more
    outcome = Outcome.DIFFERS if off else Outcome.TIES
    way = "more" if off > 0 else "less" if isinstance(ours, Money) else "fewer"
    size = say_figure(like(ours, abs(off)))
    verdict = f"does not tie out: ours is {size} {way}" if off else "ties out"
    return ControlTotal(_TOTAL_NAMES[name], announced, ours, outcome, verdict)
