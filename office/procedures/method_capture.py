"""Adding a payment method: the visit is written down, the gateway's page asks for the card."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from database.definitions.identity import method_capture
from domain.failures import Refused
from identity.sessions import SignedIn
from identity.tokens import new_token
from identity.wallet import SavedMethod, save_method
from office.equipment.office import Office
from payments.method_capture import CaptureRequest

RETURNS_TO = "/wallet/added/"
MOST_OPEN = 20  # visits of one portal user that came to nothing, within WINDOW
WINDOW = timedelta(hours=24)


def begin_capture(office: Office, who: SignedIn) -> str:
    """
    Return the address of the page on which a portal user gives a card or bank account.

    The visit is in our books before the gateway hears of it, under a random key. Raises
    TemporaryFailure and PermanentFailure like the port, Refused (`too-many`) where somebody
    begins again and again.
    """
    now, key, visits = office.due_now(), new_token(), method_capture.c
    with office.database.writing() as books:
        open_ones = sa.select(sa.func.count()).where(
            visits.user_number == who.number,
            visits.token == "",
            visits.begun_at > now - WINDOW,
        )
        if (books.scalar(open_ones) or 0) >= MOST_OPEN:
            raise Refused("too-many", "Too many payment methods were begun and not added today.")
        books.execute(method_capture.insert().values(key=key, user_number=who.number, begun_at=now))
    returns_to = f"{office.settings.web.url.rstrip('/')}{RETURNS_TO}{key}"
    page = office.method_capture.begin(CaptureRequest(key, who.who, returns_to))
    with office.database.writing() as books:
        books.execute(
            method_capture.update().where(visits.key == key).values(reference=page.reference)
        )
    return page.url


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
