"""An invented city's billing export, complete and always the same."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

from command_line.demo_bill import ACCOUNT, AMOUNT_DUE, DUE_DATE, SEPARATOR, Biller
from command_line.demo_households import Household, draw_households
from command_line.demo_pdf import BulkPdf
from command_line.demo_people import CITY
from command_line.demo_tables import Tables
from domain.money import ZERO, Money
from domain.periods import ControlTotals, Period

SEED: Final = 1037
TIMEZONE: Final = "America/Denver"
_DUE_DAY: Final = 20
_SHUFFLED_AT_ONCE: Final = 2000  # bills in memory, however big the city

Progress = Callable[[int, int], None]


def write_demo_city(
    folder: Path,
    *,
    accounts: int = 500,
    period: str = "2026-10",
    seed: int = SEED,
    progress: Progress | None = None,
) -> Path:
    """
    Write the billing export of an invented city of so many accounts, and return its folder.

    It ties out to the cent and passes every blocking check; what clerks meet every month (bad
    addresses, credits, leaks, mandates that cannot be drawn) is planted at fixed places. The same
    arguments give the same bytes. Memory stays flat, so that it also serves to measure big cities.
    Raises ValueError when the period is not written as `2026-10`.
    """
    dates = to_period(period)
    folder.mkdir(parents=True, exist_ok=True)
    count, waiting = _Count(), list[Household]()
    pages = Random(f"{seed}/pages")  # noqa: S311  no secrets here
    with Tables(folder) as tables, BulkPdf(folder / "bills.pdf", f"Bills {period}") as pdf:
        biller = Biller(pdf, dates)
        for number, household in enumerate(draw_households(seed, accounts, dates)):
            tables.add(household, number)
            count.add(household)
            waiting += [household] if household.is_billed else []
            if len(waiting) == _SHUFFLED_AT_ONCE:
                _print_shuffled(biller, waiting, pages)
            if progress:
                progress(number + 1, accounts)
        _print_shuffled(biller, waiting, pages)
    described = _describe(dates, count.totals())
    (folder / "bundle.toml").write_text(described, encoding="utf-8", newline="\n")
    return folder


def to_period(period: str) -> Period:
    """Return a month and its due date, the 20th of the month after it."""
    starts_on = date.fromisoformat(f"{period}-01")
    ends_on = starts_on.replace(day=monthrange(starts_on.year, starts_on.month)[1])
    year, month = ends_on.year + ends_on.month // 12, ends_on.month % 12 + 1
    return Period(period, starts_on, ends_on, date(year, month, _DUE_DAY))


def _print_shuffled(biller: Biller, waiting: list[Household], pages: Random) -> None:
    """Print bills in another order than the tables': a printer goes by postal route."""
    pages.shuffle(waiting)
    for household in waiting:
        biller.print(household, pages.random())
    waiting.clear()


@dataclass
class _Count:
    """The control totals as they add up."""

    accounts: int = 0
    bills: int = 0
    opening: Money = ZERO
    closing: Money = ZERO
    by_type: dict[str, Money] = field(default_factory=dict)

    def add(self, household: Household) -> None:
        self.accounts += 1
        self.bills += household.is_billed
        self.opening += household.ledger.opening
        self.closing += household.ledger.closing
        for line in household.ledger.lines:
            self.by_type[line.type] = self.by_type.get(line.type, ZERO) + line.amount

    def totals(self) -> ControlTotals:
        return ControlTotals(
            accounts=self.accounts,
            bills=self.bills,
            opening_balance=self.opening,
            billed=self.by_type.get("billing", ZERO),
            payments=self.by_type.get("payment", ZERO),
            adjustments=self.by_type.get("adjustment", ZERO),
            penalties=self.by_type.get("penalty", ZERO),
            closing_balance=self.closing,
        )


def _describe(period: Period, totals: ControlTotals) -> str:
    return f"""\
[utility]
name = "City of {CITY}"
timezone = "{TIMEZONE}"

[period]
id = "{period.id}"
start = {period.starts_on}
end = {period.ends_on}
due_date = {period.due_on}

[control_totals]
accounts = {totals.accounts}
bills = {totals.bills}
opening_balance = "{totals.opening_balance}"
billed = "{totals.billed}"
payments = "{totals.payments}"
adjustments = "{totals.adjustments}"
penalties = "{totals.penalties}"
closing_balance = "{totals.closing_balance}"

[[documents]]
form = "utility-bill"
file = "bills.pdf"
account = '{ACCOUNT}'
amount_due = '{AMOUNT_DUE}'
due_date = '{DUE_DATE}'
separator = "{SEPARATOR}"
"""
