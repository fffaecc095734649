"""Colors of the pages, and whether words in them can be read (WCAG 2.2, 1.4.3; ruling 23)."""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass

LEAST = 4.5  # contrast of text that is not large
_WRITTEN = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_STEPS = 1_000  # of lightness


@dataclass(frozen=True, slots=True)
class Color:
    """A color as screens have it: red, green and blue from 0 to 255."""

    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str) -> Color:
        """Read `#14506f`, `14506f` or `#fff`; raises ValueError for anything else."""
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no color: write six digits, as in #14506f")
        digits = found[1] if len(found[1]) == 6 else "".join(one * 2 for one in found[1])
        red, green, blue = (int(digits[place : place + 2], 16) for place in (0, 2, 4))
        return cls(red, green, blue)

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    def mixed(self, other: Color, share: float) -> Color:
        """Return this color with a share of another, from 0 to 1."""
        pairs = ((self.red, other.red), (self.green, other.green), (self.blue, other.blue))
        return Color(*(round(own + (others - own) * share) for own, others in pairs))

    @property
    def luminance(self) -> float:
        parts = [_linear(part / 255) for part in (self.red, self.green, self.blue)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


WHITE, BLACK = Color(255, 255, 255), Color(0, 0, 0)
GROUND = Color.parse("#f4f6f8")  # of the pages, below the cards


@dataclass(frozen=True, slots=True)
class Palette:
    """What the pages make of an office's one color."""

    brand: Color

    @property
    def dark(self) -> Color:
        return self.brand.mixed(BLACK, 0.28)

    @property
    def tint(self) -> Color:
        return self.brand.mixed(WHITE, 0.91)

    @property
    def lowest_contrast(self) -> float:
        """The lowest contrast that words have: white on the color, and the color as a link."""
        return min(contrast(self.brand, paper) for paper in (WHITE, GROUND, self.tint))

    @property
    def can_be_read(self) -> bool:
        return self.lowest_contrast >= LEAST


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colors, from 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((one.luminance, other.luminance), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def nearest_readable(color: Color) -> Color:
    """Return the color itself, or the same hue made just so dark that words can be read."""
    if Palette(color).can_be_read:
        return color
    hue, lightness, saturation = colorsys.rgb_to_hls(
        color.red / 255, color.green / 255, color.blue / 255
    )
    for step in range(int(lightness * _STEPS), -1, -1):
        parts = colorsys.hls_to_rgb(hue, step / _STEPS, saturation)
        darker = Color(*(round(part * 255) for part in parts))
        if Palette(darker).can_be_read:
            return darker
    return BLACK


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
