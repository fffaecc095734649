"""The look of the console, and whom a page of it is about."""

from __future__ import annotations

from typing import Any

from starlette.responses import HTMLResponse, Response

from domain.customer_service import STANDING_OF, CustomerFound, LockReason, PortalStanding
from domain.failures import Refused
from domain.identity import PortalUser, UserState
from identity.customer_service.locking import acts_allowed, is_failed_out
from identity.users import find_user
from web.layout import missing
from web.office.layout import show_office
from web.office.permissions import Permission, may
from web.visits import Visit, redirect

STANDING_WORDS = {
    PortalStanding.ENROLLED: "Enrolled",
    PortalStanding.UNENROLLED: "Unenrolled",
    PortalStanding.PERMANENT_LOCK: "Permanent Lock",
    PortalStanding.HIDDEN: "Hidden",
}
_STATE_WORDS = {
    UserState.ACTIVE: "Enrolled",
    UserState.INVITED: "Unenrolled: invited, no password yet",
    UserState.UNVERIFIED: "Unenrolled: the address is not verified yet",
    UserState.LOCKED: "Permanent Lock",
    UserState.DELETED: "Hidden: the portal account was deleted",
}


LOCK_REASONS = (
    (LockReason.COMPROMISED, "The account may have been compromised"),
    (LockReason.MISUSE, "The customer misuses the system"),
    (LockReason.OPTED_OUT, "The customer opts out, and does not want the account deleted"),
    (LockReason.OTHER, "Another reason"),
)


def say_standing(row: CustomerFound) -> str:
    """Say how a portal user stands; of who is not enrolled, how far they came."""
    further = {UserState.INVITED: " (invited)", UserState.UNVERIFIED: " (not verified)"}
    return STANDING_WORDS[row.standing] + (further.get(row.state, "") if row.state else "")


def say_why_locked(detail: str) -> str:
    """Say why a portal user is locked or deleted in the words in which it was asked."""
    reason, colon, note = detail.partition(": ")
    words = next((said for one, said in LOCK_REASONS if one.value == reason), reason)
    return f"{words}{colon}{note}"


def show_console(visit: Visit, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page of the console."""
    role = visit.user.role
    served = visit.office.settings.web.serves
    given = {
        # rule 175
        "payment_administration": "/office/payments" if "office" in served else "",
        "may_delete": may(role, Permission.DELETE_USERS),
        "may_link": may(role, Permission.LINK_ACCOUNTS),
        "may_invite_many": may(role, Permission.INVITE_MANY),
        "may_look": "customers" in served,
        "message": _DONE.get(visit.request.query_params.get("done", ""), ""),
    }
    return show_office(visit, template, status, **(given | values))


def person_of(visit: Visit) -> PortalUser | None:
    """Return the portal user of the page's address, None where there is none."""
    number = int(visit.path("number"))
    if number >= 2**31:
        return None
    with visit.office.database.reading() as books:
        return find_user(books, number)


def show_person(
    visit: Visit, person: PortalUser, template: str, status: int = 200, **values: Any
) -> HTMLResponse:
    """Return a page about one portal user: what they are called, how they stand, what may be."""
    with visit.office.database.reading() as books:
        failed_out = is_failed_out(books, person.number)
    given = {
        "person": person,
        "standing": STANDING_OF[person.state],
        "state_words": _STATE_WORDS[person.state],
        "failed_out": failed_out,
        "allowed": acts_allowed(person.state, failed_out=failed_out),
        "base": f"/csr/customers/{person.number}",
    }
    return show_console(visit, template, status, **(given | values))


def back(person: PortalUser, done: str) -> Response:
    """Lead back to a portal user's page after something was done."""
    return redirect(f"/csr/customers/{person.number}?done={done}")


def unknown(visit: Visit) -> Response:
    return missing(visit)


def problem_of(refusal: Refused, field: str = "") -> dict[str, str]:
    return {field: refusal.message}


_DONE = {
    "locked": "The portal account is locked. The customer can no longer sign in.",
    "unlocked": "The portal account is unlocked. The customer can sign in again.",
    "brought-back": "The portal account is there again. It has no password: send a create "
    "credentials link.",
    "deleted": "The portal account is deleted, and what was scheduled of it is cancelled.",
    "mail": "The link is on its way by e-mail. Remind the customer when it expires.",
    "code": "A recovery code was made. Read it to the customer and have it read back.",
    "revoked": "The recovery code is revoked.",
    "username": "The username is saved. Tell it to the customer: no mail says it.",
    "cleared": "The sign-in is cleared. Send a create credentials link to whoever takes over.",
    "unlinked": "The account is taken off this portal user.",
    "linked": "The account is linked for your test. Take it off again when you are done.",
    "invited": "The invitation is on its way by e-mail.",
    "looked": "You have stopped looking at the portal.",
    "linked-only": "The account is linked. That address has a password already, and got no mail.",
}
