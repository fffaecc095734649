"""What a clerk does about a finding: hold the bill back, or say until when it is known."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.tables import check_finding
from domain.dates import parse_date
from domain.failures import Misuse
from domain.money import Money
from office.procedures.checks import mute_account
from office.procedures.outsorting import hold_back
from reporting.lists.findings import finding_key
from web.office.decisions.deciding import DecidedRow, RowDecision, Way
from web.office.pages import page_of
from web.visits import Visit

DECIDE_FINDING = "/office/exceptions/findings/decide"


def _hold(visit: Visit, decided: DecidedRow) -> None:
    found = _found(visit, decided.key)
    hold_back(visit.office, found.account, found.period, decided.reason)


def _know(visit: Visit, decided: DecidedRow) -> None:
    found = _found(visit, decided.key)
    try:
        until = parse_date(decided.detail)
    except ValueError:
        raise Misuse(f"{decided.detail} is no day such as 2026-12-31.") from None
    try:
        up_to = Money.parse(decided.more) if decided.more else None
    except ValueError:
        raise Misuse(f"{decided.more} is no amount such as 100.00.") from None
    mute_account(
        visit.office,
        found.check_name,
        found.account,
        service=found.service or "",
        until=until,
        up_to=up_to,
        reason=decided.reason,
    )


def _found(visit: Visit, key: str) -> Any:
    with visit.office.database.reading() as books:
        found = books.execute(
            sa.select(check_finding).where(finding_key(check_finding.c) == key)
        ).one_or_none()
    if found is None:
        raise Misuse("This finding is not there any more: the period was checked again since.")
    return found


FINDINGS: tuple[RowDecision, ...] = (
    RowDecision(
        page_of("findings"),
        DECIDE_FINDING,
        "What a check found",
        "Right as it is? Then nothing has to be done. A bill that is held is not shown, mailed, "
        "printed or drawn, and the balance does not move, until somebody releases it.",
        (
            Way("held", "Hold this bill", "The bill is held back.", _hold),
            Way(
                "known",
                "It is known: let it not count until the day below",
                "From the next check on it counts as known until that day.",
                _know,
                asks="Known until",
                may_say="Up to what amount at stake (optional)",
            ),
        ),
    ),
)
