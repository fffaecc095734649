"""Who cannot run the check goes on from the mailbox: a link is mailed, its button lets pass."""

from __future__ import annotations

from starlette.responses import Response

from identity.attempts.counting import count_bad, record_attempt
from identity.bot_check.mailed import leads_to, mail_check, pass_by_link
from identity.signing_in import HOUR
from office.procedures.mailing.portal_mail import queue_portal_mails
from web.customers.factors.addresses import read_address
from web.customers.persons import Asking, is_asked
from web.customers.robots import find_robot
from web.customers.visitors import form_token_of, guest_of, welcome
from web.layout import show
from web.visits import Visit, redirect

MOST_ASKED = 10  # links an hour from one network, whoever they are for
TOO_OFTEN = "Too many messages were asked for from here. Please try again in an hour."
NO_COOKIES = "To go on your browser must take cookies."


def show_mailing(visit: Visit, asking: Asking) -> Response:
    """Ask for the address to which the link goes; who is asked nothing goes on."""
    return _page(visit, asking) if is_asked(visit) else redirect(asking.first)


def take_mailing(visit: Visit, asking: Asking) -> Response:
    """Mail the link; the answer is the same whoever's address it is, and however often."""
    if not is_asked(visit):
        return redirect(asking.first)
    problems = find_robot(visit)
    address = read_address(visit, problems)
    if problems:
        return _page(visit, asking, 422, problems)
    office = visit.office
    with office.database.writing() as books:
        if count_bad(books, "person", [visit.network], visit.now, HOUR) >= MOST_ASKED:
            return _page(visit, asking, 429, {"": visit.say(TOO_OFTEN)})
        record_attempt(books, "person", [visit.network], visit.now, good=False)
        mail = mail_check(
            books, office.link_tokens, address, asking.first, visit.language, visit.now
        )
        queue_portal_mails(office, books, [mail] if mail else [])
    visit.wake_mail()
    return redirect(f"{asking.mail}?done=sent")


def show_button(visit: Visit) -> Response:
    """Show the button of the link, with the cookie of who presses it; looking uses nothing up."""
    with visit.office.database.reading() as books:
        there = leads_to(books, visit.path("token"), visit.now)
    if there is None:
        return show(visit, "link-over.html", 410)
    if not guest_of(visit.request):
        return welcome(visit, visit.request.url.path, NO_COOKIES)
    return show(visit, "person-press.html", csrf=form_token_of(visit.request))


def press(visit: Visit) -> Response:
    """Take the browser in which the button is pressed for a person's."""
    guest = guest_of(visit.request)
    if not guest:
        return welcome(visit, visit.request.url.path, NO_COOKIES)
    with visit.office.database.writing() as books:
        there = pass_by_link(books, visit.path("token"), guest, visit.now)
    return redirect(there) if there else show(visit, "link-over.html", 410)


def _page(
    visit: Visit, asking: Asking, status: int = 200, problems: dict[str, str] | None = None
) -> Response:
    return show(
        visit,
        "person-mail.html",
        status,
        asking=asking,
        csrf=form_token_of(visit.request),
        sent=visit.request.query_params.get("done") == "sent",
        problems=problems or {},
    )
