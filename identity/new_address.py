"""The address that somebody signs in with, changed: asked for, proved, and stopped again."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.definitions.identity import (
    address_change,
    credential,
    one_time_link,
    passkey,
    spare_code,
    web_user,
)
from database.definitions.oidc import outside_identity
from database.inserting import insert_new
from database.queries.customers.findable import refresh_found_of
from database.queries.customers.moved_mailboxes import Mailbox, is_named, move_mailbox
from database.tables import unsubscribed_address
from domain.failures import Refused
from domain.identity import (
    LINK_HOURS,
    CredentialKind,
    LinkKind,
    PortalMail,
    UserState,
    mailbox_of,
)
from identity.activity import record_activity
from identity.attempts.counting import count_bad, record_attempt
from identity.holding import hold_user
from identity.one_time_links import (
    OneTimeLink,
    count_wrong_code,
    find_link,
    find_link_by_key,
    find_link_of_user,
    make_link,
    revoke_links,
    use_link,
)
from identity.registering import MOST_CODE_TRIES
from identity.tokens import LinkTokens, token_hash
from identity.users import drop_password, find_by_mailbox, find_user, is_left_lately

SETTLES = timedelta(hours=24)  # after a change: no other one, and no new payment method
MOST_ASKED = 5  # a day by one portal user
PROVES = frozenset({LinkKind.NEW_ADDRESS})
STOPS = frozenset({LinkKind.STOP_ADDRESS})
_DAY = timedelta(days=1)
_BEFORE = timedelta(days=7)  # a way to sign in that came so shortly before is stopped with it
# Mailed to the address so far, or read out: none may open what is signed in to by another one.
_LET_IN = (
    LinkKind.VERIFY,
    LinkKind.CREATE_CREDENTIALS,
    LinkKind.RESET_PASSWORD,
    LinkKind.UNLOCK,
    LinkKind.CONNECT_IDENTITY,
    LinkKind.RECOVERY_CODE,
    LinkKind.ADD_METHOD,
)


@dataclass(frozen=True, slots=True)
class AddressChanged:
    """A change that was proved: whose, and the mails that tell of it."""

    user: int
    mails: tuple[PortalMail, ...]


@dataclass(frozen=True, slots=True)
class AddressStopped:
    """A change that was stopped; `reset` is the token by which a new password is chosen."""

    reset: str  # empty: staff have locked the access, which stays so


def settles_until(books: Connection, user: int, now: datetime) -> datetime | None:
    """Return until when a changed address keeps payment methods out; None: it does not."""
    row = address_change.c
    changed = books.scalar(
        sa.select(sa.func.max(row.changed_at)).where(
            row.user_number == user, row.stopped_at.is_(None), row.changed_at > now - SETTLES
        )
    )
    return None if changed is None else changed + SETTLES


def require_settled(books: Connection, user: int, now: datetime) -> None:
    """Raise Refused (`address-new`) for a day after the address was changed."""
    if settles_until(books, user, now) is not None:
        raise Refused(
            "address-new",
            "The address of the portal user was changed less than 24 hours ago; until then no "
            "payment method can be added.",
        )


def ask_for_address(
    books: Connection, tokens: LinkTokens, user: int, address: str, now: datetime
) -> tuple[PortalMail, ...]:
    """
    Write down which address somebody wants to sign in with, and return the mails that go out.

    The new address gets a link and six digits, the one so far a way to stop it. An address that is
    somebody else's gets a word of it instead, and whoever asked sees no difference (rule 150).
    Whoever asks has given the password, or a passkey, just now. Raises Refused: `address-new` for
    a day after the last change, `too-many` after five in a day.
    """
    who = find_user(books, user)
    assert who is not None
    require_settled(books, user, now)
    subject = [f"user/{user}"]
    if count_bad(books, "new-address", subject, now, _DAY) >= MOST_ASKED:
        raise Refused("too-many", "Five addresses were asked for today; that is enough.")
    record_attempt(books, "new-address", subject, now, good=False)
    proof = make_link(books, tokens, LinkKind.NEW_ADDRESS, now, user=user)
    stop = make_link(
        books, tokens, LinkKind.STOP_ADDRESS, now, user=user, about=token_hash(who.mailbox)
    )
    wanted = mailbox_of(address)
    books.execute(
        address_change.insert().values(
            user_number=user,
            from_mailbox=who.mailbox,
            from_address=who.address,
            to_mailbox=wanted,
            to_address=address.strip(),
            proof=proof,
            stop=stop,
            asked_at=now,
        )
    )
    record_activity(books, user, "new address asked for", now)
    told = PortalMail("address-asked", who.address, user, stop)
    if _is_taken(books, user, wanted, now):
        return told, PortalMail("address-taken", address.strip(), user)
    return told, PortalMail("new-address", address.strip(), user, proof)


def find_asked(books: Connection, user: int, now: datetime) -> str | None:
    """Return the address that somebody has asked for and can still prove; None: there is none."""
    link = find_link_of_user(books, user, LinkKind.NEW_ADDRESS, now)
    row = address_change.c
    query = sa.select(row.to_address).where(row.proof == (link.key if link else ""))
    return books.scalar(query)


def find_address_change(books: Connection, user: int, now: datetime) -> Any:
    """
    Return the newest change that somebody asked for in these days, for customer service.

    None where there is none that is proved, stopped, or can be proved still.
    """
    row, link = address_change.c, one_time_link.c
    is_open = sa.and_(link.used_at.is_(None), link.revoked_at.is_(None), link.expires_at > now)
    query = (
        sa.select(address_change)
        .join(one_time_link, link.key == row.proof)
        .where(row.user_number == user, row.asked_at > now - LINK_HOURS[LinkKind.STOP_ADDRESS])
        .where(row.changed_at.is_not(None) | row.stopped_at.is_not(None) | is_open)
        .order_by(row.number.desc())
    )
    return books.execute(query.limit(1)).one_or_none()


def give_up_address(books: Connection, user: int, now: datetime) -> None:
    """Take back what was asked for: its link and its code are worth nothing."""
    row = one_time_link.c
    mine = (row.user_number == user, row.kind == LinkKind.NEW_ADDRESS)
    if revoke_links(books, now, *mine):
        record_activity(books, user, "new address given up", now)


def find_wanted(books: Connection, token: str, now: datetime) -> str | None:
    """Return the address that a link proves while it is good; looking changes nothing."""
    link = find_link(books, token, PROVES, now)
    row = address_change.c
    query = sa.select(row.to_address).where(row.proof == (link.key if link else ""))
    return books.scalar(query)


def prove_by_link(books: Connection, token: str, now: datetime) -> AddressChanged | None:
    """Change the address by the button behind the link to the new one; None: it is over."""
    link = find_link(books, token, PROVES, now)
    return _change(books, link, now) if link else None


def prove_by_code(
    books: Connection, tokens: LinkTokens, user: int, code: str, now: datetime
) -> AddressChanged | None:
    """
    Change the address by the six digits that were mailed to the new one.

    None: they are wrong, or over. The fifth wrong try is their end, and the link's.
    """
    link = find_link_of_user(books, user, LinkKind.NEW_ADDRESS, now)
    if link is None:
        return None
    typed = "".join(filter(str.isdigit, code))
    if not hmac.compare_digest(tokens.code(link.key).encode(), typed.encode()):
        count_wrong_code(books, link, now, MOST_CODE_TRIES)
        return None
    return _change(books, link, now)


def stop_address(
    books: Connection, tokens: LinkTokens, token: str, now: datetime
) -> AddressStopped | None:
    """
    Stop a change for whoever reads the address so far, before it was proved or after; None: over.

    The address is what it was. Every session has ended, the password is none any more, and ways to
    sign in that came in the days before or since are gone: whoever asked for the change knew that
    password.
    """
    link = find_link(books, token, STOPS, now)
    if link is None or link.user is None or not use_link(books, link, now):
        return None
    user, row = hold_user(books, link.user), address_change.c
    if user is None or user.state is UserState.DELETED:
        return None
    change = books.execute(sa.select(address_change).where(row.stop == link.key)).one()
    if user.mailbox != change.from_mailbox:
        _write(books, user, Mailbox(change.from_mailbox, change.from_address))
    theirs = row.user_number == user.number
    later = sa.and_(theirs, row.number >= change.number)
    books.execute(address_change.update().where(later).values(stopped_at=now))
    _take_ways_away(books, user.number, change.asked_at - _BEFORE)
    links = one_time_link.c
    revoke_links(books, now, links.user_number == user.number, links.kind.in_(_ALL))
    _record(books, user.number, "new address stopped", now)
    if user.state is not UserState.ACTIVE:
        return AddressStopped("")
    key = make_link(books, tokens, LinkKind.RESET_PASSWORD, now, user=user.number)
    return AddressStopped(tokens.token(key))


_ALL = (*_LET_IN, LinkKind.NEW_ADDRESS, LinkKind.STOP_ADDRESS)


def _change(books: Connection, link: OneTimeLink, now: datetime) -> AddressChanged | None:
    row, user = address_change.c, hold_user(books, link.user or 0)
    change = books.execute(sa.select(address_change).where(row.proof == link.key)).one_or_none()
    if change is None or user is None or user.state is not UserState.ACTIVE:
        return None
    if user.mailbox != change.from_mailbox or _is_taken(books, user.number, change.to_mailbox, now):
        return None
    if not use_link(books, link, now):
        return None
    _make_room(books, change.to_mailbox, now)
    _write(books, user, Mailbox(change.to_mailbox, change.to_address))
    books.execute(address_change.update().where(row.number == change.number).values(changed_at=now))
    links = one_time_link.c
    revoke_links(books, now, links.user_number == user.number, links.kind.in_(_LET_IN))
    _record(books, user.number, "sign-in address changed", now)
    stop = find_link_by_key(books, change.stop)
    told = PortalMail("address-changed", change.from_address, user.number, stop.key if stop else "")
    return AddressChanged(user.number, (told,))


def _write(books: Connection, user: Any, to: Mailbox) -> None:
    """Give a user another mailbox, and end every session; what is said of the old one follows."""
    refresh_found_of(books, user.number)
    books.execute(
        web_user.update()
        .where(web_user.c.number == user.number)
        .values(mailbox=to.mailbox, address=to.address, version=user.version + 1)
    )
    move_mailbox(books, user.mailbox, to)
    _keep_unsubscribed(books, user.mailbox, to.mailbox)
    refresh_found_of(books, user.number)


def _keep_unsubscribed(books: Connection, old: str, new: str) -> None:
    """Whoever wants no mass mail wants none at the new address either."""
    row = unsubscribed_address.c
    since = books.scalar(sa.select(row.since).where(row.mailbox == old))
    if since is not None:
        new_row = insert_new(books.dialect.name, unsubscribed_address)
        books.execute(new_row.values(mailbox=new, since=since))


def _is_taken(books: Connection, user: int, mailbox: str, now: datetime) -> bool:
    """
    Tell whether a mailbox is somebody else's: registered, left these days, or the export's.

    Who only began to register it has not shown that it is theirs.
    """
    owner = find_by_mailbox(books, mailbox)
    if owner is not None and owner.number == user:
        return False
    if owner is not None and owner.state is not UserState.UNVERIFIED:
        return True
    return is_left_lately(books, mailbox, now, but=user) or is_named(books, mailbox)


def _make_room(books: Connection, mailbox: str, now: datetime) -> None:
    """Let a registration go that nobody proved: its mailbox is shown to be another user's."""
    owner = find_by_mailbox(books, mailbox)
    if owner is None or owner.state is not UserState.UNVERIFIED:
        return
    row = one_time_link.c
    revoke_links(books, now, row.user_number == owner.number)
    drop_password(books, owner.number)
    books.execute(
        web_user.update()
        .where(web_user.c.number == owner.number)
        .values(
            mailbox=f"{owner.number}/given-up",
            address=f"{owner.number}/given-up",
            phone="",
            state=UserState.DELETED,
            returns_to=UserState.UNVERIFIED,
            version=web_user.c.version + 1,
        )
    )
    detail = "another portal user showed that the address is theirs"
    record_activity(books, owner.number, "registration ended", now, detail=detail, by="system")


def _take_ways_away(books: Connection, user: int, since: datetime) -> None:
    """Take the password away, and what else lets in or keeps out and came after a moment."""
    drop_password(books, user)
    own, keys, elsewhere = credential.c, passkey.c, outside_identity.c
    phone = sa.and_(own.user_number == user, own.kind == CredentialKind.TOTP, own.since > since)
    if books.execute(credential.delete().where(phone)).rowcount:
        books.execute(spare_code.delete().where(spare_code.c.user_number == user))
    books.execute(passkey.delete().where(keys.user_number == user, keys.made_at > since))
    mine = sa.and_(elsewhere.user_number == user, elsewhere.linked_at > since)
    books.execute(outside_identity.delete().where(mine))
    ended = web_user.c.version + 1
    books.execute(web_user.update().where(web_user.c.number == user).values(version=ended))


def _record(books: Connection, user: int, kind: str, now: datetime) -> None:
    record_activity(books, user, kind, now)
    record_audit(books, now, f"customer {user}", kind, f"customer {user}")
