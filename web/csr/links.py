"""Links that staff make for a test, and take off again (rules 129-131)."""

from __future__ import annotations

from starlette.responses import Response

from database.audit import record_audit
from database.queries.portal.accounts import PortalAccount, accounts_of_user, newest_account
from domain.accounts import account_key
from domain.failures import Refused
from domain.identity import PortalUser
from identity.account_links import unlink_account
from identity.customer_service.inviting import invite
from office.procedures.mailing.portal_mail import queue_portal_mails
from web.csr.accounts import show_account
from web.csr.layout import back, person_of, problem_of, show_person, unknown
from web.visits import Visit, redirect


def link_to_me(visit: Visit) -> Response:
    """
    Link an account to the portal user of one's own mailbox (rules 130, 131).

    Who has none yet gets the mail to make one. Whose account it is is told by nobody but the log
    and the audit list: it is to be taken off again.
    """
    office, key = visit.office, account_key(visit.path("account"))[:64]
    me = visit.user
    try:
        with office.database.writing() as books:
            known = newest_account(books, key) if key else None
            if known is None:
                return unknown(visit)
            mails = invite(
                books, office.link_tokens, known.period, key, me.address, me.who, visit.now
            )
            queue_portal_mails(office, books, mails[:1])
            record_audit(books, visit.now, me.who, "link account for a test", known.account)
    except Refused as refusal:
        return show_account(visit, problem_of(refusal), 409)
    visit.wake_mail()
    return redirect(f"/csr/accounts/{key}?done=linked")


def ask_unlink(visit: Visit) -> Response:
    person, mine = _whose(visit)
    if person is None or mine is None:
        return unknown(visit)
    return show_person(visit, person, "csr-unlink.html", account=mine)


def take_unlink(visit: Visit) -> Response:
    """Take an account off a portal user after a yes (rule 129)."""
    person, mine = _whose(visit)
    if person is None or mine is None:
        return unknown(visit)
    who = visit.user.who
    with visit.office.database.writing() as books:
        unlink_account(books, person.number, mine.account_key, visit.now, who)
        detail = f"customer {person.number}"
        record_audit(books, visit.now, who, "unlink account", mine.account, detail)
    return back(person, "unlinked")


def _whose(visit: Visit) -> tuple[PortalUser | None, PortalAccount | None]:
    person = person_of(visit)
    if person is None:
        return None, None
    key = account_key(visit.path("account"))
    with visit.office.database.reading() as books:
        mine = accounts_of_user(books, person.number, person.mailbox)
    linked = (one for one in mine if one.account_key == key and not one.is_landlords)
    return person, next(linked, None)
