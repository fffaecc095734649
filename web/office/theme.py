"""How the portal looks, and whether another color could be read (rule 201)."""

from __future__ import annotations

from starlette.responses import Response

from domain.colors import LEAST, Color, Palette, nearest_readable
from web.office.layout import show_office
from web.office.pages import groups
from web.theme import theme_of
from web.visits import Visit


def show_theme(visit: Visit) -> Response:
    """Show what is set; a color to try is answered, and changes nothing."""
    asked = visit.request.query_params.get("color", "").strip()[:20]
    problems: dict[str, str] = {}
    tried: Palette | None = None
    if asked:
        try:
            tried = Palette(Color.parse(asked))
        except ValueError as fault:
            problems["color"] = f"{str(fault)[0].upper()}{str(fault)[1:]}."
    nearest = nearest_readable(tried.brand) if tried else None
    return show_office(
        visit,
        "theme.html",
        group=groups()["settings"],
        chosen=visit.office.settings.theme,
        brand=theme_of(visit.office).brand,
        asked=asked,
        tried=tried,
        nearest=nearest,
        least=LEAST,
        problems=problems,
    )
