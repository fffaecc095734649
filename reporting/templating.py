"""The templates of the report and the words they may use."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from domain.words import say_count
from reporting.charts import draw_swatch
from reporting.wording import (
    capitalize,
    say_day,
    say_days,
    say_figure,
    say_moment,
    say_reasons,
    say_seconds,
    without_addresses,
)

_TEMPLATES = Path(__file__).parent / "templates"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the templates: all text is escaped, a variable that does not exist is an error."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "capitalized": capitalize,
        "css_string": _css_string,
        "day": say_day,
        "figure": say_figure,
        "moment": say_moment,
        "reasons": say_reasons,
        "took": say_seconds,
        "swatch": draw_swatch,
        "without_addresses": without_addresses,
    }
    made.filters.update(filters)
    made.globals.update(say_count=say_count, say_days=say_days)
    return made


def _css_string(text: str) -> str:
    """Write a text so that it cannot leave a CSS string or its style element."""
    short = text if len(text) <= 60 else f"{text[:59]}…"
    return "".join(
        char if char.isascii() and char.isalnum() else f"\\{_code_point(char):06x}"
        for char in short
    )


def _code_point(char: str) -> int:
    """Return what CSS may name: a zero or half a surrogate pair is no character there."""
    point = ord(char)
    return 0xFFFD if point == 0 or 0xD800 <= point <= 0xDFFF else point
