"""What is the same on every bill of the demo city: logo, frames, headings and small print."""

from __future__ import annotations

from calendar import month_abbr
from datetime import date
from typing import Final

from command_line import demo_sheet as ink
from command_line.demo_ledger import MONTHS_SHOWN
from command_line.demo_people import CITY, STATE
from command_line.demo_sheet import Sheet

LEFT: Final = 36.0
RIGHT: Final = 576.0
MIDDLE: Final = 342.0  # where the right column begins
CHARGE_ROWS: Final = (504.0, 487.0, 470.0, 453.0)
CHART_BASE: Final = 322.0
CHART_HEIGHT: Final = 68.0
CHART_STEP: Final = (RIGHT - MIDDLE) / MONTHS_SHOWN
PERFORATION: Final = 222.0
USAGE_COLUMN: Final = 440.0
OFFICE: Final = (f"City of {CITY}", "Utility Billing", "PO Box 4180", f"{CITY}, {STATE} 81790")
CONTACT: Final = "(970) 555-0100  ·  utility.billing@example.org"


def draw_logo() -> Sheet:
    """Draw a waterfall between two slopes in a round badge of 100 by 100 points."""
    sheet = Sheet()
    sheet.path(
        "0 50 m 0 77.6 22.4 100 50 100 c 77.6 100 100 77.6 100 50 c "
        "100 22.4 77.6 0 50 0 c 22.4 0 0 22.4 0 50 c h",
        ink.LAKE,
    )
    sheet.path("5 38 m 20 62 30 72 42 72 c 42 30 l 6 30 l h", ink.ALDER)
    sheet.path("95 38 m 86 74 72 84 58 72 c 58 30 l 94 30 l h", ink.ALDER)
    sheet.path("43.5 72 m 48 75 52 75 56.5 72 c 56.5 34 l 43.5 34 l h", ink.WHITE)
    sheet.boxes([(47, 38, 1.4, 30), (51.6, 34, 1.4, 28)], ink.FOAM)
    for base, color in ((25, ink.WHITE), (14, ink.FOAM)):
        inset = 10 if base == 25 else 18
        start, end = inset, 100 - inset
        sheet.path(
            f"{start} {base} m {start + 22} {base + 11} {end - 30} {base - 9} {end} {base + 2} c "
            f"{end - 30} {base - 3} {start + 22} {base + 17} {start} {base} c h",
            color,
        )
    return sheet


def draw_paper(ends_on: date) -> Sheet:
    """Draw a bill's front as it comes out of the print shop, before anything is filled in."""
    sheet = Sheet()
    draw_head(sheet, "Utility Bill")
    sheet.box(MIDDLE, 604, RIGHT - MIDDLE, 76, ink.TINT)
    sheet.box(MIDDLE, 560, RIGHT - MIDDLE, 44, ink.LAKE)
    _draw_charges_frame(sheet)
    _draw_summary_frame(sheet, ends_on)
    _draw_stub(sheet)
    return sheet


def draw_head(sheet: Sheet, title: str) -> None:
    """Draw the city's name, its logo and what kind of page this is."""
    sheet.scaled(LEFT, 708, 0.5, "Logo")
    sheet.text(98, 741, OFFICE[0], 17, ink.BOLD, ink.LAKE)
    sheet.text(98, 727, "Water  ·  Sewer  ·  Garbage  ·  Stormwater", 8.5, color=ink.ALDER)
    sheet.text(98, 713, f"200 Mill Race Way, {OFFICE[3]}  ·  {CONTACT}", 7.5, color=ink.GRAY)
    sheet.text_right(RIGHT, 741, title, 17, color=ink.LAKE)
    sheet.box(LEFT, 697, RIGHT - LEFT, 2, ink.ALDER)


def section(sheet: Sheet, x: float, y: float, title: str, to_x: float) -> None:
    """Write a heading with its rule below."""
    sheet.text(x, y, title, 10.5, ink.BOLD, ink.LAKE)
    sheet.rule(x, y - 5, to_x, ink.ALDER)


def _draw_charges_frame(sheet: Sheet) -> None:
    section(sheet, LEFT, 536, "New charges", RIGHT)
    for x, heading in ((LEFT + 6, "Service"), (150, "Description")):
        sheet.text(x, 519, heading, 7.5, color=ink.GRAY)
    for x, heading in ((USAGE_COLUMN, "Usage"), (RIGHT - 6, "Amount")):
        sheet.text_right(x, 519, heading, 7.5, color=ink.GRAY)
    striped = [(LEFT, y - 5, RIGHT - LEFT, 17.0) for y in CHARGE_ROWS[::2]]
    sheet.boxes(striped, ink.TINT)
    sheet.rule(LEFT, 445, RIGHT)
    sheet.text(LEFT + 6, 432, "Total new charges", 9.5, ink.BOLD)


def _draw_summary_frame(sheet: Sheet, ends_on: date) -> None:
    section(sheet, LEFT, 406, "Account summary", 306)
    section(sheet, MIDDLE, 406, "Water use in thousand gallons", RIGHT)
    sheet.rule(MIDDLE, CHART_BASE, RIGHT)
    for place in range(MONTHS_SHOWN):
        month = (ends_on.month - MONTHS_SHOWN + place) % 12 + 1
        last = place == MONTHS_SHOWN - 1
        x = MIDDLE + place * CHART_STEP + 2.5
        face, color = (ink.BOLD, ink.LAKE) if last else (ink.REGULAR, ink.GRAY)
        sheet.text(x, CHART_BASE - 9, month_abbr[month], 6, face, color)


def _draw_stub(sheet: Sheet) -> None:
    sheet.text(
        LEFT, PERFORATION + 6, "Please keep the upper part for your records.", 7, ink.OBLIQUE
    )
    ask = "Please return this part with your payment."
    sheet.text(LEFT, PERFORATION - 12, ask, 7, ink.OBLIQUE)
    sheet.dashes(PERFORATION)
    sheet.scaled(LEFT, 163, 0.32, "Logo")
    sheet.text(76, 182, OFFICE[0], 11, ink.BOLD, ink.LAKE)
    sheet.text(76, 170, "Payment stub", 8.5, color=ink.ALDER)
    for row, line in enumerate(OFFICE):
        sheet.text(63, 92 - 13 * row, line, 10)
    sheet.box(MIDDLE, 112, RIGHT - MIDDLE, 86, ink.TINT)
    labels = ("Account No.", "Service at", "Pay by", "Pay this amount")
    for row, label in enumerate(labels):
        sheet.text(MIDDLE + 10, 182 - 19 * row, label, 8.5, color=ink.GRAY)
    sheet.text(MIDDLE + 10, 88, "Amount enclosed", 8.5, ink.BOLD)
    sheet.text(MIDDLE + 116, 88, "$", 11)
    sheet.rule(MIDDLE + 126, 86, RIGHT - 10, ink.INK)
    sheet.text(MIDDLE + 10, 62, f"Checks payable to {OFFICE[0]}. Please write your", 7)
    sheet.text(MIDDLE + 10, 53, "account number on the check. Do not send cash.", 7)
