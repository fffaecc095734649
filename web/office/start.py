"""The office's first page: where the month stands, what is red, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from office.lookup.standing import read_matters, read_months
from web.office.layout import show_office
from web.visits import Visit


@dataclass(frozen=True, slots=True)
class OpenMatter:
    """Something that a person should look at, and where."""

    sentence: str
    path: str


def show_start(visit: Visit) -> Response:
    """Show where the month stands, as `billclose status` says it; every figure is of now."""
    matters = [OpenMatter(one.sentence, _PATHS[one.what]) for one in read_matters(visit.office)]
    return show_office(visit, "start.html", months=read_months(visit.office), matters=matters)


_PATHS = {
    "pending-payments": "/office/payments/pending",
    "unknown-payments": "/office/payments/unknown",
    "bounces": "/office/emails/bounces?waits=yes",
    "outsorted": "/office/outsorted",
    "exceptions": "/office/exceptions",
}
