"""Whose wallet pays: a portal user of the account, or whoever has a typed e-mail address."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email

from domain.accounts import account_key
from domain.identity import PortalUser
from identity.users import find_by_mailbox, find_user
from identity.wallet import SavedMethod, wallet_of
from office.procedures.lists import select_list
from office.procedures.portal.method_link import may_be_texted
from payments.enrollment.facts import EnrollmentFacts, read_enrollment_facts
from rules.money.autopay import is_method_blocked
from web.visits import Visit

TYPED = "typed"  # the choice beside the portal users of the account
NO_ADDRESS = "Enter an e-mail address in the form name@example.com."
NOBODY = 0  # the number of no portal user


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays for an account, and what of their wallet autopay may draw from."""

    standing: EnrollmentFacts
    address: str
    user: PortalUser | None  # None: nobody has that mailbox yet
    usable: list[SavedMethod]
    unusable: list[tuple[SavedMethod, str]]  # and why
    may_be_texted: bool

    @property
    def number(self) -> int:
        return self.user.number if self.user else NOBODY


def known_payers(visit: Visit, account: str) -> list[tuple[str, str]]:
    """Return the addresses of an account's portal users and landlords, and which of the two."""
    links = select_list(visit.office, "portal-links").subquery()
    query = (
        sa.select(links.c.portal_user, links.c.relation)
        .where(links.c._account_key == account_key(account))
        .order_by(links.c.relation.desc(), links.c.portal_user)
    )
    with visit.office.database.reading() as books:
        rows = books.execute(query).all()
    return list({row.portal_user: (row.portal_user, row.relation) for row in rows}.values())


def read_address(visit: Visit, problems: dict[str, str]) -> str:
    """Return the address that was chosen or typed, as it is written to; else note what is wrong."""
    chosen = visit.text("payer")
    typed = visit.text("address") if chosen in ("", TYPED) else chosen
    try:
        return validate_email(typed, check_deliverability=False).normalized
    except EmailNotValidError:
        problems["address"] = NO_ADDRESS
        return ""


def payer_of(visit: Visit, account: str, address: str) -> Payer:
    """Return who has an address, with their wallet; raises Misuse for an unknown account."""
    office = visit.office
    with office.database.reading() as books:
        standing = read_enrollment_facts(books, account)
        user = find_by_mailbox(books, address)
        number = user.number if user else NOBODY
        wallet = wallet_of(books, number, address)
    reasons = [(one, _why_not(visit, standing, one)) for one in wallet]
    return Payer(
        standing,
        user.address if user else address,
        user,
        [one for one, why in reasons if not why],
        [(one, why) for one, why in reasons if why],
        user is not None and may_be_texted(office, number),
    )


def address_of(visit: Visit, number: str) -> str:
    """Return the address of a portal user's number as an address of ours has it; else empty."""
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return ""
    with visit.office.database.reading() as books:
        user = find_user(books, int(number))
    return user.address if user else ""


def _why_not(visit: Visit, standing: EnrollmentFacts, method: SavedMethod) -> str:
    if is_method_blocked(standing.payable, method.kind):
        return "the account may not pay that way"
    if method.is_suspended:
        return "suspended: the bank or card refused it for good"
    return "expired" if method.is_over(visit.today) else ""
