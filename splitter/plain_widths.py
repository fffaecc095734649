"""How wide the signs of the fonts are that every reader of PDFs has, in thousandths of an em."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

# From code 32 to 126, as in Adobe's metrics of the standard fonts.
_HELVETICA = """
    278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556
    556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778
    667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556
    556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"""
_HELVETICA_BOLD = """
    278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556
    556 556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778
    667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611
    611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584"""
_TIMES = """
    250 333 408 500 500 833 778 180 333 333 500 564 250 333 250 278 500 500 500 500 500 500 500 500
    500 500 278 278 564 564 564 444 921 722 667 667 722 611 556 722 722 333 389 722 611 889 722 722
    556 722 667 556 611 722 722 944 722 722 611 333 278 333 469 500 333 444 500 444 500 444 333 500
    500 278 278 500 278 778 500 500 500 500 333 389 278 500 500 722 500 500 444 480 200 480 541"""
_TIMES_BOLD = """
    250 333 555 500 500 1000 833 278 333 333 500 570 250 333 250 278 500 500 500 500 500 500 500 500
    500 500 333 333 570 570 570 500 930 722 667 722 722 667 611 778 778 389 500 778 667 944 722 778
    611 778 722 556 667 722 722 1000 722 722 667 333 278 333 581 500 333 500 556 444 556 444 333 500
    556 278 333 556 278 833 556 500 556 556 444 389 333 556 500 722 500 500 444 394 220 394 520"""


def _counted(widths: str) -> dict[int, float]:
    found = {code: float(width) for code, width in enumerate(widths.split(), 32)}
    for code in range(0xC0, 0x100):  # with an accent a letter is as wide as without
        letter = unicodedata.normalize("NFD", chr(code))[0]
        if letter.isascii() and letter != "i":
            found[code] = found[ord(letter)]
    return found


_FIXED = _counted(" ".join(["600"] * 95))
_SANS, _SANS_BOLD = _counted(_HELVETICA), _counted(_HELVETICA_BOLD)
STANDARD_WIDTHS: Mapping[str, Mapping[int, float]] = {
    "Courier": _FIXED,
    "Courier-Bold": _FIXED,
    "Courier-Oblique": _FIXED,
    "Courier-BoldOblique": _FIXED,
    "Helvetica": _SANS,
    "Helvetica-Oblique": _SANS,
    "Helvetica-Bold": _SANS_BOLD,
    "Helvetica-BoldOblique": _SANS_BOLD,
    "Times-Roman": _counted(_TIMES),
    "Times-Bold": _counted(_TIMES_BOLD),
}
