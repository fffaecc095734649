"""Adding a payment method: the visit is written down, the gateway's page asks for the card."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from database.definitions.checkout import guest_method
from database.definitions.identity import method_capture
from database.inserting import insert_new
from domain.checkout import CheckoutOwner
from domain.failures import Refused
from domain.identity import PortalUser, UserState
from domain.payments import MethodKind
from identity.new_address import require_settled
from identity.one_time_links import find_link_by_key, use_link
from identity.sessions import SignedIn
from identity.tokens import new_token
from identity.users import find_user
from identity.wallet import SavedMethod, WalletOwner, save_method
from office.equipment.office import Office
from payments.method_capture import ALL_KINDS, CapturedMethod, CaptureRequest

RETURNS_TO = "/wallet/added/"
LINK_RETURNS_TO = "/add-method/added/"
GUEST_RETURNS_TO = "/guest/added/"
SHUT_OUT = (UserState.LOCKED, UserState.DELETED)
MOST_OPEN = 20  # visits of one portal user that came to nothing, within WINDOW
WINDOW = timedelta(hours=24)


def begin_capture(
    office: Office,
    who: SignedIn,
    goes_on_to: str = "",
    kinds: tuple[MethodKind, ...] = ALL_KINDS,
) -> str:
    """
    Return the address of the page on which a portal user gives a card or bank account.

    The visit is in our books before the gateway hears of it, under a random key. `goes_on_to` is
    our page on which they were, in mid-payment, and `kinds` are what the page offers then: those
    in which all that is paid may be paid (rule 136). Raises TemporaryFailure and PermanentFailure
    like the port, Refused (`too-many`) where somebody begins again and again, and (`address-new`)
    for a day after the address that they sign in with was changed.
    """
    mine = method_capture.c.user_number == who.number
    values = {"user_number": who.number, "goes_on_to": goes_on_to[:200]}
    return _begin(office, mine, values, who.who, RETURNS_TO, kinds)


def begin_guest_capture(
    office: Office, guest: CheckoutOwner, kinds: tuple[MethodKind, ...] = ALL_KINDS
) -> str:
    """Return the same page for a guest, whose receipt goes to the address that they gave."""
    mine = method_capture.c.guest == guest.guest
    values = {"guest": guest.guest, "receipt_to": guest.address}
    return _begin(office, mine, values, guest.who, GUEST_RETURNS_TO, kinds)


def begin_link_capture(office: Office, owner: PortalUser, link: str) -> str:
    """Return the same page for whoever holds a link by which the office asked for a method."""
    mine = method_capture.c.user_number == owner.number
    values = {"user_number": owner.number, "link": link}
    return _begin(office, mine, values, owner.who, LINK_RETURNS_TO)


def _begin(
    office: Office,
    mine: sa.ColumnElement[bool],
    values: dict[str, Any],
    customer: str,
    returns_to: str,
    kinds: tuple[MethodKind, ...] = ALL_KINDS,
) -> str:
    now, key, visits = office.due_now(), new_token(), method_capture.c
    with office.database.writing() as books:
        open_ones = sa.select(sa.func.count()).where(
            mine, visits.token == "", visits.begun_at > now - WINDOW
        )
        if "user_number" in values:
            require_settled(books, values["user_number"], now)
        if (books.scalar(open_ones) or 0) >= MOST_OPEN:
            raise Refused("too-many", "Too many payment methods were begun and not added today.")
        payer = books.scalar(_payer(mine)) or ""
        books.execute(method_capture.insert().values(key=key, begun_at=now, **values))
    url = f"{office.settings.web.url.rstrip('/')}{returns_to}{key}"
    page = office.method_capture.begin(CaptureRequest(key, customer, url, payer, kinds))
    with office.database.writing() as books:
        told = {"reference": page.reference, "payer": page.payer}
        books.execute(method_capture.update().where(visits.key == key).values(told))
    return page.url


def _payer(mine: sa.ColumnElement[bool]) -> sa.Select[tuple[str]]:
    """Select whom the gateway made of somebody at their newest visit."""
    visits = method_capture.c
    return (
        sa.select(visits.payer)
        .where(mine, visits.payer != "")
        .order_by(visits.begun_at.desc())
        .limit(1)
    )


def page_before(office: Office, who: SignedIn, key: str) -> str:
    """Return our page from which a visit began; empty where it was the wallet."""
    visits = method_capture.c
    query = sa.select(visits.goes_on_to).where(visits.key == key, visits.user_number == who.number)
    with office.database.reading() as books:
        return books.scalar(query) or ""


def finish_guest_capture(office: Office, guest: str, key: str) -> tuple[CheckoutOwner, str] | None:
    """
    Keep what a guest gave on the gateway's page, for this payment alone; None where nothing was.

    Returns the guest with the address of the receipt, and the token. Raises LookupError for a
    visit of anybody else.
    """
    visits = method_capture.c
    mine = sa.and_(visits.key == key, visits.guest == (guest or "nobody"))
    with office.database.reading() as books:
        row = books.execute(sa.select(method_capture).where(mine)).one_or_none()
    if row is None:
        raise LookupError("no such visit of theirs")
    given = _given(office, row)
    if given is None:
        return None
    now = office.due_now()
    with office.database.writing() as books:
        keeping = insert_new(books.dialect.name, guest_method).values(
            token=given.token,
            guest=guest,
            kind=given.kind,
            last4=given.last4,
            brand=given.brand,
            added_at=now,
        )
        books.execute(keeping)
        books.execute(
            method_capture.update()
            .where(mine, visits.ended_at.is_(None))
            .values(_came_of_it(given, now))
        )
    return CheckoutOwner(None, row.receipt_to, guest), given.token


def finish_capture(office: Office, who: SignedIn, key: str) -> SavedMethod | None:
    """
    Put into the wallet what was given on the gateway's page; None where nothing was.

    Only for whoever began the visit, however often the page is loaded: raises LookupError for a
    visit of anybody else.
    """
    visits = method_capture.c
    mine = sa.and_(visits.key == key, visits.user_number == who.number)
    with office.database.reading() as books:
        row = books.execute(sa.select(method_capture).where(mine)).one_or_none()
    if row is None:
        raise LookupError("no such visit of theirs")
    given = _given(office, row)
    if given is None:
        return None
    if row.ended_at is None:
        _save(office, who, row, given)
    return _to_saved(given)


def finish_link_capture(office: Office, key: str) -> SavedMethod | None:
    """
    Put into the wallet what whoever held a link gave; None where nothing was.

    However often the page is loaded, it is there once, and the link is used up by it: a second
    visit of the same link adds nothing. Raises LookupError for that, and for a visit that no link
    began; its key is known to that browser alone.
    """
    visits = method_capture.c
    with office.database.reading() as books:
        query = sa.select(method_capture).where(visits.key == key, visits.link != "")
        row = books.execute(query).one_or_none()
        user = find_user(books, row.user_number) if row else None
    if row is None or user is None or user.state in SHUT_OUT:
        raise LookupError("no such visit by a link")
    given = _given(office, row)
    if given is None:
        return None
    if row.ended_at is None and not _save(office, user, row, given) and not _is_ended(office, key):
        raise LookupError("the link was used by another visit")
    return _to_saved(given)


def _is_ended(office: Office, key: str) -> bool:
    visits = method_capture.c
    query = sa.select(visits.ended_at).where(visits.key == key)
    with office.database.reading() as books:
        return books.scalar(query) is not None


def _to_saved(given: CapturedMethod) -> SavedMethod:
    return SavedMethod(given.token, given.kind, given.last4, given.brand, given.expires_on)


def finish_told_capture(office: Office, key: str) -> bool:
    """
    Put into the wallet what a visit came to whose browser never came back; tell whether it did.

    The gateway only says which visit: what was given it is asked, as ever. What a guest gave is
    left alone: it pays once, by the guest's own yes. Raises like the port.
    """
    visits = method_capture.c
    with office.database.reading() as books:
        query = sa.select(method_capture).where(visits.key == key, visits.ended_at.is_(None))
        row = books.execute(query).one_or_none()
        user = find_user(books, row.user_number) if row and row.user_number else None
    if row is None or user is None or user.state is UserState.DELETED:
        return False
    given = _given(office, row)
    if given is None:
        return False
    return _save(office, user, row, given)


def _save(office: Office, who: WalletOwner, row: Any, given: CapturedMethod) -> bool:
    """Save what a visit came to, if nobody has meanwhile; the link that led to it is used up."""
    visits, now = method_capture.c, office.due_now()
    ending = (
        method_capture.update()
        .where(visits.key == row.key, visits.user_number == who.number, visits.ended_at.is_(None))
        .values(_came_of_it(given, now))
    )
    with office.database.writing() as books:
        link = find_link_by_key(books, row.link) if row.link else None
        if row.link and (link is None or not use_link(books, link, now)):
            return False  # another visit of the same link came to something
        if books.execute(ending).rowcount != 1:
            return False
        return save_method(books, who, _to_saved(given), now, given.mandate)


def _given(office: Office, row: Any) -> CapturedMethod | None:
    """Ask the gateway what a visit came to; one that it never answered came to nothing."""
    return office.method_capture.finish(row.key, row.reference) if row.reference else None


def _came_of_it(given: CapturedMethod, now: datetime) -> dict[str, Any]:
    return {
        "ended_at": now,
        "token": given.token,
        "mandate": given.mandate,
        "agreed_at": given.agreed_at,
    }
