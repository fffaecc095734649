"""A sheet of letter paper and the strokes a bill is drawn with; points from the lower left."""

from __future__ import annotations

from typing import Final

from reportlab.pdfbase.pdfmetrics import (  # type: ignore[import-untyped, unused-ignore]
    stringWidth,
)

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
