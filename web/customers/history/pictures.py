"""A graph as a picture to keep: the same bars and words as on the page, as PNG (rule 178)."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from web.customers.history.graphs import FOOT, HEIGHT, LEFT, TOP, WIDTH, Graph

SCALE = 2  # so that it is sharp on paper
_HEAD, _INK, _SOFT = 64, "#18222c", "#4b5863"


def to_png(graph: Graph, title: str, words: tuple[str, str], color: str) -> bytes:
    """
    Return a graph as PNG; `words` are those for this year and for last, `color` is the theme's.

    Last year's bars have an outline alone: in print, or seen without colors, they stay apart.
    """
    from PIL import Image, ImageDraw  # it takes long to load

    picture = Image.new("RGB", (WIDTH * SCALE, (HEIGHT + _HEAD) * SCALE), "white")
    draw = ImageDraw.Draw(picture)
    draw.text(_at(8, 8), title, fill=_INK, font=_font(16))
    _legend(draw, words if graph.has_last_year else words[:1], color)
    base = HEIGHT - FOOT + _HEAD
    draw.line([_at(LEFT, base), _at(WIDTH, base)], fill=_SOFT, width=SCALE)
    draw.text(_at(LEFT - 6, _HEAD + TOP), graph.highest, fill=_SOFT, font=_font(11), anchor="rm")
    for bar in graph.bars:
        if bar.height > 0:
            top, bottom = bar.y + _HEAD, bar.y + _HEAD + bar.height
            box = [_at(bar.x, top), _at(bar.x + bar.width, bottom)]
            inside = "white" if bar.is_last_year else color
            draw.rectangle(box, fill=inside, outline=color, width=SCALE)
    for month in graph.months:
        where = _at(month.place, HEIGHT - 10 + _HEAD)
        draw.text(where, month.name, fill=_INK, font=_font(11), anchor="mm")
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    return content.getvalue()


def _legend(draw: Any, words: tuple[str, ...], color: str) -> None:
    x = float(LEFT)
    for number, word in enumerate(words):
        box = [_at(x, 40), _at(x + 12, 52)]
        draw.rectangle(box, fill="white" if number else color, outline=color, width=SCALE)
        draw.text(_at(x + 18, 46), word, fill=_INK, font=_font(11), anchor="lm")
        x += 18 + draw.textlength(word, font=_font(11)) / SCALE + 24


def _at(x: float, y: float) -> tuple[int, int]:
    return round(x * SCALE), round(y * SCALE)


@cache
def _font(size: int) -> Any:
    """Return a font that has the letters of our languages; reportlab brings it."""
    from pathlib import Path

    import reportlab
    from PIL import ImageFont

    found = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
    return ImageFont.truetype(str(found), size * SCALE)
