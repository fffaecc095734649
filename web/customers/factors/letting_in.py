"""What every sign-in ends with: a new session, a second step, a word about a new browser."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.engine import Connection
from starlette.responses import Response

from domain.identity import PortalMail
from identity.factors.known_browsers import has_known_browsers, is_known, remember_browser
from identity.factors.passkeys import RelyingParty, relying_party
from identity.factors.phone_codes import PhoneCodes, has_phone, of_user
from identity.sessions import begin_session
from identity.users import find_user
from office.procedures.mailing.portal_mail import queue_portal_mails
from office.secrets.files import secret_for
from web.layout import newest_utility_name
from web.visits import Visit, cookie_name, redirect, set_session

BROWSER_COOKIE = "browser"
REMEMBERED = timedelta(days=400)  # the longest that browsers keep a cookie


def let_in(visit: Visit, user: int, leads_to: str, *, is_proved: bool = False) -> Response:
    """
    Begin a session under a new token; `is_proved`: no second step is asked for (any more).

    A browser that nobody of this user signed in with before is told to its owner, but for the
    very first one.
    """
    office = visit.office
    old = visit.request.cookies.get(cookie_name(office), "")
    browser = visit.request.cookies.get(cookie_name(office, BROWSER_COOKIE), "")
    remembered = ""
    with office.database.writing() as books:
        needs_code = not is_proved and has_phone(books, of_user(user))
        token = begin_session(books, visit.now, user=user, replaces=old, needs_code=needs_code)
        if not needs_code and not is_known(books, user, browser):
            if has_known_browsers(books, user):
                queue_portal_mails(office, books, told_of(books, user, "new-browser"))
            remembered = remember_browser(books, user, visit.now)
    response = redirect(f"/sign-in/code?next={leads_to}" if needs_code else leads_to)
    set_session(office, response, token)
    if remembered:
        set_session(office, response, remembered, BROWSER_COOKIE, REMEMBERED)
        visit.wake_mail()
    return response


def told_of(books: Connection, user: int, form: str) -> list[PortalMail]:
    """Return the mail that tells a portal user what was done in their name."""
    owner = find_user(books, user)
    return [] if owner is None else [PortalMail(form, owner.address, user)]


def party_of(visit: Visit) -> RelyingParty | None:
    """Return the portal as passkeys know it, None where browsers offer none."""
    return relying_party(visit.office.settings.web.url, newest_utility_name(visit))


def codes_of(visit: Visit) -> PhoneCodes:
    return PhoneCodes(secret_for(visit.office.home, "customer-codes"))
