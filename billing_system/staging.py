"""An export's values as rows of the books; nothing of them shows before the close."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, repeat
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_system.addresses import split_addresses
from billing_system.port import Export, Report
from billing_system.records import Enrollment
from database import tables
from database.books import insert_rows
from domain.accounts import Account, account_key
from domain.problems import Problem
from rules.balances import amount_due

_ADDRESS_COLUMNS = ("run", "account_key", "position", "address", "fault")


def stage_tables(connection: Connection, export: Export) -> tuple[int, int]:
    """Insert all rows of the tables; returns how many movements and how many problems."""
    problems = list(export.problems)
    _stage_accounts(connection, export)
    _stage_people(connection, export)
    _stage_autopay(connection, export)
    movements = _insert(
        connection,
        tables.movement,
        "account posted_on service description kind amount usage account_key run line",
        _movement_rows(export, problems.append),
    )
    _stage_problems(connection, export.period.id, problems)
    return movements, len(problems)


def _insert(
    connection: Connection, table: sa.Table, columns: str, rows: Iterable[tuple[Any, ...]]
) -> int:
    return insert_rows(connection, table, columns.split(), rows)


def _stage_accounts(connection: Connection, export: Export) -> None:
    run = export.period.id
    _insert(
        connection,
        tables.account,
        "run account_key account amount_due name last_name service_address mailing_address city "
        "state zip phone email ebill send_paper status opening_balance closing_balance "
        "equal_pay_amount direct_pay block_ach block_card cosigner_id",
        (_to_row(run, account) for account in export.accounts),
    )
    insert_rows(
        connection, tables.account_email, _ADDRESS_COLUMNS, _address_rows(run, export.accounts)
    )


def _to_row(run: str, a: Account) -> tuple[Any, ...]:
    named = (run, a.key, a.number, amount_due(a), a.name, a.last_name)
    reached = (a.service_address, a.mailing_address, a.city, a.state, a.zip, a.phone, a.email)
    billed = (a.ebill, a.send_paper, a.status, a.opening_balance, a.closing_balance)
    paid = (a.equal_pay_amount, a.direct_pay, a.block_ach, a.block_card, a.cosigner_id)
    return named + reached + billed + paid


def _address_rows(run: str, accounts: Iterable[Account]) -> Iterator[tuple[Any, ...]]:
    for account in accounts:
        for position, written in enumerate(split_addresses(account.email)):
            yield run, account.key, position, written.address, written.fault


def _stage_people(connection: Connection, export: Export) -> None:
    """Portal users are referred to by their mailbox, so that letters' case never matters."""
    run = export.period.id
    users = ((run, user.mailbox, user.address, user.name) for user in export.portal_users)
    _insert(connection, tables.portal_user, "run mailbox address name", users)
    links = (
        (run, link.key, link.mailbox, link.address, link.paperless) for link in export.portal_links
    )
    _insert(connection, tables.portal_link, "run account_key mailbox address paperless", links)
    cosigners = ((run, c.cosigner_id, c.name, c.portal_user.casefold()) for c in export.cosigners)
    _insert(connection, tables.cosigner, "run cosigner_id name portal_user", cosigners)


def _stage_autopay(connection: Connection, export: Export) -> None:
    run = export.period.id
    methods = (
        (run, m.token, m.portal_user.casefold(), m.kind, m.last4) for m in export.payment_methods
    )
    _insert(connection, tables.payment_method, "run token portal_user kind last4", methods)
    _insert(
        connection,
        tables.mandate,
        "run line account_key account portal_user method_token days_prior maximum enrolled_on "
        "active",
        _mandate_rows(run, export.enrollments),
    )


def _movement_rows(export: Export, report: Report) -> Iterator[tuple[Any, ...]]:
    run = export.period.id
    lines = count(1)
    for some in export.movements(report):
        # the columns first: where they end, no line is taken
        yield from zip(*some, map(account_key, some.account), repeat(run), lines)


def _mandate_rows(run: str, enrollments: Iterable[Enrollment]) -> Iterator[tuple[Any, ...]]:
    for line, e in enumerate(enrollments, start=1):
        method = (e.portal_user.casefold(), e.method_token)
        yield (
            run,
            line,
            e.key,
            e.account,
            *method,
            e.days_prior,
            e.maximum,
            e.enrolled_on,
            e.is_active,
        )


def _stage_problems(connection: Connection, run: str, problems: Iterable[Problem]) -> None:
    rows = (
        (run, line, p.code, p.account, p.file, p.row, p.column, p.message)
        for line, p in enumerate(problems, start=1)
    )
    _insert(connection, tables.problem, "run line code account file row column_name message", rows)
