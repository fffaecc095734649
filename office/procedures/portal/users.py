"""Portal users locked, let in again, deleted and written to, with all that hangs on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.engine import Connection

from domain.customer_service import AutopayOnLock, StaffAct
from domain.failures import Refused
from domain.identity import PortalUser
from identity.activity import record_activity
from identity.customer_service.locking import delete_user, lock_user
from identity.users import find_user
from office.equipment.office import Office
from payments.enrollment.ending import Ended
from payments.enrollment.of_user import end_autopay_of_user
from payments.enrollment.wording import say_mandate


def lock_with_payments(
    office: Office, user: int, act: StaffAct, wish: AutopayOnLock, now: datetime, today: date
) -> Sequence[Ended]:
    """
    Lock a portal user; their payments go on, or end where that was asked for (ruling 11).

    One transaction: nobody is locked whose payments could not be ended.
    """
    with office.database.writing() as books:
        person = require_user(books, user)
        ended = _end_autopay(books, person, act, now, today) if wish is AutopayOnLock.END else ()
        lock_user(books, user, act, now)
    return ended


def delete_with_payments(
    office: Office, user: int, act: StaffAct, now: datetime, today: date
) -> Sequence[Ended]:
    """Delete a portal user and cancel what is scheduled and pending of them (rule 161)."""
    with office.database.writing() as books:
        person = require_user(books, user)
        ended = _end_autopay(books, person, act, now, today)
        delete_user(books, user, act, now)
    return ended


def require_user(books: Connection, user: int) -> PortalUser:
    """Return a portal user; raises Refused for a number that nobody has."""
    person = find_user(books, user)
    if person is None:
        raise Refused("unknown-user", "No portal account has that number.")
    return person


def _end_autopay(
    books: Connection, person: PortalUser, act: StaffAct, now: datetime, today: date
) -> Sequence[Ended]:
    ended = end_autopay_of_user(books, person, now=now, today=today, who=act.by, reason=act.detail)
    for one in ended:
        record_activity(
            books,
            person.number,
            "autopay ended",
            now,
            account_key=one.standing.key,
            detail=say_mandate(one.mandate),
            by=act.by,
        )
    return ended
