"""An account at Google or Apple connected by a mailed link: asked for, opened, pressed."""

from __future__ import annotations

from starlette.responses import Response

from identity.attempts.counting import count_bad, record_attempt
from identity.oidc.mailed import connect_mailed, find_mailed, mail_connection
from identity.signing_in import HOUR, NETWORK_MOST
from office.procedures.mailing.portal_mail import queue_portal_mails
from rules.portal_access import own_path
from web.customers.factors.addresses import read_address
from web.customers.factors.letting_in import let_in, told_of
from web.customers.factors.outside import ANOTHERS, BY_MAIL, UNKNOWN, binder_of, proved_in, say_end
from web.layout import show
from web.visits import Visit, redirect

BUSY = "Too many messages were asked for from here. Please try again in an hour."


def take_address(visit: Visit) -> Response:
    """
    Mail a link to the address that the visitor is registered with here, or wants to be.

    The answer is the same whose address it is, and so is the work.
    """
    account = proved_in(visit)
    if account is None:
        return redirect("/sign-in")
    name = visit.office.identity_providers[account.provider].terms.name
    wrong: dict[str, str] = {}
    address = read_address(visit, wrong)
    if wrong:
        return say_end(visit, UNKNOWN, 422, account, problems=wrong, provider=name)
    if _is_limited(visit):
        return say_end(visit, BUSY, 429, account)
    office = visit.office
    with office.database.writing() as books:
        mail = mail_connection(
            books, office.link_tokens, binder_of(visit), address, visit.now, visit.language
        )
        queue_portal_mails(office, books, [mail] if mail else [])
    visit.wake_mail()
    return redirect(f"{BY_MAIL}?done=sent")


def show_sent(visit: Visit) -> Response:
    """Say where to look; without having asked there is nothing here."""
    if visit.request.query_params.get("done") != "sent":
        return redirect("/sign-in")
    return show(visit, "outside-mailed.html")


def show_button(visit: Visit) -> Response:
    """Show the button of a link in the browser that asked for it; looking uses nothing up."""
    with visit.office.database.reading() as books:
        found = find_mailed(books, visit.path("token"), binder_of(visit), visit.now)
    if found is None:
        return show(visit, "link-over.html", 410)
    if found.account is None:
        return show(visit, "outside-elsewhere.html", 409)
    name = visit.office.identity_providers[found.account.provider].terms.name
    return show(
        visit,
        "outside-press.html",
        provider=name,
        label=found.account.label,
        address=found.address,
        is_new=found.is_new,
    )


def press(visit: Visit) -> Response:
    """Connect, and sign in as with any connected account: a second step is still asked for."""
    office, binder = visit.office, binder_of(visit)
    with office.database.writing() as books:
        found = find_mailed(books, visit.path("token"), binder, visit.now)
        user = connect_mailed(books, found, binder, visit.now) if found else None
        if user is not None and found is not None and not found.is_new:
            queue_portal_mails(office, books, told_of(books, user, "way-changed"))
    if found is None:
        return show(visit, "link-over.html", 410)
    if found.account is None:
        return show(visit, "outside-elsewhere.html", 409)
    if user is None:
        return say_end(visit, ANOTHERS, 422)
    visit.wake_mail()
    return let_in(visit, user, own_path(found.goes_on_to))


def _is_limited(visit: Visit) -> bool:
    """Count a mail that is asked for; tell whether one network asks for too many an hour."""
    with visit.office.database.writing() as books:
        if count_bad(books, "oidc-mail", [visit.network], visit.now, HOUR) >= NETWORK_MOST:
            return True
        record_attempt(books, "oidc-mail", [visit.network], visit.now, good=False)
    return False
