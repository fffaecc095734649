"""The office's first page: where the month stands, what is red, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from office.health.health import look_at_books
from office.lookup.standing import read_standing
from web.office.layout import show_office
from web.visits import Visit


@dataclass(frozen=True, slots=True)
class OpenMatter:
    """Something that a person should look at, and where."""

    sentence: str
    path: str


def show_start(visit: Visit) -> Response:
    """
    Show where the month stands, as `billclose status` says it; every figure is of now.

    In red is what `billclose health` calls a trouble: a close forgotten, cash receipting that does
    not answer, a server that is down (rules 8, 186, 189).
    """
    standing = read_standing(visit.office)
    matters = [OpenMatter(one.sentence, _PATHS[one.what]) for one in standing.matters]
    return show_office(
        visit,
        "start.html",
        months=standing.months,
        matters=matters,
        coming=standing.coming,
        troubles=look_at_books(visit.office).troubles,
    )


_PATHS = {
    "scheduled-payments": "/office/payments",
    "pending-payments": "/office/payments/pending",
    "unknown-payments": "/office/payments/unknown",
    "bounces": "/office/emails/bounces?waits=yes",
    "outsorted": "/office/outsorted",
    "print-batches": "/office/print",
    "exceptions": "/office/exceptions",
}
