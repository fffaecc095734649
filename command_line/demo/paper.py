"""What is the same on every bill of the demo city: logo, frames, headings and small print."""

from __future__ import annotations

import zlib
from array import array
from calendar import month_abbr
from datetime import date
from pathlib import Path
from typing import Final

from reportlab.pdfbase.pdfmetrics import (  # type: ignore[import-untyped, unused-ignore]
    stringWidth,
)

from command_line.demo.ledger import MONTHS_SHOWN
from command_line.demo.people import CITY, STATE

REGULAR: Final = "F1"
BOLD: Final = "F2"
OBLIQUE: Final = "F3"
FONTS: Final = ((REGULAR, "Helvetica"), (BOLD, "Helvetica-Bold"), (OBLIQUE, "Helvetica-Oblique"))
_FACES: Final = dict(FONTS)

INK: Final = "0.13 0.16 0.19"
GRAY: Final = "0.40 0.45 0.49"
HAIRLINE: Final = "0.80 0.84 0.86"
TINT: Final = "0.945 0.965 0.970"
LAKE: Final = "0.06 0.28 0.37"
ALDER: Final = "0.16 0.52 0.51"
FOAM: Final = "0.62 0.80 0.80"
WHITE: Final = "1 1 1"

_ESCAPES: Final = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)"})


class Sheet:
    """One page or form in the making: a list of PDF operators."""

    def __init__(self) -> None:
        self._strokes: list[str] = []
        self._color = ""

    def content(self) -> bytes:
        """Return the operators; what Windows Latin 1 cannot write becomes a question mark."""
        return "\n".join(self._strokes).encode("cp1252", errors="replace")

    def text(
        self, x: float, y: float, words: str, size: float, font: str = REGULAR, color: str = INK
    ) -> None:
        self._fill(color)
        shown = words.translate(_ESCAPES)
        self._strokes.append(f"BT /{font} {size:g} Tf {x:.2f} {y:.2f} Td ({shown}) Tj ET")

    def text_right(
        self, x: float, y: float, words: str, size: float, font: str = REGULAR, color: str = INK
    ) -> None:
        """Write so that the words end at x, as amounts of money stand in their column."""
        self.text(x - width_of(words, size, font), y, words, size, font, color)

    def text_centered(self, x: float, y: float, words: str, size: float, font: str) -> None:
        self.text(x - width_of(words, size, font) / 2, y, words, size, font)

    def box(self, x: float, y: float, width: float, height: float, color: str) -> None:
        self.boxes([(x, y, width, height)], color)

    def boxes(self, rectangles: list[tuple[float, float, float, float]], color: str) -> None:
        """Fill rectangles of one color (left, bottom, width, height) in one stroke."""
        self._fill(color)
        self._strokes += [f"{x:g} {y:g} {width:g} {high:g} re" for x, y, width, high in rectangles]
        self._strokes.append("f")

    def rule(self, x: float, y: float, to_x: float, color: str = HAIRLINE) -> None:
        self._strokes.append(f"{color} RG 0.6 w {x:g} {y:g} m {to_x:g} {y:g} l S")

    def dashes(self, y: float) -> None:
        """Draw a perforation line across the sheet."""
        self._strokes.append(f"{GRAY} RG 0.7 w [4 3] 0 d 0 {y:g} m 612 {y:g} l S [] 0 d")

    def path(self, operators: str, color: str) -> None:
        """Fill a shape given by PDF path operators."""
        self._fill(color)
        self._strokes.append(f"{operators} f")

    def scaled(self, x: float, y: float, factor: float, form: str) -> None:
        """Place a stored form with its origin at x, y."""
        self._strokes.append(f"q {factor:g} 0 0 {factor:g} {x:g} {y:g} cm /{form} Do Q")

    def places(self, form: str) -> bool:
        return any(stroke.endswith(f"/{form} Do Q") for stroke in self._strokes)

    def _fill(self, color: str) -> None:
        if color != self._color:
            self._strokes.append(f"{color} rg")
            self._color = color


def width_of(words: str, size: float, font: str) -> float:
    """Return how wide words are, in points."""
    return float(stringWidth(words, _FACES[font], size))


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
        LAKE,
    )
    sheet.path("5 38 m 20 62 30 72 42 72 c 42 30 l 6 30 l h", ALDER)
    sheet.path("95 38 m 86 74 72 84 58 72 c 58 30 l 94 30 l h", ALDER)
    sheet.path("43.5 72 m 48 75 52 75 56.5 72 c 56.5 34 l 43.5 34 l h", WHITE)
    sheet.boxes([(47, 38, 1.4, 30), (51.6, 34, 1.4, 28)], FOAM)
    for base, color in ((25, WHITE), (14, FOAM)):
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
    sheet.box(MIDDLE, 604, RIGHT - MIDDLE, 76, TINT)
    sheet.box(MIDDLE, 560, RIGHT - MIDDLE, 44, LAKE)
    _draw_charges_frame(sheet)
    _draw_summary_frame(sheet, ends_on)
    _draw_stub(sheet)
    return sheet


def draw_head(sheet: Sheet, title: str) -> None:
    """Draw the city's name, its logo and what kind of page this is."""
    sheet.scaled(LEFT, 708, 0.5, "Logo")
    sheet.text(98, 741, OFFICE[0], 17, BOLD, LAKE)
    sheet.text(98, 727, "Water  ·  Sewer  ·  Garbage  ·  Stormwater", 8.5, color=ALDER)
    sheet.text(98, 713, f"200 Mill Race Way, {OFFICE[3]}  ·  {CONTACT}", 7.5, color=GRAY)
    sheet.text_right(RIGHT, 741, title, 17, color=LAKE)
    sheet.box(LEFT, 697, RIGHT - LEFT, 2, ALDER)


def section(sheet: Sheet, x: float, y: float, title: str, to_x: float) -> None:
    """Write a heading with its rule below."""
    sheet.text(x, y, title, 10.5, BOLD, LAKE)
    sheet.rule(x, y - 5, to_x, ALDER)


def _draw_charges_frame(sheet: Sheet) -> None:
    section(sheet, LEFT, 536, "New charges", RIGHT)
    for x, heading in ((LEFT + 6, "Service"), (150, "Description")):
        sheet.text(x, 519, heading, 7.5, color=GRAY)
    for x, heading in ((USAGE_COLUMN, "Usage"), (RIGHT - 6, "Amount")):
        sheet.text_right(x, 519, heading, 7.5, color=GRAY)
    striped = [(LEFT, y - 5, RIGHT - LEFT, 17.0) for y in CHARGE_ROWS[::2]]
    sheet.boxes(striped, TINT)
    sheet.rule(LEFT, 445, RIGHT)
    sheet.text(LEFT + 6, 432, "Total new charges", 9.5, BOLD)


def _draw_summary_frame(sheet: Sheet, ends_on: date) -> None:
    section(sheet, LEFT, 406, "Account summary", 306)
    section(sheet, MIDDLE, 406, "Water use in thousand gallons", RIGHT)
    sheet.rule(MIDDLE, CHART_BASE, RIGHT)
    for place in range(MONTHS_SHOWN):
        month = (ends_on.month - MONTHS_SHOWN + place) % 12 + 1
        last = place == MONTHS_SHOWN - 1
        x = MIDDLE + place * CHART_STEP + 2.5
        face, color = (BOLD, LAKE) if last else (REGULAR, GRAY)
        sheet.text(x, CHART_BASE - 9, month_abbr[month], 6, face, color)


def _draw_stub(sheet: Sheet) -> None:
    sheet.text(LEFT, PERFORATION + 6, "Please keep the upper part for your records.", 7, OBLIQUE)
    ask = "Please return this part with your payment."
    sheet.text(LEFT, PERFORATION - 12, ask, 7, OBLIQUE)
    sheet.dashes(PERFORATION)
    sheet.scaled(LEFT, 163, 0.32, "Logo")
    sheet.text(76, 182, OFFICE[0], 11, BOLD, LAKE)
    sheet.text(76, 170, "Payment stub", 8.5, color=ALDER)
    for row, line in enumerate(OFFICE):
        sheet.text(63, 92 - 13 * row, line, 10)
    sheet.box(MIDDLE, 112, RIGHT - MIDDLE, 86, TINT)
    labels = ("Account No.", "Service at", "Pay by", "Pay this amount")
    for row, label in enumerate(labels):
        sheet.text(MIDDLE + 10, 182 - 19 * row, label, 8.5, color=GRAY)
    sheet.text(MIDDLE + 10, 88, "Amount enclosed", 8.5, BOLD)
    sheet.text(MIDDLE + 116, 88, "$", 11)
    sheet.rule(MIDDLE + 126, 86, RIGHT - 10, INK)
    sheet.text(MIDDLE + 10, 62, f"Checks payable to {OFFICE[0]}. Please write your", 7)
    sheet.text(MIDDLE + 10, 53, "account number on the check. Do not send cash.", 7)


PAGES_A_BRANCH = 500  # viewers walk the page tree: a flat one is slow to open at 200,000 pages
_LETTER = "/MediaBox [0 0 612 792]"


class BulkPdf:
    """
    A PDF that goes to its file as it is made; use it as a context.

    reportlab keeps every page until it saves, some gigabytes for a city of 200,000 bills. Here
    only the places of the objects are kept. The same pages always give the same bytes: there is
    no clock and no random identifier in the file.
    """

    def __init__(self, path: Path, title: str) -> None:
        self._file = path.open("wb")
        self._places = array("Q", [0])
        self._forms: dict[str, int] = {}
        self._branches: list[tuple[int, int]] = []
        self._leaves: list[int] = []
        self._position = 0
        self._write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
        self._catalog, self._root, self._shared = (self._reserve() for _ in range(3))
        self._about = self._add(f"<< /Title ({title}) >>".encode())
        self._fonts = "".join(f"/{name} {self._add(_font(face))} 0 R " for name, face in FONTS)
        self._branch = 0

    def __enter__(self) -> BulkPdf:
        return self

    def __exit__(self, *failure: object) -> None:
        with self._file:
            if failure[0] is None:
                self._finish()

    def add_form(self, name: str, sheet: Sheet) -> None:
        """Store a drawing once, for all the pages and later forms that place it by its name."""
        placed = [form for form in self._forms if sheet.places(form)]
        described = (
            "/Type /XObject /Subtype /Form /BBox [0 0 612 792] "
            f"/Resources {self._list_resources(placed)}"
        )
        self._forms[name] = self._add_stream(described, sheet)

    def add_page(self, sheet: Sheet) -> None:
        if not self._leaves:
            self._branch = self._reserve()
        content = self._add_stream("", sheet)
        page = (
            f"<< /Type /Page /Parent {self._branch} 0 R {_LETTER} "
            f"/Resources {self._shared} 0 R /Contents {content} 0 R >>"
        )
        self._leaves.append(self._add(page.encode()))
        if len(self._leaves) == PAGES_A_BRANCH:
            self._close_branch()

    def _finish(self) -> None:
        self._close_branch()
        self._put(self._shared, self._list_resources(list(self._forms)).encode())
        kids = " ".join(f"{number} 0 R" for number, _ in self._branches)
        count = sum(pages for _, pages in self._branches)
        self._put(self._root, f"<< /Type /Pages /Count {count} /Kids [{kids}] >>".encode())
        self._put(self._catalog, f"<< /Type /Catalog /Pages {self._root} 0 R >>".encode())
        self._write_places()

    def _list_resources(self, placed: list[str]) -> str:
        forms = "".join(f"/{name} {self._forms[name]} 0 R " for name in placed)
        return f"<< /Font << {self._fonts}>> /XObject << {forms}>> >>"

    def _close_branch(self) -> None:
        if not self._leaves:
            return
        kids = " ".join(f"{number} 0 R" for number in self._leaves)
        branch = f"/Parent {self._root} 0 R /Count {len(self._leaves)} /Kids [{kids}]"
        self._put(self._branch, f"<< /Type /Pages {branch} >>".encode())
        self._branches.append((self._branch, len(self._leaves)))
        self._leaves = []

    def _write_places(self) -> None:
        start, size = self._position, len(self._places)
        self._write(f"xref\n0 {size}\n0000000000 65535 f \n".encode())
        self._write("".join(f"{place:010d} 00000 n \n" for place in self._places[1:]).encode())
        trailer = f"<< /Size {size} /Root {self._catalog} 0 R /Info {self._about} 0 R >>"
        self._write(f"trailer\n{trailer}\nstartxref\n{start}\n%%EOF\n".encode())

    def _add_stream(self, described: str, sheet: Sheet) -> int:
        content = zlib.compress(sheet.content())
        head = f"<< {described} /Filter /FlateDecode /Length {len(content)} >>"
        return self._add(head.encode() + b"\nstream\n" + content + b"\nendstream")

    def _add(self, body: bytes) -> int:
        number = self._reserve()
        self._put(number, body)
        return number

    def _reserve(self) -> int:
        self._places.append(0)
        return len(self._places) - 1

    def _put(self, number: int, body: bytes) -> None:
        self._places[number] = self._position
        self._write(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def _write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._position += len(chunk)


def _font(face: str) -> bytes:
    described = f"<< /Type /Font /Subtype /Type1 /BaseFont /{face} /Encoding /WinAnsiEncoding >>"
    return described.encode()
