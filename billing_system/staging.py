"""An export's values as rows of the books; nothing of them shows before the close."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_system.export.fields import MANIFEST
from billing_system.export.scars import find_lost_zeros, find_scars
from billing_system.export_files import document_path
from billing_system.port import BillingExport, Cosigner, Enrollment, Report
from database import tables
from database.books import insert_columns, insert_rows
from database.queries.customers.moved_mailboxes import Mailbox, moved_mailboxes
from domain.accounts import Account, account_key
from domain.failures import Misuse
from domain.movements import Movements
from domain.periods import Boundary, BulkFile
from domain.problems import Problem
from domain.runs import RunState
from rules.mail.written_addresses import check_address, split_addresses
from rules.money.balances import amount_due

Moved = Mapping[str, Mailbox]  # of mailboxes that portal users have left


def stage_run(
    books: Connection, export: BillingExport, state: RunState, now: datetime, who: str
) -> None:
    """Insert the run and its bulk files; a second import of it waits here for the first."""
    totals = export.control_totals
    books.execute(
        tables.bill_run.insert().values(
            period=export.period.id,
            state=state,
            utility=export.utility.name,
            timezone=export.utility.timezone,
            starts_on=export.period.starts_on,
            ends_on=export.period.ends_on,
            due_on=export.period.due_on,
            cycle=export.period.cycle,
            export_name=export.name,
            export_sha256=export.sha256,
            imported_at=now,
            imported_by=who,
            control_accounts=totals.accounts,
            control_bills=totals.bills,
            control_opening_balance=totals.opening_balance,
            control_billed=totals.billed,
            control_payments=totals.payments,
            control_adjustments=totals.adjustments,
            control_penalties=totals.penalties,
            control_closing_balance=totals.closing_balance,
        )
    )
    _stage_bulk_files(books, export)


def stage_boundary(books: Connection, export: BillingExport, now: datetime) -> None:
    """
    Enter what the export surely knows and what it cannot know, once its movements are entered.

    Where it does not say when it was written: all before the day of its newest line is sure, and
    up to the import anything may be in it. Raises Misuse for a moment that has not come yet or
    that is before the day of a line.
    """
    period, zone = export.period, ZoneInfo(export.utility.timezone)
    row = tables.movement.c
    lines = sa.select(sa.func.max(row.posted_on)).where(row.period == period.id)
    if export.written is not None:
        _require_possible(export.written, books.scalar(lines), now, zone)
        known = export.written
    else:
        within = lines.where(row.posted_on.between(period.starts_on, period.ends_on))
        newest = books.scalar(within) or period.starts_on
        known = Boundary(datetime.combine(newest, time(), zone), now)
    books.execute(
        tables.bill_run.update()
        .where(tables.bill_run.c.period == period.id)
        .values(
            written_at=None if export.written is None else known.sure_until,
            sure_until=known.sure_until,
            not_after=known.not_after,
        )
    )


def _require_possible(
    written: Boundary, newest: date | None, now: datetime, zone: ZoneInfo
) -> None:
    local = written.sure_until.astimezone(zone)
    place = f"[export] written_at: {local:%Y-%m-%d %H:%M}"
    if written.sure_until > now:
        raise Misuse(f"{MANIFEST}, {place} has not come yet; correct it", "bundle")
    if newest is not None and newest > written.not_after.astimezone(zone).date():
        raise Misuse(
            f"{MANIFEST}, {place} is before the day of a line in transactions.csv, {newest}; "
            "correct one of them",
            "bundle",
        )


def remove_run(books: Connection, period: str) -> None:
    """Delete a period that is not closed; all its rows go with it (ON DELETE CASCADE)."""
    books.execute(sa.delete(tables.bill_run).where(tables.bill_run.c.period == period))
    held = tables.outsorted_bill.c
    by_waivers = sa.and_(held.period == period, held.check_name != "")
    books.execute(sa.delete(tables.outsorted_bill).where(by_waivers))


def _stage_bulk_files(books: Connection, export: BillingExport) -> None:
    rows = [
        {
            "period": export.period.id,
            "bulk": bulk,
            "form": file.form,
            "file": file.file,
            "path": document_path(export, bulk),
            "account_pattern": file.account,
            "amount_due_pattern": file.amount_due,
            "due_on_pattern": file.due_on,
            "separator": file.separator,
            "region": sa.null() if file.region is None else list(file.region),
            "exemptions": _exemptions(file) or sa.null(),
        }
        for bulk, file in enumerate(export.bulk_files)
    ]
    for row in rows:
        books.execute(tables.bulk_file.insert().values(row))


def _exemptions(file: BulkFile) -> dict[str, Any]:
    """Return what the form's pages may do that others may not, and what names their account."""
    plain = BulkFile(file.form, file.file, file.account)
    names = (
        *("ignore", "ignore_reason", "not_accounts", "may_name_others", "nameless"),
        *("by", "title", "level"),
    )
    return {name: value for name in names if (value := getattr(file, name)) != getattr(plain, name)}


_MOVEMENT = (*Movements._fields, "account_key", "period", "line")
_ADDRESS_COLUMNS = ("period", "account_key", "position", "address", "fault")


def stage_tables(books: Connection, export: BillingExport) -> tuple[int, int]:
    """Insert all rows of the tables; returns how many movements and how many problems."""
    problems = list(export.problems)
    _stage_accounts(books, export)
    _stage_people(books, export)
    _stage_autopay(books, export)
    movements = insert_columns(
        books, tables.movement, _MOVEMENT, _movement_columns(export, problems.append)
    )
    _stage_problems(books, export.period.id, problems)
    _stage_notes(books, export)
    return movements, len(problems)


def _insert(
    books: Connection, table: sa.Table, columns: str, rows: Iterable[tuple[Any, ...]]
) -> int:
    return insert_rows(books, table, columns.split(), rows)


def _stage_accounts(books: Connection, export: BillingExport) -> None:
    period = export.period.id
    _insert(
        books,
        tables.account,
        "period account_key account amount_due name last_name service_address mailing_address city "
        "state zip phone email ebill send_paper status opening_balance closing_balance "
        "equal_pay_amount direct_pay block_ach block_card cosigner_id district deposit_held line",
        (_to_row(period, account, line) for line, account in enumerate(export.accounts, start=1)),
    )
    insert_rows(
        books, tables.account_email, _ADDRESS_COLUMNS, _address_rows(period, export.accounts)
    )


def _to_row(period: str, a: Account, line: int) -> tuple[Any, ...]:
    named = (period, a.key, a.number, amount_due(a), a.name, a.last_name)
    reached = (a.service_address, a.mailing_address, a.city, a.state, a.zip, a.phone, a.email)
    billed = (a.ebill, a.send_paper, a.status, a.opening_balance, a.closing_balance)
    paid = (a.equal_pay_amount, a.direct_pay, a.block_ach, a.block_card)
    return named + reached + billed + paid + (a.cosigner_id, a.district, a.deposit_held, line)


def _address_rows(period: str, accounts: Iterable[Account]) -> Iterator[tuple[Any, ...]]:
    for account in accounts:
        for position, written in enumerate(split_addresses(account.email)):
            yield period, account.key, position, written.address, written.fault


def _stage_people(books: Connection, export: BillingExport) -> None:
    """
    Portal users are referred to by their mailbox, so that letters' case never matters.

    One who has changed the address since is referred to by the one of today.
    """
    period, moved = export.period.id, moved_mailboxes(books)
    _insert(
        books,
        tables.portal_user,
        "period mailbox address name",
        ((period, *named, name) for named, name in _users_now(export, moved)),
    )
    _insert(
        books,
        tables.portal_link,
        "period account_key mailbox address paperless fault",
        (
            (period, key, *named, paperless, check_address(named[1]).fault)
            for key, named, paperless in _links_now(export, moved)
        ),
    )
    _insert(
        books,
        tables.cosigner,
        "period cosigner_id name portal_user fault",
        (_cosigner_row(period, cosigner, moved) for cosigner in export.cosigners),
    )


def _cosigner_row(period: str, cosigner: Cosigner, moved: Moved) -> tuple[Any, ...]:
    portal_user = _mailbox_now(cosigner.portal_user, moved)
    fault = check_address(portal_user).fault if portal_user else None
    return period, cosigner.cosigner_id, cosigner.name, portal_user, fault


def _users_now(export: BillingExport, moved: Moved) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the portal users as they sign in today, each once: both addresses may be listed."""
    there = {user.mailbox for user in export.portal_users} if moved else set()
    for user in export.portal_users:
        now = moved.get(user.mailbox)
        if now is None:
            yield (user.mailbox, user.address), user.name
        elif now.mailbox not in there:
            there.add(now.mailbox)
            yield (now.mailbox, now.address), user.name


def _links_now(export: BillingExport, moved: Moved) -> Iterator[tuple[str, tuple[str, str], bool]]:
    """Yield the links as `_users_now`: of two that became one, paperless is what either is."""
    if not moved:
        for link in export.portal_links:
            yield link.key, (link.mailbox, link.address), link.paperless
        return
    links: dict[tuple[str, str], tuple[str, tuple[str, str], bool]] = {}
    for link in export.portal_links:
        now = moved.get(link.mailbox)
        named = (now.mailbox, now.address) if now else (link.mailbox, link.address)
        before = links.get((link.key, named[0]))
        paperless = link.paperless or (before is not None and before[2])
        links[link.key, named[0]] = link.key, named, paperless
    yield from links.values()


def _mailbox_now(address: str, moved: Moved) -> str:
    mailbox = address.casefold()
    return moved[mailbox].mailbox if mailbox in moved else mailbox


def _stage_autopay(books: Connection, export: BillingExport) -> None:
    period, moved = export.period.id, moved_mailboxes(books)
    methods = (
        (period, m.token, _mailbox_now(m.portal_user, moved), m.kind, m.last4)
        for m in export.payment_methods
    )
    _insert(books, tables.payment_method, "period token portal_user kind last4", methods)
    _insert(
        books,
        tables.mandate,
        "period line account_key account portal_user method_token days_prior maximum enrolled_on "
        "active",
        _mandate_rows(period, export.enrollments, moved),
    )


def _movement_columns(export: BillingExport, report: Report) -> Iterator[Sequence[Sequence[Any]]]:
    period, first = export.period.id, 1
    for some in export.movements(report):
        rows = len(some.account)
        keys = list(map(account_key, some.account))
        yield *some, keys, [period] * rows, range(first, first + rows)
        first += rows


def _mandate_rows(
    period: str, enrollments: Iterable[Enrollment], moved: Moved
) -> Iterator[tuple[Any, ...]]:
    for line, e in enumerate(enrollments, start=1):
        method = (_mailbox_now(e.portal_user, moved), e.method_token)
        yield (
            period,
            line,
            e.key,
            e.account,
            *method,
            e.days_prior,
            e.maximum,
            e.enrolled_on,
            e.is_active,
        )


def _stage_problems(books: Connection, period: str, problems: Iterable[Problem]) -> None:
    rows = (
        (period, line, p.code, p.account, p.file, p.row, p.column, p.message)
        for line, p in enumerate(problems, start=1)
    )
    _insert(books, tables.problem, "period line code account file row column_name message", rows)


def _stage_notes(books: Connection, export: BillingExport) -> None:
    period = export.period.id
    scars = find_scars([account.number for account in export.accounts])
    notes = [*export.notes, *scars, *find_lost_zeros(books, period)]
    rows = (
        (period, line, n.kind, n.file[:255], n.name[:100], n.message)
        for line, n in enumerate(notes, start=1)
    )
    _insert(books, tables.export_note, "period line kind file name message", rows)
