"""Which address of the pages on which customers and guests pay is answered by what."""

from __future__ import annotations

from starlette.routing import Route

from web.customers.paying import bot_check, cart, guests, one_account, other, payment, plan
from web.customers.paying.payers import guest_page
from web.visits import Page

_BOTH: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/cart", cart.show_cart),
    ("POST", "/cart", cart.take_cart),
    ("POST", "/cart/remove", cart.take_out),
    ("GET", "/cart/remove", cart.show_cart),
    ("GET", "/other", other.show_other),
    ("GET", "/other/{code}", other.show_form),
    ("POST", "/other/{code}", other.take_form),
    ("GET", "/payments/{key}", payment.show_payment),
    ("GET", "/payments/{key}/confirm", payment.back_to_payment),
    ("POST", "/payments/{key}/confirm", payment.confirm_payment),
    ("GET", "/payments/{key}/returned", payment.return_from_bank),
    ("GET", "/payments/{key}/stop", payment.back_to_payment),
    ("POST", "/payments/{key}/stop", payment.give_up),
    ("GET", "/payments/{key}/again", payment.back_to_payment),
    ("POST", "/payments/{key}/again", payment.begin_again),
)
ROUTES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/accounts/{account}/pay", one_account.show_pay),
    ("POST", "/accounts/{account}/pay", one_account.take_pay),
    ("GET", "/accounts/{account}/plan", plan.show_plan),
    ("POST", "/accounts/{account}/plan", plan.take_plan),
    *_BOTH,
)
_GUESTS: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/guest", guests.show_guest),
    ("POST", "/guest", guests.take_guest),
    ("GET", "/guest/added/{key}", cart.take_guests_method),
    *((method, f"/guest{path}", page) for method, path, page in _BOTH),
)


def guest_routes() -> list[Route]:
    """Return the pages of guests: one route for each method, as a HEAD must never act."""
    checks = [("GET", bot_check.show_check), ("POST", bot_check.take_check)]
    pages = [(method, path, bot_check.for_persons(page)) for method, path, page in _GUESTS]
    pages += [(method, bot_check.CHECK, page) for method, page in checks]
    mailing = [("GET", bot_check.show_mailing), ("POST", bot_check.take_mailing)]
    pages += [(method, bot_check.MAIL, page) for method, page in mailing]
    return [Route(path, guest_page(page), methods=[method]) for method, path, page in pages]
