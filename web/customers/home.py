"""The first page after signing in: what is owed, when, and what is on its way (rules 38-47)."""

from __future__ import annotations

from sqlalchemy.engine import Connection
from starlette.responses import Response

from database.queries.arrangements.reading import newest_plan
from database.queries.histories import lines_of
from database.queries.portal.accounts import has_accounts_to_come
from database.queries.portal.standings import standings_of_user
from domain.accounts import account_key
from domain.arrangements import PlanStanding
from domain.identity import mailbox_of
from domain.payment_methods import say_method
from domain.payments import MethodKind
from payments.arrangements.making import standing_now
from web.customers.cards import soon_over
from web.customers.news import has_new
from web.layout import show
from web.visits import ReadingPage, Visit

LATEST = 5  # transactions


@ReadingPage
def show_home(visit: Visit, books: Connection) -> Response:
    """
    Show every account with its balance of this moment; without one, lead to linking.

    The last bill opens from its account (rules 179, 181); what was posted lately is pointed to
    (rule 112). Whoever just linked an account is offered autopay, and need not take it (rule 67).
    """
    asked, user = visit.request.query_params, visit.user
    mailbox = mailbox_of(user.address)
    standings = standings_of_user(books, user.number, mailbox)
    latest = lines_of(books, [one.account_key for one in standings], most=LATEST)
    new = account_key(asked.get("account", "")) if asked.get("done") == "linked" else ""
    return show(
        visit,
        "home.html",
        standings=standings,
        are_to_come=not standings and has_accounts_to_come(books, user.number, mailbox),
        plans=_plans(visit, books, [one.account_key for one in standings if one.has_plan]),
        today=visit.today,
        offers_plans=visit.office.settings.arrangements.by_customers,
        latest=latest,
        is_news=has_new(books, visit),
        expiring=[
            (say_method(MethodKind.CARD, one.last4, one.brand, visit.language), one.expires_on)
            for one in soon_over(visit, books).values()
        ],
        pays_ahead=visit.office.settings.checkout.pay_ahead,
        linked=next((one for one in standings if one.account_key == new), None),
    )


def _plans(visit: Visit, books: Connection, keys: list[str]) -> dict[str, PlanStanding]:
    """Return how each plan stands by which somebody pays now."""
    if not keys:
        return {}
    found = {key: newest_plan(books, key) for key in keys}
    now = visit.office.due_now()
    return {key: standing_now(books, plan, now) for key, plan in found.items() if plan is not None}
