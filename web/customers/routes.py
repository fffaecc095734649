"""Which address of the portal is answered by what, and for whom."""

from __future__ import annotations

from starlette.routing import Route

from web.customers import (
    access,
    home,
    linking,
    news,
    persons_by_mail,
    recovering,
    registering,
)
from web.customers.factors.routes import BEFORE_CODE, CONNECTING
from web.customers.factors.routes import OPEN as OPEN_FACTORS
from web.customers.factors.routes import SIGNED_IN as FACTORS
from web.visits import Page, before_code, open_page, redirect, signed_in

OPEN: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/register", registering.for_persons(access.show_register)),
    ("POST", "/register", registering.for_persons(access.take_registration)),
    ("GET", "/register/check", registering.show_check),
    ("POST", "/register/check", registering.take_check),
    ("GET", "/register/check/mail", registering.show_mailing),
    ("POST", "/register/check/mail", registering.take_mailing),
    ("GET", "/person/{token}", persons_by_mail.show_button),
    ("POST", "/person/{token}", persons_by_mail.press),
    ("GET", "/check-your-mail", access.check_your_mail),
    ("GET", "/verify", access.show_code),
    ("POST", "/verify", access.take_code),
    ("GET", "/verify/{token}", access.show_link),
    ("POST", "/verify/{token}", access.press_verify),
    ("GET", "/unlock/{token}", access.show_link),
    ("POST", "/unlock/{token}", access.press_unlock),
    ("GET", "/not-me/{token}", access.show_link),
    ("POST", "/not-me/{token}", access.press_not_me),
    ("GET", "/invite/{token}", access.show_link),
    ("POST", "/invite/{token}", access.take_password),
    ("GET", "/reset/{token}", access.show_link),
    ("POST", "/reset/{token}", access.take_password),
    ("GET", "/sign-in", access.show_sign_in),
    ("POST", "/sign-in", access.take_sign_in),
    ("GET", "/forgot", access.show_forgot),
    ("POST", "/forgot", access.take_forgot),
    ("GET", "/recover", recovering.show_recovering),
    ("POST", "/recover", recovering.take_recovery),
    ("POST", "/language", access.choose_language),
    ("POST", "/sign-out", access.sign_out),
    ("GET", "/sign-out", lambda _visit: redirect("/")),  # typed, or come back to
    ("GET", "/second-step", lambda _visit: redirect("/sign-in/code")),
    *OPEN_FACTORS,
)
SIGNED_IN: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/", home.show_home),
    ("GET", "/news", news.show_news),
    ("GET", "/link", linking.show_linking),
    ("POST", "/link", linking.take_linking),
    ("GET", "/accounts/{account}/unlink", linking.show_unlinking),
    ("POST", "/accounts/{account}/unlink", linking.take_unlinking),
    *FACTORS,
)


def customer_routes(*more: tuple[str, str, Page]) -> list[Route]:
    """
    Return the portal's routes: one for each method, as a HEAD must never act.

    `more` are the wings' own, for those who have signed in.
    """
    known = (*SIGNED_IN, *more)
    return [
        *(Route(path, signed_in(page), methods=[method]) for method, path, page in CONNECTING),
        *(Route(path, signed_in(page), methods=[method]) for method, path, page in known),
        *(Route(path, open_page(page), methods=[method]) for method, path, page in OPEN),
        *(Route(path, before_code(page), methods=[method]) for method, path, page in BEFORE_CODE),
    ]
