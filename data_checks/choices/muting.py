"""What an office knows of single accounts: findings that are listed and do not count."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from data_checks.check import Check, Finding
from database.audit import record_audit
from database.checking.tables import check_mute
from database.queries.periods import newest_exported_account
from database.tables import account, movement
from domain.accounts import account_key
from domain.failures import Misuse, Refused
from domain.money import Money

LONGEST_MUTE = 400  # days: thirteen months


@dataclass(frozen=True, slots=True)
class Mute:
    """One account's findings of a check that the office knows, until a day."""

    number: int
    check: str
    account_key: str
    account: str
    service: str
    until: date
    up_to: Money | None
    reason: str
    set_by: str
    set_at: datetime
    lifted_at: datetime | None
    meters: str
    status: str


def list_mutes(books: Connection) -> tuple[Mute, ...]:
    """Return every mute, those that are over too."""
    row = check_mute.c
    columns = (
        *(row.number, row.check_name, row.account_key, row.account, row.service, row.until),
        *(row.up_to, row.reason, row.set_by, row.set_at, row.lifted_at, row.meters, row.status),
    )
    return tuple(Mute(*one) for one in books.execute(sa.select(*columns).order_by(row.number)))


def mute(
    books: Connection,
    check: str,
    number: str,
    *,
    service: str = "",
    until: date,
    up_to: Money | None = None,
    reason: str,
    today: date,
    now: datetime,
    who: str,
    always: frozenset[str] = frozenset(),
) -> None:
    """
    Let findings of a check about one account be known until a day; it is audited.

    It ends by itself the day after, when the meter or the status of the account changes, and above
    `up_to` at stake. Raises Misuse for a wrong day, check or account, Refused for a check of
    `always`, which cannot be muted, and for a second mute of the same.
    """
    if check in always:
        raise Refused("check-fixed", f"{check} always counts; nothing of it can be muted.")
    if not today <= until <= today.fromordinal(today.toordinal() + LONGEST_MUTE):
        raise Misuse(f"A mute ends between today and {LONGEST_MUTE} days from now, not on {until}.")
    key = account_key(number)
    known = newest_exported_account(books, key)
    if known is None:
        raise Misuse(f"There is no account {number}; `billclose find TEXT` looks for it.")
    _end_expired(books, today, now)
    opened = (check_mute.c.check_name == check) & (check_mute.c.account_key == key)
    opened &= (check_mute.c.service == service) & check_mute.c.lifted_at.is_(None)
    if books.execute(sa.select(check_mute.c.number).where(opened)).first() is not None:
        raise Refused(
            "muted-already", f"{check} is muted for {known.account}; unmute it first to change it."
        )
    books.execute(
        check_mute.insert().values(
            check_name=check,
            account_key=key,
            account=known.account,
            service=service,
            until=until,
            up_to=up_to,
            meters=json.dumps(_meters(books, known.period, key)),
            status=known.status.value,
            reason=reason,
            set_at=now,
            set_by=who,
        )
    )
    most = f" up to {up_to.dollars()} at stake" if up_to is not None else ""
    said = f"{check} until {until}{most}{f', {service}' if service else ''}: {reason}"
    record_audit(books, now, who, "mute check", known.account, said)


def unmute(
    books: Connection, check: str, number: str, *, service: str = "", now: datetime, who: str
) -> None:
    """End a mute early; it is audited. Raises Misuse where there is none."""
    key = account_key(number)
    opened = (check_mute.c.check_name == check) & (check_mute.c.account_key == key)
    opened &= (check_mute.c.service == service) & check_mute.c.lifted_at.is_(None)
    lifted = books.execute(check_mute.update().where(opened).values(lifted_at=now, lifted_by=who))
    if not lifted.rowcount:
        raise Misuse(f"{check} is not muted for {number}.")
    record_audit(books, now, who, "unmute check", number, check)


def _end_expired(books: Connection, today: date, now: datetime) -> None:
    over = check_mute.c.lifted_at.is_(None) & (check_mute.c.until < today)
    books.execute(check_mute.update().where(over).values(lifted_at=now, lifted_by="its day"))


def _meters(books: Connection, period: str, key: str) -> list[str]:
    row = movement.c
    told = sa.select(row.meter).where(row.period == period, row.account_key == key, row.meter != "")
    return sorted(books.scalars(told.distinct()))


def mark_known(
    books: Connection,
    period: str,
    check: Check,
    findings: tuple[Finding, ...],
    mutes: Iterable[Mute],
    today: date,
) -> tuple[Finding, ...]:
    """Mark the findings that the office knows: they are listed, and do not count."""
    of_check = {
        (one.account_key, one.service): one
        for one in mutes
        if one.check == check.name and one.lifted_at is None and one.until >= today
    }
    if not of_check:
        return findings
    marked = []
    for finding in findings:
        known = of_check.get((finding.account_key, finding.service)) or of_check.get(
            (finding.account_key, "")
        )
        if known is not None and _is_known(books, period, finding, known):
            finding = replace(finding, known_until=known.until, blocks=False)
        marked.append(finding)
    return tuple(marked)


def _is_known(books: Connection, period: str, finding: Finding, known: Mute) -> bool:
    stake = None if finding.stake is None else abs(finding.stake.cents)
    if known.up_to is not None and stake is not None and stake > known.up_to.cents:
        return False
    row = account.c
    status = books.scalar(
        sa.select(row.status).where(row.period == period, row.account_key == known.account_key)
    )
    if status is None or status.value != known.status:
        return False
    meters = _meters(books, period, known.account_key)
    return not known.meters or not meters or json.loads(known.meters) == meters
