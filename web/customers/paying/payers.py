"""Who pays on a page: whoever is signed in, or a guest, known by a cookie of their own."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from domain.checkout import CheckoutOwner
from web.customers.visitors import form_token_of, guest_of, welcome
from web.layout import missing
from web.visits import Endpoint, Page, Visit, carries, earlier_form, open_page

NO_COOKIES = "To pay without signing in your browser must take cookies."


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
        if not guest_of(visit.request):
            return welcome(visit, "/guest", NO_COOKIES)
        if visit.is_post and not carries(visit, form_token_of(visit.request)):
            return earlier_form(visit)
        return page(visit)

    return open_page(guarded)
