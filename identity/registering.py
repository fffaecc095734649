"""Registering, proving the address, and a password forgotten (rules 139-145, 152-153, 165)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.identity import one_time_link
from domain.identity import LinkKind, PortalMail, PortalUser, UserState
from identity.activity import record_activity
from identity.one_time_links import (
    OneTimeLink,
    count_wrong_code,
    find_link,
    find_link_of_user,
    make_link,
    revoke_links,
    use_link,
)
from identity.passwords import Passwords
from identity.tokens import LinkTokens, token_hash
from identity.users import (
    change_state,
    clear_failures,
    find_by_mailbox,
    find_user,
    has_password,
    is_left_lately,
    keep_language,
    keep_phone,
    make_user,
    set_password,
)

MOST_CODE_TRIES = 5  # wrong ones; then the mail's code and link are worth nothing
VERIFIES = frozenset({LinkKind.VERIFY})
SETS_PASSWORD = frozenset({LinkKind.RESET_PASSWORD, LinkKind.CREATE_CREDENTIALS})


@dataclass(frozen=True, slots=True)
class Registration:
    """What a person gave to be registered; the address is a valid one."""

    address: str
    password_hash: str
    phone: str = ""
    language: str = "en"
    browser: str = ""  # what the browser keeps of it: only there the password counts at once


def register(
    books: Connection, tokens: LinkTokens, wish: Registration, now: datetime
) -> PortalMail:
    """
    Register a person and return the mail that goes out (rules 139, 140).

    The page answers the same whoever asks: only the owner of the mailbox learns whether it was
    known. Who registered before and never proved the address gets another link. The password
    that was given counts only where the link is opened in the same browser: anybody can register
    the mailbox of somebody else, who elsewhere chooses a password of their own.
    """
    known = find_by_mailbox(books, wish.address)
    if known is None and is_left_lately(books, wish.address, now):
        return PortalMail("address-taken", wish.address, 0)
    if known is not None and known.state is not UserState.UNVERIFIED:
        return PortalMail("known", known.address, known.number)
    if known is None:
        number = make_user(books, wish.address, now, UserState.UNVERIFIED, phone=wish.phone)
        keep_language(books, number, wish.language)
        record_activity(books, number, "registered", now)
    else:
        number = known.number
    set_password(books, number, wish.password_hash, now)
    key = _verifying(books, tokens, number, now, token_hash(wish.browser) if wish.browser else "")
    return PortalMail("verify", wish.address, number, key)


def _verifying(
    books: Connection, tokens: LinkTokens, user: int, now: datetime, browser: str = ""
) -> str:
    """Make the one link that proves an address; those for other browsers end."""
    row = one_time_link.c
    revoke_links(books, now, row.kind == LinkKind.VERIFY, row.user_number == user)
    return make_link(books, tokens, LinkKind.VERIFY, now, user=user, about=browser)


def is_registered_in(link: OneTimeLink, browser: str) -> bool:
    """Tell whether a link is opened in the browser in which its password was chosen."""
    return bool(browser) and hmac.compare_digest(link.about, token_hash(browser))


def verify(books: Connection, token: str, now: datetime, browser: str) -> int | None:
    """
    Take the button under a verification mail as proof of the address and of the password.

    None: no good link, or another browser than the one that registered: there a password has to
    be chosen (`verify_anew`).
    """
    link = find_link(books, token, VERIFIES, now)
    return _prove(books, link, now) if link and is_registered_in(link, browser) else None


def verify_anew(
    database: Database, passwords: Passwords, token: str, password: str, now: datetime
) -> int | None:
    """
    Prove an address by its mailed link, with a password that is chosen behind it.

    What whoever registered gave besides counts for nothing: not the password, not the phone.
    """
    kept = passwords.to_hash(password)
    with database.writing() as books:
        link = find_link(books, token, VERIFIES, now)
        user = _prove(books, link, now) if link else None
        if user is not None:
            set_password(books, user, kept, now)
            keep_phone(books, user, "")
            record_activity(books, user, "password set", now, detail="by a mailed link")
    return user


def verify_by_code(
    books: Connection, tokens: LinkTokens, address: str, code: str, now: datetime, browser: str
) -> int | OneTimeLink | None:
    """
    Take the six digits of a verification mail as proof of the address, where no link opens.

    In another browser than the one that registered the link is returned, behind which a password
    has to be chosen. None: wrong, used, over, or nobody's address; nothing tells which. The fifth
    wrong try of a code is its end, the link's too: register again for another one.
    """
    user = find_by_mailbox(books, address)
    typed = "".join(filter(str.isdigit, code))
    link = find_link_of_user(books, user.number, LinkKind.VERIFY, now) if user else None
    if link is None:
        return None
    if not hmac.compare_digest(tokens.code(link.key).encode(), typed.encode()):
        count_wrong_code(books, link, now, MOST_CODE_TRIES)
        return None
    return _prove(books, link, now) if is_registered_in(link, browser) else link


def _prove(books: Connection, link: OneTimeLink, now: datetime) -> int | None:
    if link.user is None or not use_link(books, link, now):
        return None
    user = find_user(books, link.user)
    if user is None or user.state is not UserState.UNVERIFIED:
        return None
    change_state(books, link.user, UserState.ACTIVE)
    record_activity(books, link.user, "verified", now)
    return link.user


def forgot(books: Connection, tokens: LinkTokens, address: str, now: datetime) -> PortalMail | None:
    """
    Return the mail to whoever forgot a password, None where nobody has that mailbox.

    Each state gets what it lacks and nothing else (rule 148): who has a password may set another,
    who never proved the address proves it, who was invited makes one.
    """
    user = find_by_mailbox(books, address)
    if user is None or user.state in (UserState.LOCKED, UserState.DELETED):
        return None
    return access_mail(books, tokens, user, now)


def access_mail(
    books: Connection, tokens: LinkTokens, user: PortalUser, now: datetime
) -> PortalMail:
    """Make the one link that a user's state allows, and its mail (rules 144, 147, 148)."""
    if user.state is UserState.UNVERIFIED:
        key = _verifying(books, tokens, user.number, now)
        return PortalMail("verify", user.address, user.number, key)
    if has_password(books, user.number):
        kind, form = LinkKind.RESET_PASSWORD, "reset"
    else:
        kind, form = LinkKind.CREATE_CREDENTIALS, "invitation"
    key = make_link(books, tokens, kind, now, user=user.number)
    return PortalMail(form, user.address, user.number, key)


def choose_password(
    database: Database, passwords: Passwords, token: str, password: str, now: datetime
) -> int | None:
    """
    Set a password by a mailed link and return whose, None where the link is good no more.

    The address is proved by it, and every session of before has ended. A password that ten
    failures had locked is one no more.
    """
    kept = passwords.to_hash(password)
    with database.writing() as books:
        link = find_link(books, token, SETS_PASSWORD, now)
        if link is None or link.user is None or not use_link(books, link, now):
            return None
        user = find_user(books, link.user)
        if user is None or user.state in (UserState.LOCKED, UserState.DELETED):
            return None
        set_password(books, link.user, kept, now)
        clear_failures(books, link.user)
        change_state(books, link.user, UserState.ACTIVE)
        record_activity(books, link.user, "password set", now, detail="by a mailed link")
    return link.user
