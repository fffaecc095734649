"""Who pays on a page: whoever is signed in, or a guest, known by a cookie of their own."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain.checkout import CheckoutOwner
from identity.tokens import new_token, token_hash
from rules.portal_access import own_path
from web.layout import missing
from web.visits import Endpoint, Page, Visit, cookie_name, open_page

GUEST = "guest"
NO_COOKIES = "To pay without signing in your browser must take cookies."
GUEST_SECONDS = 2 * 60 * 60


@dataclass(frozen=True, slots=True)
class PagePayer:
    """A payer as pages need them: `base` stands before the paths of their pages."""

    owner: CheckoutOwner
    csrf: str
    base: str = ""

    @property
    def is_guest(self) -> bool:
        return self.owner.user is None


def payer_of(visit: Visit) -> PagePayer:
    """Return who pays: below `/guest` a guest, whoever may be signed in besides."""
    if visit.request.url.path.startswith("/guest"):
        owner = CheckoutOwner(None, "", guest_of(visit.request))
        return PagePayer(owner, form_token_of(visit.request), "/guest")
    user = visit.user
    return PagePayer(CheckoutOwner(user.number, user.address), user.csrf)


def guest_page(page: Page) -> Endpoint:
    """
    Make a page for guests, where the office lets them pay (rule 199); else there is none.

    The first look gives the cookie; a form is taken only with the token that belongs to it.
    """

    def guarded(visit: Visit) -> Response:
        if not visit.office.settings.checkout.guests:
            return missing(visit)
        token = _guest_token(visit.request)
        if not token:
            return welcome(visit, "/guest", NO_COOKIES)
        given = visit.form.get("csrf", "").encode()
        if visit.is_post and not hmac.compare_digest(given, _form_token(token).encode()):
            return RedirectResponse("/guest", 303)
        return page(visit)

    return open_page(guarded)


def guest_of(request: Request) -> str:
    """Return the hash of the cookie by which somebody is known who is not signed in; or empty."""
    token = _guest_token(request)
    return token_hash(token) if token else ""


def form_token_of(request: Request) -> str:
    """Return the token that such a visitor's forms carry."""
    return _form_token(_guest_token(request))


def welcome(visit: Visit, first: str, no_cookies: str) -> Response:
    """Give the cookie, and lead back to the page: who takes no cookies is told so there."""
    path = first if visit.is_post else own_path(visit.request.url.path)
    if "again" in visit.request.query_params:
        return Response(visit.say(no_cookies), 400, media_type="text/plain")
    answer = RedirectResponse(f"{path}?again", 303)
    answer.set_cookie(
        cookie_name(visit.office, GUEST),
        new_token(),
        max_age=GUEST_SECONDS,
        path="/",
        secure=visit.office.settings.web.is_secure,
        httponly=True,
        samesite="lax",
    )
    return answer


def _guest_token(request: Request) -> str:
    return request.cookies.get(cookie_name(request.app.state.office, GUEST), "")


def _form_token(token: str) -> str:
    return token_hash(f"form/{token}") if token else ""
