"""Members of staff: added, let in by a one-time link, given another role, locked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.definitions.identity import credential, staff
from domain.failures import Misuse
from domain.identity import (
    CredentialKind,
    LinkKind,
    PortalMail,
    Role,
    StaffMember,
    UserState,
    mailbox_of,
)
from identity.one_time_links import find_link, make_link, use_link
from identity.passwords import Passwords
from identity.tokens import LinkTokens

SETS_STAFF_PASSWORD = frozenset({LinkKind.STAFF_PASSWORD})


def add_staff(
    books: Connection, tokens: LinkTokens, address: str, role: Role, now: datetime, by: str
) -> PortalMail:
    """
    Add a member of staff and return the mail with the link that sets a password.

    Raises Misuse where the mailbox is a member's already: a role is changed by its own command.
    """
    known = _row(books, address)
    if known is not None:
        raise Misuse(
            f"That mailbox is {known.role} {known.number} already; give another role with "
            "`billclose staff role`, or another link with `billclose staff link`."
        )
    made = books.execute(
        staff.insert().values(
            mailbox=mailbox_of(address),
            address=address.strip(),
            role=role,
            state=UserState.INVITED,
            made_at=now,
            made_by=by,
        )
    )
    (number,) = made.inserted_primary_key or (0,)
    member = StaffMember(int(number), address.strip(), role, UserState.INVITED)
    record_audit(books, now, by, "add staff", member.who)
    return _link(books, tokens, member, now)


def link_again(
    books: Connection, tokens: LinkTokens, address: str, now: datetime, by: str
) -> PortalMail:
    """
    Return a mail with another link that sets a password; earlier links end.

    The phone's code is set up anew too: who lost the phone gets in by this. Raises Misuse for a
    mailbox that is nobody's and for one that is locked.
    """
    member = find_staff(books, address)
    if member.state is UserState.LOCKED:
        raise Misuse(f"{member.who} is locked; `billclose staff role` lets them in again.")
    row = credential.c
    books.execute(
        credential.delete().where(
            row.staff_number == member.number, row.kind == CredentialKind.TOTP
        )
    )
    record_audit(books, now, by, "link for staff", member.who)
    return _link(books, tokens, member, now)


def change_role(books: Connection, address: str, role: Role, now: datetime, by: str) -> StaffMember:
    """Give a member of staff another role, and let a locked one in again; sessions end."""
    member = find_staff(books, address)
    state = UserState.ACTIVE if _has_password(books, member.number) else UserState.INVITED
    _change(books, member.number, role=role, state=state, failures=0, locked_at=None)
    record_audit(books, now, by, "change role", member.who, f"{member.role} to {role}")
    return StaffMember(member.number, member.address, role, state)


def lock_staff(books: Connection, address: str, now: datetime, by: str) -> StaffMember:
    """Let a member of staff in no more; every session of theirs ends with this."""
    member = find_staff(books, address)
    _change(books, member.number, state=UserState.LOCKED, locked_at=now)
    record_audit(books, now, by, "lock staff", member.who)
    return member


def find_staff(books: Connection, address: str) -> StaffMember:
    """Return the member of staff of a mailbox; raises Misuse where it is nobody's."""
    row = _row(books, address)
    if row is None:
        raise Misuse("No member of staff has that mailbox; see `billclose list staff`.")
    return StaffMember(row.number, row.address, row.role, row.state)


def address_of_staff(books: Connection, number: int) -> str | None:
    """Return the address of a member of staff, None where nobody has that number."""
    return books.scalar(sa.select(staff.c.address).where(staff.c.number == number))


def choose_staff_password(
    database: Database, passwords: Passwords, token: str, password: str, now: datetime
) -> int | None:
    """Set a password by a one-time link and return whose, None where the link is good no more."""
    kept = passwords.to_hash(password)
    with database.writing() as books:
        link = find_link(books, token, SETS_STAFF_PASSWORD, now)
        if link is None or link.staff_number is None or not use_link(books, link, now):
            return None
        row = books.execute(sa.select(staff).where(staff.c.number == link.staff_number)).one()
        if row.state is UserState.LOCKED:
            return None
        _keep_password(books, row.number, kept, now)
        _change(books, row.number, state=UserState.ACTIVE, failures=0)
        record_audit(books, now, f"{row.role} {row.number}", "set password", f"staff {row.number}")
    return link.staff_number


def _keep_password(books: Connection, number: int, kept: str, now: datetime) -> None:
    row = credential.c
    books.execute(
        credential.delete().where(row.staff_number == number, row.kind == CredentialKind.PASSWORD)
    )
    books.execute(
        credential.insert().values(
            staff_number=number, kind=CredentialKind.PASSWORD, secret=kept, since=now
        )
    )


def _change(books: Connection, number: int, **values: Any) -> None:
    """Change a member of staff; the version moves on, so that no session goes on."""
    books.execute(
        staff.update().where(staff.c.number == number).values(version=staff.c.version + 1, **values)
    )


def _has_password(books: Connection, number: int) -> bool:
    row = credential.c
    query = sa.select(row.number).where(
        row.staff_number == number, row.kind == CredentialKind.PASSWORD
    )
    return books.scalar(query) is not None


def _row(books: Connection, address: str) -> Any:
    query = sa.select(staff).where(staff.c.mailbox == mailbox_of(address))
    return books.execute(query).one_or_none()


def _link(books: Connection, tokens: LinkTokens, member: StaffMember, now: datetime) -> PortalMail:
    key = make_link(books, tokens, LinkKind.STAFF_PASSWORD, now, staff_number=member.number)
    return PortalMail("staff", member.address, member.number, key)
