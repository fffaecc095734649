"""Visitors who are not signed in: each is known by a cookie of their own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from identity.tokens import new_token, token_hash
from rules.portal_access import own_path
from web.visits import Visit, cookie_name

GUEST = "guest"
GUEST_SECONDS = 2 * 60 * 60


def guest_of(request: Request) -> str:
    """Return the hash of the cookie by which somebody is known who is not signed in; or empty."""
    token = _token(request)
    return token_hash(token) if token else ""


def form_token_of(request: Request) -> str:
    """Return the token that such a visitor's forms carry."""
    token = _token(request)
    return token_hash(f"form/{token}") if token else ""


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


def _token(request: Request) -> str:
    return request.cookies.get(cookie_name(request.app.state.office, GUEST), "")
