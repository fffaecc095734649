"""The front of a bill of the demo city, as its office would mail it."""

from __future__ import annotations

from typing import Final

from command_line import demo_sheet as ink
from command_line.demo_households import Household
from command_line.demo_letterhead import (
    CHARGE_ROWS,
    CHART_BASE,
    CHART_HEIGHT,
    CHART_STEP,
    LEFT,
    MIDDLE,
    RIGHT,
    USAGE_COLUMN,
)
from command_line.demo_notes import notes_for
from command_line.demo_rates import Line
from command_line.demo_sheet import Sheet
from domain.money import ZERO, Money
from domain.periods import Period

DATE: Final = "%m/%d/%Y"
_UNITS: Final = {"WATER": " kgal", "SEWER": " kgal", "GARBAGE": " cart", "STORMWATER": " unit"}


def fill_front(household: Household, period: Period, pages: int) -> Sheet:
    """Fill in the paper with one household's month."""
    sheet = Sheet()
    sheet.scaled(0, 0, 1, "Paper")
    sheet.text_right(RIGHT, 727, f"Page 1 of {pages}", 8.5, color=ink.GRAY)
    _write_head(sheet, household, period)
    _write_amount_due(sheet, household, period)
    _write_charges(sheet, household)
    _write_summary(sheet, household)
    _draw_chart(sheet, household.ledger.usage)
    _write_notes(sheet, household)
    _write_stub(sheet, household, period)
    return sheet


def _write_head(sheet: Sheet, household: Household, period: Period) -> None:
    account = household.account
    place = f"{account.city}, {account.state} {account.zip}"
    for row, line in enumerate((household.resident.addressee, account.mailing_address, place)):
        sheet.text(63, 640 - 14 * row, line, 10.5)
    covered = f"{period.starts_on.strftime(DATE)} - {period.ends_on.strftime(DATE)}"
    labeled = (
        ("Account Number:", account.number),
        ("Service Address:", account.service_address),
        ("Billing Period:", covered),
        ("Bill Date:", period.ends_on.strftime(DATE)),
    )
    for row, (label, value) in enumerate(labeled):
        sheet.text(MIDDLE + 10, 664 - 16 * row, label, 9, color=ink.GRAY)
        sheet.text(MIDDLE + 94, 664 - 16 * row, value, 9, ink.BOLD)


def _write_amount_due(sheet: Sheet, household: Household, period: Period) -> None:
    sheet.text(MIDDLE + 10, 584, "Amount Due:", 12, ink.BOLD, ink.WHITE)
    sheet.text_right(RIGHT - 10, 583, household.amount_due.dollars(), 17, ink.BOLD, ink.WHITE)
    sheet.text(MIDDLE + 10, 568, "Due Date:", 9, color=ink.WHITE)
    due_on = period.due_on.strftime(DATE)
    sheet.text_right(RIGHT - 10, 568, due_on, 9, ink.BOLD, ink.WHITE)


def _write_charges(sheet: Sheet, household: Household) -> None:
    billed = [line for line in household.ledger.lines if line.type == "billing"]
    for y, line in zip(CHARGE_ROWS, billed, strict=False):
        sheet.text(LEFT + 6, y, line.service.capitalize(), 9.5, ink.BOLD)
        sheet.text(150, y, line.description, 9.5)
        sheet.text_right(USAGE_COLUMN, y, _usage(line), 9.5)
        sheet.text_right(RIGHT - 6, y, line.amount.dollars(), 9.5)
    total = household.ledger.sum_of("billing").dollars()
    sheet.text_right(RIGHT - 6, 432, total, 9.5, ink.BOLD)


def _write_summary(sheet: Sheet, household: Household) -> None:
    ledger = household.ledger
    rows: tuple[tuple[str, Money], ...] = (
        ("Previous balance", ledger.opening),
        ("Payments received", ledger.sum_of("payment")),
        ("Adjustments", ledger.sum_of("adjustment")),
        ("Penalties", ledger.sum_of("penalty")),
        ("New charges", ledger.sum_of("billing")),
    )
    for row, (label, amount) in enumerate(rows):
        sheet.text(LEFT + 6, 386 - 15 * row, label, 9.5)
        sheet.text_right(300, 386 - 15 * row, amount.dollars(), 9.5)
    sheet.rule(LEFT, 318, 306)
    sheet.text(LEFT + 6, 305, "Account balance", 9.5, ink.BOLD)
    sheet.text_right(300, 305, ledger.closing.dollars(), 9.5, ink.BOLD)


def _draw_chart(sheet: Sheet, usage: tuple[int, ...]) -> None:
    """Draw 13 months of water; the last one stands out and bears its value, as does a year ago."""
    scale = CHART_HEIGHT / max(*usage, 1)
    bars = [
        (round(MIDDLE + place * CHART_STEP + 2, 1), CHART_BASE, 14.0, round(month * scale, 1))
        for place, month in enumerate(usage)
    ]
    sheet.boxes(bars[:-1], ink.FOAM)
    sheet.boxes(bars[-1:], ink.LAKE)
    for place in (0, -1):
        left, base, width, height = bars[place]
        sheet.text_centered(left + width / 2, base + height + 2, str(usage[place]), 6.5, ink.BOLD)


def _write_notes(sheet: Sheet, household: Household) -> None:
    notes = notes_for(household)
    height = 14 * len(notes) + 8
    sheet.box(LEFT, 290 - height, 2.5, height, ink.ALDER)
    for row, (headline, words) in enumerate(notes):
        y = 277 - 14 * row
        sheet.text(LEFT + 10, y, headline, 8.5, ink.BOLD, ink.LAKE)
        sheet.text(LEFT + 14 + ink.width_of(headline, 8.5, ink.BOLD), y, words, 8.5)


def _write_stub(sheet: Sheet, household: Household, period: Period) -> None:
    account = household.account
    written = (account.number, account.service_address, period.due_on.strftime(DATE))
    for row, value in enumerate(written):
        sheet.text_right(RIGHT - 10, 182 - 19 * row, value, 9.5)
    asked = max(household.amount_due, ZERO).dollars()
    sheet.text_right(RIGHT - 10, 124, asked, 13, ink.BOLD, ink.LAKE)


def _usage(line: Line) -> str:
    many = line.usage != 1 and line.service in ("GARBAGE", "STORMWATER")
    return f"{line.usage}{_UNITS[line.service]}{'s' if many else ''}"
