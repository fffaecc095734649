"""The second page that some bills of the demo city have: a year of water, and the rates."""

from __future__ import annotations

from calendar import month_abbr, monthrange
from datetime import date
from typing import Final

from command_line import demo_sheet as ink
from command_line.demo_ledger import MONTHS_SHOWN
from command_line.demo_letterhead import LEFT, MIDDLE, RIGHT, draw_head, section
from command_line.demo_sheet import Sheet

_TOP: Final = 634.0
_ROW: Final = 17.0
_WORDS: Final = (
    (
        "What the rates are",
        "Water: $24.65 a month and $3.12 for each of the first",
        "5 thousand gallons, $4.29 for the next 10, then $5.63.",
        "Sewer: $21.85 a month and $3.87 a thousand gallons;",
        "homes pay for 12 thousand gallons at the most.",
        "Garbage: $18.95 a month, each further cart $11.20.",
        "Stormwater: $7.15 a unit of 3,000 square feet.",
    ),
    (
        "How to pay",
        "By mail with the stub, in the drop box at City Hall,",
        "by phone, or in the customer portal. Autopay draws your",
        "bill as many days before its due date as you choose.",
    ),
    (
        "When it is late",
        "A penalty of 5%, at least $10.00, is added on the day",
        "after the due date. Call us before that: we can arrange",
        "for a payment plan or a level monthly amount.",
    ),
)
_LETTER: Final = (
    "Winter is coming to Alder Falls",
    "Frozen pipes are the dearest water of the year. Before the first hard frost, please unhook",
    "garden hoses, drain sprinkler lines, and wrap the pipes in crawl spaces and garages. Know",
    "where your main valve is: closing it in the first minutes saves a floor.",
    "",
    "If your water stops on a cold morning, call us at (970) 555-0100 at any hour. Our crew tells",
    "you whether it is your line or ours, and thaws the meter free of charge.",
    "",
    "Leaves go to the curb in paper bags on the first two Mondays in November.",
)


def draw_back() -> Sheet:
    """Draw the second page's unchanging part."""
    sheet = Sheet()
    draw_head(sheet, "Your Water Use")
    section(sheet, LEFT, 668, "The last 13 months", 306)
    for x, heading in ((210.0, "Thousand gallons"), (300.0, "Gallons a day")):
        sheet.text_right(x, 652, heading, 7.5, color=ink.GRAY)
    striped = [(LEFT, _TOP - 5 - _ROW * row, 270.0, _ROW) for row in range(0, MONTHS_SHOWN, 2)]
    sheet.boxes(striped, ink.TINT)
    _draw_letter(sheet)
    y = 668.0
    for title, *lines in _WORDS:
        section(sheet, MIDDLE, y, title, RIGHT)
        for row, line in enumerate(lines, start=1):
            sheet.text(MIDDLE, y - 5 - 14 * row, line, 9)
        y -= 14 * len(lines) + 36
    return sheet


def _draw_letter(sheet: Sheet) -> None:
    sheet.box(LEFT, 192, RIGHT - LEFT, 178, ink.TINT)
    sheet.box(LEFT, 192, 3, 178, ink.ALDER)
    sheet.text(LEFT + 18, 344, _LETTER[0], 13, ink.BOLD, ink.LAKE)
    for row, line in enumerate(_LETTER[1:]):
        sheet.text(LEFT + 18, 320 - 15.5 * row, line, 10.5)


def fill_back(usage: tuple[int, ...], ends_on: date, account: str) -> Sheet:
    """Fill in a second page; without an account it names none, as many real ones do."""
    sheet = Sheet()
    sheet.scaled(0, 0, 1, "Back")
    sheet.text_right(RIGHT, 727, "Page 2 of 2", 8.5, color=ink.GRAY)
    for row, gallons in enumerate(reversed(usage)):
        y = _TOP - _ROW * row
        year, month = divmod(ends_on.year * 12 + ends_on.month - 1 - row, 12)
        daily = gallons * 1000 // monthrange(year, month + 1)[1]
        sheet.text(LEFT + 6, y, f"{month_abbr[month + 1]} {year}", 9.5)
        sheet.text_right(210, y, str(gallons), 9.5)
        sheet.text_right(300, y, f"{daily:,}", 9.5)
    if account:
        sheet.text(LEFT, 40, f"Account Number: {account}", 7, color=ink.GRAY)
    return sheet
