"""Requests for a person's yes, and what was decided about them, in the books."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.tables import approval_decision, approval_request, waiver
from domain.approvals import ApprovalRequest, Decided, Decision
from domain.checklist import ChecklistLine, to_line


def newest_request(books: Connection, period: str) -> ApprovalRequest | None:
    """Return the newest request of a run with its decisions; older ones do not count any more."""
    newest = (
        sa.select(approval_request)
        .where(approval_request.c.period == period)
        .order_by(approval_request.c.number.desc())
        .limit(1)
    )
    row = books.execute(newest).one_or_none()
    if row is None:
        return None
    return ApprovalRequest(**row._mapping, decisions=_decisions(books, period, row.number))


def approved_checklist(books: Connection, period: str) -> tuple[ChecklistLine, ...]:
    """Return the checklist that stood beside the close when the last yes was said."""
    request = newest_request(books, period)
    said = [one for one in request.decisions if one.decision is Decision.APPROVE] if request else []
    return said[-1].checklist if said else ()


def list_requests(books: Connection, period: str) -> list[ApprovalRequest]:
    """Return all requests of a run in their order, each with its decisions."""
    rows = books.execute(
        sa.select(approval_request)
        .where(approval_request.c.period == period)
        .order_by(approval_request.c.number)
    ).all()
    return [
        ApprovalRequest(**row._mapping, decisions=_decisions(books, period, row.number))
        for row in rows
    ]


def record_request(
    books: Connection, period: str, *, digest: str, figures: str, at: datetime, who: str
) -> ApprovalRequest:
    """Return the newest request where it asks for the same, else make another one."""
    newest = newest_request(books, period)
    if newest is not None and newest.digest == digest:
        return newest
    number = newest.number + 1 if newest else 1
    request = ApprovalRequest(period, number, digest, figures, at, who, None)
    books.execute(
        approval_request.insert().values(
            period=period, number=number, digest=digest, figures=figures, asked_at=at, asked_by=who
        )
    )
    return request


def set_flow_run(books: Connection, request: ApprovalRequest, flow_run: str) -> None:
    """Note which run of a Prefect server waits for the answer."""
    books.execute(
        approval_request.update()
        .where(
            approval_request.c.period == request.period, approval_request.c.number == request.number
        )
        .values(flow_run=flow_run)
    )


def record_decision(books: Connection, request: ApprovalRequest, decided: Decided) -> None:
    """Write down one person's decision behind the others; raises IntegrityError for a race."""
    books.execute(
        approval_decision.insert().values(
            period=request.period,
            request=request.number,
            position=len(request.decisions) + 1,
            decision=decided.decision,
            who=decided.who,
            decided_at=decided.at,
            reason=decided.reason,
            waived=list(decided.waived),
            origin=decided.origin,
            checklist=[line.to_json() for line in decided.checklist],
        )
    )


def record_waivers(
    books: Connection, period: str, waivers: Mapping[str, str], *, at: datetime, who: str
) -> None:
    """
    Write down who waives which check and why; a later waiver takes the place of an earlier.

    The same one again, as by a run that is taken up, changes nothing.
    """
    for name, reason in waivers.items():
        if _is_waived(books, period, name, reason, who):
            continue
        books.execute(waiver.delete().where(waiver.c.period == period, waiver.c.check_name == name))
        books.execute(
            waiver.insert().values(
                period=period, check_name=name, reason=reason, waived_by=who, waived_at=at
            )
        )
        record_audit(books, at, who, "waive check", f"{period}/{name}", reason)


def waived_checks(books: Connection, period: str) -> set[str]:
    """Return the names of the checks that are waived in a run."""
    rows = books.execute(sa.select(waiver.c.check_name).where(waiver.c.period == period))
    return set(rows.scalars())


def _is_waived(books: Connection, period: str, name: str, reason: str, who: str) -> bool:
    same = sa.select(waiver.c.period).where(
        waiver.c.period == period,
        waiver.c.check_name == name,
        waiver.c.reason == reason,
        waiver.c.waived_by == who,
    )
    return books.execute(same).first() is not None


def _decisions(books: Connection, period: str, number: int) -> tuple[Decided, ...]:
    rows = books.execute(
        sa.select(approval_decision)
        .where(approval_decision.c.period == period, approval_decision.c.request == number)
        .order_by(approval_decision.c.position)
    )
    return tuple(
        Decided(
            Decision(row.decision),
            row.who,
            row.decided_at,
            row.reason,
            tuple(row.waived),
            row.origin,
            tuple(map(to_line, row.checklist)),
        )
        for row in rows
    )
