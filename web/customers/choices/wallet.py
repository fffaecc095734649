"""The wallet: payment methods added on the gateway's page, removed, chosen (rules 117-122)."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.engine import Connection
from starlette.responses import Response

from database.queries.portal.bound_methods import accounts_bound_to
from domain.failures import (
    Misuse,
    OutcomeUnknown,
    PermanentFailure,
    Refused,
    TemporaryFailure,
)
from domain.payment_methods import say_method
from identity.sessions import SignedIn
from identity.wallet import (
    SavedMethod,
    choose_default,
    find_saved,
    remove_method,
    wallet_of,
)
from office.procedures.portal.method_capture import begin_capture, finish_capture, page_before
from rules.portal_access import own_path
from web.customers.accounts import my_accounts
from web.customers.cards import soon_over
from web.customers.refusals import refusal_of
from web.layout import missing, show
from web.visits import Visit, redirect

NO_PAGE = (
    "The page for payment methods cannot be reached at this moment. Nothing was saved; please "
    "try again later."
)
IN_USE = (
    "Autopay draws from this payment method, or a payment from it is still on its way. End "
    "autopay of the account first, then remove the method."
)
DONE = {
    "added": "Your payment method was added.",
    "nothing": "No payment method was added.",
    "removed": "The payment method was removed.",
    "default": "That payment method is offered first from now on. Autopay still draws from the "
    "method that you agreed to.",
}
NO_ANSWER = (TemporaryFailure, PermanentFailure, OutcomeUnknown, Misuse)  # or no page is set
Act = Callable[[Connection, SignedIn, SavedMethod], None]


def my_wallet(visit: Visit) -> list[SavedMethod]:
    """Return the visitor's own payment methods, and nobody else's (rules 117, 118, 135)."""
    with visit.office.database.reading() as books:
        return wallet_of(books, visit.user.number, visit.user.address)


def show_wallet(visit: Visit) -> Response:
    done = DONE.get(visit.request.query_params.get("done", ""), "")
    return _wallet(visit, 200, done=done)


def _wallet(visit: Visit, status: int, **values: object) -> Response:
    methods = [(one, visit.say_saved(one)) for one in my_wallet(visit)]
    with visit.office.database.reading() as books:
        expiring = soon_over(visit, books)
    given = {
        "done": "",
        "methods": methods,
        "expiring": expiring,
        "today": visit.today,
        "accounts": my_accounts(visit),
        **values,
    }
    return show(visit, "wallet.html", status, **given)


def show_adding(visit: Visit) -> Response:
    return show(visit, "wallet-add.html")


def take_adding(visit: Visit) -> Response:
    """Send the visitor to the gateway's page, on which alone a number is typed."""
    try:
        url = begin_capture(visit.office, visit.user)
    except Refused as refused:
        status, sentence = refusal_of(refused)
        return _wallet(visit, status, problems={"": visit.say(sentence)})
    except NO_ANSWER:
        return _wallet(visit, 503, problems={"": visit.say(NO_PAGE)})
    if url.startswith("/"):
        return redirect(url)
    return show(visit, "wallet-go-on.html", url=url)  # our policy lets no form lead elsewhere


def take_added(visit: Visit) -> Response:
    """
    Save what the visitor gave on the gateway's page, which leads back here.

    It is the visitor's own visit, and saved once, so that it may come by a GET; a HEAD does
    nothing.
    """
    if visit.request.method != "GET":
        return redirect("/wallet")
    try:
        method = finish_capture(visit.office, visit.user, visit.path("key"))
    except LookupError:
        return missing(visit)
    except NO_ANSWER:
        return _wallet(visit, 503, problems={"": visit.say(NO_PAGE)})
    if before := page_before(visit.office, visit.user, visit.path("key")):
        added = f"?method={method.key}" if method else ""  # they were in mid-payment
        return redirect(own_path(f"{before}{added}"))
    return redirect("/wallet?done=added" if method else "/wallet?done=nothing")


def show_removing(visit: Visit) -> Response:
    """Ask before a method goes; while autopay needs it, say so and where that ends (ruling 12)."""
    method = _mine(visit)
    if method is None:
        return missing(visit)
    with visit.office.database.reading() as books:
        bound = set(accounts_bound_to(books, method.token))
    return show(
        visit,
        "wallet-remove.html",
        name=say_method(method.kind, method.last4, method.brand, visit.language),
        in_use=visit.say(IN_USE) if bound else "",
        bound=[one for one in my_accounts(visit) if one.account in bound],
    )


def take_removing(visit: Visit) -> Response:
    """Remove a method, unless autopay still binds to it (ruling 12)."""
    try:
        return _act(visit, "removed", lambda books, who, one: _remove(books, who, one, visit))
    except Refused:
        return _wallet(visit, 409, problems={"": visit.say(IN_USE)})


def take_default(visit: Visit) -> Response:
    return _act(
        visit, "default", lambda books, who, one: choose_default(books, who, one, visit.now)
    )


def _remove(books: Connection, who: SignedIn, method: SavedMethod, visit: Visit) -> None:
    remove_method(books, who, method, visit.now)


def _act(visit: Visit, done: str, act: Act) -> Response:
    who = visit.user
    with visit.office.database.writing() as books:
        method = find_saved(books, who.number, who.address, visit.path("method"))
        if method is None:
            return missing(visit)
        act(books, who, method)
    return redirect(f"/wallet?done={done}")


def _mine(visit: Visit) -> SavedMethod | None:
    who = visit.user
    with visit.office.database.reading() as books:
        return find_saved(books, who.number, who.address, visit.path("method"))
