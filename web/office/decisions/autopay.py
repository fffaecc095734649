"""Who is enrolled in autopay, and ending it for a customer who asks the office (rule 66)."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.engine import Connection

from domain.failures import Misuse, Refused
from identity.activity import record_activity
from identity.users import find_by_mailbox
from office.procedures.portal.autopay_mails import mail_ended
from payments.enrollment.ending import (
    Ended,
    cancel_enrollment,
    find_enrollment_facts,
    require_enrolled,
)
from payments.enrollment.enrolling import say_consequence
from payments.enrollment.wording import say_mandate
from web.office.decisions.deciding import DecidedRow, Facts, RowDecision, Way
from web.office.pages import page_of
from web.visits import Visit


def _end(visit: Visit, decided: DecidedRow) -> None:
    office, address = visit.office, _to_address(decided.detail)
    cancel_enrollment(
        office.database,
        decided.key,
        now=office.moment(),
        today=office.local_today(),
        who=office.who,
        reason=decided.reason,
        alongside=lambda books, ended: _tell_ended(visit, books, ended, address),
    )
    visit.wake_mail()


def _tell_ended(visit: Visit, books: Connection, ended: Ended, typed: str) -> None:
    """Mail that autopay has ended to whoever's wallet paid, or to a typed address (rule 66)."""
    office, standing = visit.office, ended.standing
    payer = find_by_mailbox(books, standing.payer) if standing.payer else None
    if payer is not None:
        record_activity(
            books,
            payer.number,
            "autopay ended",
            office.moment(),
            account_key=standing.key,
            detail=say_mandate(ended.mandate),
            by=office.who,
        )
    address = typed or standing.payer
    if address:
        number = payer.number if payer else 0
        mail_ended(office, books, standing, address, number)


def _to_address(typed: str) -> str:
    """Read an address that may stay empty."""
    if not typed:
        return ""
    try:
        return validate_email(typed, check_deliverability=False).normalized
    except EmailNotValidError:
        raise Misuse(f"{typed} is no e-mail address; autopay was not ended.") from None


def _what_falls_away(visit: Visit, account: str) -> Facts:
    """Say before the yes what becomes of the payment of the open bill."""
    office = visit.office
    try:
        standing = find_enrollment_facts(office.database, account)
        require_enrolled(standing)
    except (Misuse, Refused):
        return ()
    told = say_consequence(standing, visit.today, office.bank_days, office.autopay_policy)
    return (("What follows", told or "No payment is scheduled that would fall away."),)


AUTOPAY: tuple[RowDecision, ...] = (
    RowDecision(
        page_of("autopay-enrolled"),
        "/office/autopay/end",
        "End autopay for a customer",
        "The customer pays each bill by hand from now on; what is on its way stays.",
        (
            Way(
                "ended",
                "End autopay",
                "Autopay is ended; what was scheduled and not asked for yet is off.",
                _end,
                asks="E-mail address for the notice; empty for whoever's wallet paid",
                is_detail_needed=False,
            ),
        ),
        _what_falls_away,
    ),
)
