"""How the portal looks, and whether another color could be read (rule 201)."""

from __future__ import annotations

from starlette.responses import Response

from domain.colors import LEAST, Color, Palette, nearest_readable
from domain.words import to_sentence
from office.procedures.administering.changing import fingerprint, setting_changes
from web.guarding import PICTURES, SETTING
from web.office.layout import show_office
from web.office.pages import groups
from web.office.permissions import Permission, may
from web.theme import theme_of
from web.visits import Visit

DONE = {
    "saved": "The picture shows on the pages from now on.",
    "removed": "The picture is not shown any more.",
    "undone": "The change is taken back.",
}


def show_theme(visit: Visit, refused: dict[str, str] | None = None) -> Response:
    """Show what is set, and who set it; a color to try is answered, and changes nothing."""
    asked = visit.request.query_params.get("color", "").strip()[:20]
    problems: dict[str, str] = dict(refused or {})
    tried: Palette | None = None
    if asked:
        try:
            tried = Palette(Color.parse(asked))
        except ValueError as fault:
            problems["color"] = to_sentence(str(fault))
    nearest = nearest_readable(tried.brand) if tried else None
    return show_office(
        visit,
        "theme.html",
        422 if refused else 200,
        group=groups()["settings"],
        chosen=visit.office.settings.theme,
        brand=theme_of(visit.office).brand,
        asked=asked,
        tried=tried,
        nearest=nearest,
        least=LEAST,
        past=[one for one in setting_changes(visit.office) if one.name.startswith("theme.")],
        may_change=may(visit.user.role, Permission.PORTAL_SETTINGS),
        was=fingerprint(visit.office.home, {"theme"}),
        message=DONE.get(visit.request.query_params.get("done", ""), ""),
        color_link=f"{SETTING}?section=theme",
        picture_path=PICTURES,
        problems=problems,
    )
