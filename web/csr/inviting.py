"""Invitations to the portal: one account's, or all of a filter (rules 142, 146-148)."""

from __future__ import annotations

from starlette.responses import Response

from database.queries.customers.search import districts
from database.queries.portal.accounts import newest_account
from domain.accounts import account_key
from domain.failures import Refused
from domain.words import say_count
from identity.customer_service.inviting import addresses_on_file, invite
from office.procedures.mailing.portal_mail import queue_portal_mails
from office.procedures.portal.inviting import count_uninvited, invite_all
from web.csr.accounts import show_account
from web.csr.layout import problem_of, show_console, unknown
from web.visits import Visit, redirect


def take_invitation(visit: Visit) -> Response:
    """Invite whoever an account's record names: an address on file, and no other (rule 208)."""
    office, key = visit.office, account_key(visit.path("account"))[:64]
    try:
        with office.database.writing() as books:
            known = newest_account(books, key) if key else None
            if known is None:
                return unknown(visit)
            address = _chosen(visit, addresses_on_file(books, known.period, key))
            mails = invite(
                books, office.link_tokens, known.period, key, address, visit.user.who, visit.now
            )
            queue_portal_mails(office, books, mails)
    except Refused as refusal:
        return show_account(visit, problem_of(refusal, "address"), 422)
    visit.wake_mail()
    return redirect(f"/csr/accounts/{key}?done={'invited' if mails else 'linked-only'}")


def _chosen(visit: Visit, addresses: list[str]) -> str:
    if visit.text("address") not in addresses:
        raise Refused("no-address", "Choose one of the addresses on file.")
    return visit.text("address")


def show_invitations(
    visit: Visit, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    """Show how many customers have no access yet, of all or of one district."""
    chosen = visit.form.get("district", visit.request.query_params.get("district", ""))
    with visit.office.database.reading() as books:
        every = districts(books)
        count = count_uninvited(books, chosen)
    return show_console(
        visit,
        "csr-invitations.html",
        status,
        districts=every,
        chosen=chosen,
        count=count,
        sentence=say_count(count, "customer"),
        sent=visit.request.query_params.get("sent", ""),
        problems=problems or {},
    )


def take_invitations(visit: Visit) -> Response:
    """Invite all of a filter, as many as the page said; another number is shown anew first."""
    district = visit.form.get("district", "")
    with visit.office.database.reading() as books:
        count = count_uninvited(books, district)
    if not count or visit.text("count") != str(count):
        again = "The number has changed since this page was opened; look at it again."
        return show_invitations(visit, {"": again}, 409)
    sent = invite_all(visit.office, district, visit.user.who, visit.now)
    visit.wake_mail()
    return redirect(f"/csr/invitations?sent={sent}")
