"""What a browser is asked before the page on which anybody may register (rule 68)."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from web.customers import persons, persons_by_mail
from web.customers.visitors import guest_of, welcome
from web.visits import Page, Visit

ASKING = persons.Asking(
    check="/register/check",
    first="/register",
    title="Before you register",
    why="Who registers shows first that a person sits there. Your browser does it by itself.",
    without="This check needs JavaScript, and your browser does not run it. You can register "
    "without it, by a link that we mail to you.",
    mail="/register/check/mail",
    not_now="The service that tells people from programs does not answer now. Nothing was sent. "
    "Please try again in some minutes.",
)
NO_COOKIES = "To register your browser must take cookies."


def for_persons(page: Page) -> Page:
    """
    Make a page of registering for persons, where the office has browsers asked.

    It is asked on a page of its own: where a password is typed no script of anybody else's runs.
    """
    return _with_cookie(persons.guard(page, ASKING))


def _with_cookie(page: Page) -> Page:
    def guarded(visit: Visit) -> Response:
        if persons.is_asked(visit) and not guest_of(visit.request):
            return welcome(visit, ASKING.first, NO_COOKIES)
        return page(visit)

    return guarded


show_check = _with_cookie(partial(persons.show_check, asking=ASKING))
show_mailing = _with_cookie(partial(persons_by_mail.show_mailing, asking=ASKING))
take_mailing = _with_cookie(partial(persons_by_mail.take_mailing, asking=ASKING))
take_check = _with_cookie(partial(persons.take_check, asking=ASKING))
