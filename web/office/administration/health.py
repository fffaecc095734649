"""Whether all is well: everything that is watched, and what to do where it is not."""

from __future__ import annotations

from starlette.responses import Response

from office.health.conditions import State
from office.health.health import look_at_books
from web.office.layout import show_office
from web.office.pages import groups
from web.visits import Visit

STATE_WORDS = {
    State.TROUBLE: "Needs a person",
    State.UNKNOWN: "Not known",
    State.WELL: "Well",
    State.NOT_WATCHED: "Not watched",
}


def show_health(visit: Visit) -> Response:
    """
    Show what `billclose health` looks at, troubles first; no server is asked, nothing changed.

    Of servers it says what the last watch found.
    """
    found = look_at_books(visit.office)
    shown = [
        (words, [one for one in found.conditions if one.state is state])
        for state, words in STATE_WORDS.items()
    ]
    return show_office(
        visit,
        "health.html",
        group=groups()["settings"],
        shown=[(words, some) for words, some in shown if some],
        is_well=not found.troubles,
    )
