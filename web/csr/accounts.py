"""An account, and the portal users that it has or could have (rules 132, 147, 176)."""

from __future__ import annotations

from starlette.responses import Response

from database.queries.customers.search import users_of
from database.queries.portal.standings import standings_of
from domain.accounts import account_key
from identity.customer_service.inviting import addresses_on_file
from web.csr.console import AccountSeen, account_seen
from web.csr.layout import say_standing, show_console, unknown
from web.visits import Visit


def show_account(
    visit: Visit, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    """Show an account with its portal users, and whom an invitation would go to."""
    key = account_key(visit.path("account"))[:64]
    with visit.office.database.reading() as books:
        known = account_seen(books, key, "") if key else None
        if known is None:
            return unknown(visit)
        facts, enrollment, how = known
        standing = next(iter(standings_of(books, [key])), None)
        addresses = addresses_on_file(books, facts.period, key)
        users = users_of(books, key)
    return show_console(
        visit,
        "csr-account.html",
        status,
        one=AccountSeen(facts, standing, enrollment, how),
        users=[(row, say_standing(row)) for row in users],
        addresses=addresses,
        problems=problems or {},
    )
