"""The bills of the demo city, printed one after the other into a bulk file."""

from __future__ import annotations

from typing import Final

from command_line import demo_sheet as ink
from command_line.demo_bill_back import draw_back, fill_back
from command_line.demo_bill_front import fill_front
from command_line.demo_households import Household
from command_line.demo_letterhead import draw_logo, draw_paper
from command_line.demo_pdf import BulkPdf
from command_line.demo_sheet import Sheet
from domain.periods import Period

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
