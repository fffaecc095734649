"""Who is enrolled in autopay, and ending it for a customer who asks the office (rule 66)."""

from __future__ import annotations

from domain.failures import Misuse, Refused
from payments.enrollment.ending import cancel_enrollment, find_enrollment_facts, require_enrolled
from payments.enrollment.enrolling import say_consequence
from web.office.decisions.deciding import DecidedRow, Facts, RowDecision, Way
from web.office.pages import page_of
from web.visits import Visit


def _end(visit: Visit, decided: DecidedRow) -> None:
    office = visit.office
    cancel_enrollment(
        office.database,
        decided.key,
        now=office.moment(),
        today=office.local_today(),
        who=office.who,
        reason=decided.reason,
    )


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
            ),
        ),
        _what_falls_away,
    ),
)
