"""The bills of the demo city, printed one after the other into a bulk file."""

from __future__ import annotations

from calendar import month_abbr, monthrange
from datetime import date
from typing import Final

from command_line.demo import paper as ink
from command_line.demo.households import Household
from command_line.demo.ledger import MONTHS_SHOWN, LedgerLine
from command_line.demo.paper import (
    CHARGE_ROWS,
    CHART_BASE,
    CHART_HEIGHT,
    CHART_STEP,
    LEFT,
    MIDDLE,
    RIGHT,
    USAGE_COLUMN,
    BulkPdf,
    Sheet,
    draw_head,
    draw_logo,
    draw_paper,
    section,
)
from domain.accounts import AccountStatus
from domain.money import ZERO, Money
from domain.periods import Period

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


_USUAL = (
    ("Leaks:", "a running toilet can waste 6,000 gallons a month; a few drops of dye show it."),
    ("Winter:", "please unhook garden hoses and wrap outdoor pipes before the first hard frost."),
)


def notes_for(household: Household) -> list[tuple[str, str]]:
    """Return up to three notes, a headline and a sentence each, the most personal first."""
    notes = []
    if household.account.status is AccountStatus.FINAL:
        notes.append(("Final bill:", "for this address. Thank you for having been our customer."))
    if household.is_equal_pay:
        notes.append(("Equal Pay:", _equal_pay(household)))
    if household.autopay and household.autopay.status == "active":
        notes.append(("Autopay:", "enrolled. Thank you."))
    if household.amount_due <= ZERO:
        notes.append(("No payment is needed:", "your account is paid or in credit."))
    return [*notes, *_USUAL][:3]


def _equal_pay(household: Household) -> str:
    agreed, balance = household.amount_due.dollars(), household.ledger.closing.dollars()
    return f"your agreed monthly amount of {agreed} is due. Your account balance is {balance}."


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


def _usage(line: LedgerLine) -> str:
    many = line.usage != 1 and line.service in ("GARBAGE", "STORMWATER")
    return f"{line.usage}{_UNITS[line.service]}{'s' if many else ''}"


ACCOUNT: Final = r"Account Number:\s*([0-9.\-]+)"
AMOUNT_DUE: Final = r"Amount Due:\s*(\(?-?\$?[\d,]+\.\d\d\)?)"
DUE_DATE: Final = r"Due Date:\s*(\d{1,2}/\d{1,2}/\d{4})"
SEPARATOR: Final = "BATCH SEPARATOR"

_BATCH: Final = 100
_TWO_PAGES: Final = 0.10
_BACK_NAMES_ACCOUNT: Final = 0.05  # the other backs belong to the bill before them


class Biller:
    """Prints bills into a bulk file, with a separator page before each hundred."""

    def __init__(self, pdf: BulkPdf, period: Period) -> None:
        self._pdf = pdf
        self._period = period
        self._printed = 0
        pdf.add_form("Logo", draw_logo())
        pdf.add_form("Paper", draw_paper(period.ends_on))
        pdf.add_form("Back", draw_back())

    def print(self, household: Household, chance: float) -> None:
        """Print one bill; `chance` (0 to 1) decides on a second page and whose name it bears."""
        if self._printed % _BATCH == 0:
            self._pdf.add_page(_separator(self._printed // _BATCH + 1))
        pages = 2 if chance < _TWO_PAGES else 1
        self._pdf.add_page(fill_front(household, self._period, pages))
        if pages == 2:
            named = household.account.number if chance < _BACK_NAMES_ACCOUNT else ""
            self._pdf.add_page(fill_back(household.ledger.usage, self._period.ends_on, named))
        self._printed += 1


def _separator(batch: int) -> Sheet:
    sheet = Sheet()
    sheet.boxes([(0, 742, 612, 50), (0, 0, 612, 50)], ink.INK)
    sheet.text(150, 420, SEPARATOR, 32, ink.BOLD)
    sheet.text(150, 390, f"Batch {batch} - for the print shop, belongs to no bill", 12)
    return sheet
