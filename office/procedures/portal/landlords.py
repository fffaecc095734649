"""Landlords' links, as the office makes and ends them: by the command and on the page."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from database.audit import record_audit
from domain.failures import Misuse
from domain.identity import PortalUser, UserState
from identity.customer_service.landlords import (
    LandlordAct,
    add_landlord,
    end_landlord,
    is_landlord,
    landlord_name,
)
from identity.users import find_by_mailbox
from office.equipment.office import Office

LONGEST_ID = 64


def link_landlord(office: Office, cosigner_id: str, address: str, reason: str) -> str:
    """
    Link a registered portal user to a landlord, and so to all the landlord's accounts (rule 133).

    Returns the landlord's name. Raises Misuse for an id that no newest export has, an address by
    which nobody can sign in, a link that is there, and a missing reason.
    """
    cosigner_id, act = cosigner_id.strip()[:LONGEST_ID], _act(office, reason)
    with office.database.writing() as books:
        name = _require_name(books, cosigner_id)
        user = find_by_mailbox(books, address)
        if user is None or user.state not in (UserState.ACTIVE, UserState.LOCKED):
            raise Misuse(
                "Nobody is registered in the portal by that address; the landlord registers first, "
                "or is invited in customer service.",
                "unknown-user",
            )
        if is_landlord(books, user.mailbox, cosigner_id):
            raise Misuse(f"That portal user is landlord {cosigner_id} already.", "linked-already")
        add_landlord(books, user.number, cosigner_id, act)
        _audit(books, act, "link landlord", cosigner_id, user)
    return name


def unlink_landlord(office: Office, cosigner_id: str, address: str, reason: str) -> str:
    """
    End a landlord's link: from now on that portal user sees none of the landlord's accounts.

    Returns the landlord's name. A link of the export stays off until an export that is imported
    later has it again. Raises Misuse where there is no such link, and for one of the export whose
    portal user never registered here: only the billing system can end that.
    """
    cosigner_id, act = cosigner_id.strip()[:LONGEST_ID], _act(office, reason)
    with office.database.writing() as books:
        name = _require_name(books, cosigner_id)
        user = find_by_mailbox(books, address)
        mailbox = user.mailbox if user else address.strip().casefold()
        if not is_landlord(books, mailbox, cosigner_id):
            raise Misuse(f"That portal user is not landlord {cosigner_id}.", "not-linked")
        if user is None:
            raise Misuse(
                "The billing system says so, and nobody is registered here by that address; end it "
                "in the billing system.",
                "not-registered",
            )
        end_landlord(books, user.number, cosigner_id, act)
        _audit(books, act, "end landlord", cosigner_id, user)
    return name


def _act(office: Office, reason: str) -> LandlordAct:
    if not reason.strip():
        raise Misuse("Say why: it is audited.", "reason-missing")
    return LandlordAct(office.who, office.moment(), reason.strip())


def _require_name(books: Connection, cosigner_id: str) -> str:
    name = landlord_name(books, cosigner_id)
    if name is None:
        raise Misuse(
            f"The newest exports have no landlord {cosigner_id!r}; `list landlords` shows them.",
            "unknown-landlord",
        )
    return name


def _audit(
    books: Connection, act: LandlordAct, action: str, cosigner_id: str, user: PortalUser
) -> None:
    """Record it with the number of the portal user, who has no address on the audit list."""
    told = f"customer {user.number}: {act.reason}"
    record_audit(books, act.at, act.by, action, f"landlord {cosigner_id}", told)
