"""The first page after signing in: what is owed, when, and what is on its way (rules 38-47)."""

from __future__ import annotations

from starlette.responses import Response

from web.customers.accounts import my_standings
from web.layout import show
from web.visits import Visit


def show_home(visit: Visit) -> Response:
    """
    Show every account with its balance of this moment; without one, lead to linking.

    The last bill opens from its account (rules 179, 181).
    """
    return show(visit, "home.html", standings=my_standings(visit), today=visit.today)
