"""The checklist beside a close, as the books and the machine know it at this moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.backups import backup_made
from database.owners import this_process
from database.postings import read_unposted
from database.queries.feed import newest_written_at
from database.runs import get_run, list_others_at_work
from database.tables import bill_run, gateway_payment
from domain.checklist import ChecklistLine
from domain.payments import PaymentState
from office.equipment.office import Office
from office.procedures.feeding import find_stale, max_age_of
from reporting.run_sheet.reading import read_run_sheet
from reporting.run_sheet.run_sheet import RunSheet
from rules.closing_checklist import ChecklistFacts, list_checklist, require_done

_IN_DOUBT = (PaymentState.SUBMITTED, PaymentState.UNKNOWN)


def current_sheet(office: Office, period: str) -> RunSheet:
    """Read a run sheet; before the close, and in a rehearsal, the checklist is of this moment."""
    sheet = read_run_sheet(office.database, period)
    if sheet.is_closed and not office.rehearses:
        return sheet
    return replace(sheet, checklist=checklist_of(office, period))


def checklist_of(office: Office, period: str) -> tuple[ChecklistLine, ...]:
    """
    Return how the checklist of a period stands now; nothing is written.

    A rehearsal looks at the office that it is a copy of: who is at work there, and its backups.
    """
    chosen = office.settings.checklist
    facts = _facts(office, office.copied_from or office, period)
    return list_checklist(facts, backup_hours=chosen.backup_hours, own=chosen.also_ask)


def require_checklist(office: Office, lines: tuple[ChecklistLine, ...]) -> None:
    """Raise Refused (`checklist-open`) where the office insists on a line that is open."""
    require_done(lines, office.settings.checklist.must_be_done)


def record_backup(office: Office, file: str, size: int, at: datetime) -> None:
    """Write down that a backup was made whole."""
    with office.database.writing() as books:
        books.execute(backup_made.insert().values(at=at, who=office.who, file=file, size=size))


def _facts(office: Office, real: Office, period: str) -> ChecklistFacts:
    known = get_run(office.database, period)
    zone, now = ZoneInfo(known.timezone), office.now(known)
    with office.database.reading() as books:
        head = books.execute(
            sa.select(bill_run.c.ends_on, bill_run.c.written_at).where(bill_run.c.period == period)
        ).one()
        left = read_unposted(books)
        in_doubt = _count(books, gateway_payment.c.state.in_(_IN_DOUBT))
        fed_at = newest_written_at(books)
        undrawn = _count(
            books,
            gateway_payment.c.state == PaymentState.SCHEDULED,
            gateway_payment.c.pay_on < office.today(known),
        )
    stale = find_stale(office, now)
    with real.database.reading() as books:
        backup_at = books.scalar(sa.select(sa.func.max(backup_made.c.at)))
        others = list_others_at_work(books, period, this_process(), real.clock.wall())
    return ChecklistFacts(
        period=period,
        ends_on=head.ends_on,
        now=now,
        unposted=str(left) if left.count else "",
        in_doubt=in_doubt,
        undrawn=undrawn,
        written_at=head.written_at.astimezone(zone) if head.written_at else None,
        has_feed=max_age_of(office) is not None,
        fed_at=fed_at.astimezone(zone) if fed_at else None,
        feed_is_stale=str(stale),
        backup_at=backup_at,
        at_work=tuple(f"{who} works on {what}" for who, what in others),
    )


def _count(books: Connection, *conditions: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(gateway_payment).where(*conditions)
    return books.scalar(query) or 0
