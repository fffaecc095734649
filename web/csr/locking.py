"""Lock, unlock and delete a portal account, after a question (rules 157, 161-163, ruling 11)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from domain.customer_service import AutopayOnLock, LockReason, StaffAct, UnlockReason
from domain.failures import Refused
from domain.identity import PortalUser, UserState
from identity.customer_service.locking import unlock_user
from office.procedures.portal.users import delete_with_payments, lock_with_payments
from payments.enrollment.of_user import hangs_on_user
from payments.enrollment.wording import say_mandate
from web.csr.layout import LOCK_REASONS, back, person_of, problem_of, show_person, unknown
from web.visits import Visit

UNLOCK_REASONS = (
    (UnlockReason.SAFE_AGAIN, "The account is no longer compromised"),
    (UnlockReason.FAILED_SIGN_INS, "Ten failed sign-ins locked it, and the customer called"),
    (UnlockReason.OPTED_IN, "The customer opts in again"),
    (UnlockReason.OTHER, "Another reason"),
)
NO_REASON = "Choose why."
NO_NOTE = "Say in a few words which other reason it is."
NO_WISH = "Choose what becomes of autopay."
LONGEST_NOTE = 200  # characters


def ask_lock(visit: Visit) -> Response:
    person = person_of(visit)
    return unknown(visit) if person is None else _lock_page(visit, person)


def take_lock(visit: Visit) -> Response:
    """Lock, with a reason, once it was said what becomes of autopay where there is any."""
    person = person_of(visit)
    if person is None:
        return unknown(visit)
    problems: dict[str, str] = {}
    act = _act(visit, LockReason, problems)
    wish = next((one for one in AutopayOnLock if one == visit.text("autopay")), None)
    if wish is None and _what_hangs(visit, person)["autopay"]:
        problems["autopay"] = NO_WISH
    if problems or act is None:
        return _lock_page(visit, person, problems, 422)
    try:
        lock_with_payments(
            visit.office, person.number, act, wish or AutopayOnLock.KEEP, visit.now, visit.today
        )
    except Refused as refusal:
        return _lock_page(visit, person, problem_of(refusal), 409)
    return back(person, "locked")


def ask_unlock(visit: Visit) -> Response:
    person = person_of(visit)
    return unknown(visit) if person is None else _unlock_page(visit, person)


def take_unlock(visit: Visit) -> Response:
    person = person_of(visit)
    if person is None:
        return unknown(visit)
    problems: dict[str, str] = {}
    act = _act(visit, UnlockReason, problems)
    if problems or act is None:
        return _unlock_page(visit, person, problems, 422)
    try:
        with visit.office.database.writing() as books:
            unlock_user(books, person.number, act, visit.now)
    except Refused as refusal:
        return _unlock_page(visit, person, problem_of(refusal), 409)
    was_deleted = person.state is UserState.DELETED
    return back(person, "brought-back" if was_deleted else "unlocked")


def ask_delete(visit: Visit) -> Response:
    person = person_of(visit)
    return unknown(visit) if person is None else _delete_page(visit, person)


def take_delete(visit: Visit) -> Response:
    """Delete; the customer was told what is cancelled, and whoever says yes confirms that."""
    person = person_of(visit)
    if person is None:
        return unknown(visit)
    problems: dict[str, str] = {}
    note = visit.text("note")[:LONGEST_NOTE]
    if not note:
        problems["note"] = "Say why, in a few words."
    if _what_hangs(visit, person)["cancelled"] and visit.text("told") != "yes":
        problems["told"] = "Tell the customer which payments are cancelled, and tick this."
    if problems:
        return _delete_page(visit, person, problems, 422)
    act = StaffAct(visit.user.who, note)
    try:
        delete_with_payments(visit.office, person.number, act, visit.now, visit.today)
    except Refused as refusal:
        return _delete_page(visit, person, problem_of(refusal), 409)
    return back(person, "deleted")


def _act(
    visit: Visit, reasons: type[LockReason] | type[UnlockReason], problems: dict[str, str]
) -> StaffAct | None:
    """Read why; note what is missing."""
    reason = next((one for one in reasons if one.value == visit.text("reason")), None)
    note = visit.text("note")[:LONGEST_NOTE]
    if reason is None:
        problems["reason"] = NO_REASON
        return None
    if reason.value == LockReason.OTHER.value and not note:
        problems["note"] = NO_NOTE
    return StaffAct(visit.user.who, reason.value, note)


def _what_hangs(visit: Visit, person: PortalUser) -> dict[str, Any]:
    """Return what is listed before the yes: autopay, and each payment to come (rule 161)."""
    with visit.office.database.reading() as books:
        hangs = hangs_on_user(books, person)
    autopay = [
        (one.account, say_mandate(one.mandate)) for one in hangs.autopay if one.mandate is not None
    ]
    return {"autopay": autopay, "cancelled": hangs.cancelled, "asked": hangs.asked}


def _lock_page(
    visit: Visit, person: PortalUser, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    return show_person(
        visit,
        person,
        "csr-lock.html",
        status,
        reasons=[(one.value, words) for one, words in LOCK_REASONS],
        problems=problems or {},
        **_what_hangs(visit, person),
    )


def _unlock_page(
    visit: Visit, person: PortalUser, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    return show_person(
        visit,
        person,
        "csr-unlock.html",
        status,
        reasons=[(one.value, words) for one, words in UNLOCK_REASONS],
        problems=problems or {},
    )


def _delete_page(
    visit: Visit, person: PortalUser, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    return show_person(
        visit,
        person,
        "csr-delete.html",
        status,
        problems=problems or {},
        **_what_hangs(visit, person),
    )
