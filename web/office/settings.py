"""The settings in force, to be looked at; of a secret only whether it is set."""

from __future__ import annotations

from starlette.responses import Response

from office.settings.settings import settings_in_force
from web.office.layout import show_office
from web.office.pages import groups
from web.visits import Visit


def show_settings(visit: Visit) -> Response:
    return show_office(
        visit,
        "settings.html",
        group=groups()["settings"],
        sections=settings_in_force(visit.office.settings),
    )
