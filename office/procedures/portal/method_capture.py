"""Adding a payment method: the visit is written down, the gateway's page asks for the card."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from database.definitions.checkout import guest_method
from database.definitions.identity import method_capture
from database.inserting import insert_new
from domain.checkout import CheckoutOwner
from domain.failures import Refused
from domain.identity import PortalUser
from identity.sessions import SignedIn
from identity.tokens import new_token
from identity.wallet import SavedMethod, save_method
from office.equipment.office import Office
from payments.method_capture import CaptureRequest

RETURNS_TO = "/wallet/added/"
LINK_RETURNS_TO = "/add-method/added/"
GUEST_RETURNS_TO = "/guest/added/"
MOST_OPEN = 20  # visits of one portal user that came to nothing, within WINDOW
WINDOW = timedelta(hours=24)


def begin_capture(office: Office, who: SignedIn, goes_on_to: str = "") -> str:
    """
    Return the address of the page on which a portal user gives a card or bank account.

    The visit is in our books before the gateway hears of it, under a random key. `goes_on_to` is
    our page on which they were, in mid-payment. Raises TemporaryFailure and PermanentFailure like
    the port, Refused (`too-many`) where somebody begins again and again.
    """
    mine = method_capture.c.user_number == who.number
    values = {"user_number": who.number, "goes_on_to": goes_on_to[:200]}
    return _begin(office, mine, values, who.who, RETURNS_TO)


def begin_guest_capture(office: Office, guest: CheckoutOwner) -> str:
    """Return the same page for a guest, whose receipt goes to the address that they gave."""
    mine = method_capture.c.guest == guest.guest
    values = {"guest": guest.guest, "receipt_to": guest.address}
    return _begin(office, mine, values, guest.who, GUEST_RETURNS_TO)


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
) -> str:
    now, key, visits = office.due_now(), new_token(), method_capture.c
    with office.database.writing() as books:
        open_ones = sa.select(sa.func.count()).where(
            mine, visits.token == "", visits.begun_at > now - WINDOW
        )
        if (books.scalar(open_ones) or 0) >= MOST_OPEN:
            raise Refused("too-many", "Too many payment methods were begun and not added today.")
        books.execute(method_capture.insert().values(key=key, begun_at=now, **values))
    url = f"{office.settings.web.url.rstrip('/')}{returns_to}{key}"
    page = office.method_capture.begin(CaptureRequest(key, customer, url))
    with office.database.writing() as books:
        books.execute(
            method_capture.update().where(visits.key == key).values(reference=page.reference)
        )
    return page.url


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
    given = office.method_capture.finish(key, row.reference)
    if given is None:
        return None
    now = office.due_now()
    with office.database.writing() as books:
        values = {"token": given.token, "kind": given.kind, "last4": given.last4}
        keeping = insert_new(books.dialect.name, guest_method)
        books.execute(keeping.values(guest=guest, added_at=now, **values))
        books.execute(
            method_capture.update()
            .where(mine, visits.ended_at.is_(None))
            .values(ended_at=now, token=given.token)
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
    given = office.method_capture.finish(key, row.reference)
    if given is None:
        return None
    method = SavedMethod(given.token, given.kind, given.last4, given.brand, given.expires_on)
    if row.ended_at is None:
        with office.database.writing() as books:
            now = office.due_now()
            save_method(books, who, method, now)
            ended = visits.ended_at.is_(None)
            books.execute(
                method_capture.update().where(mine, ended).values(ended_at=now, token=given.token)
            )
    return method
