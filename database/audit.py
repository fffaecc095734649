"""The audit list: who did what, when and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import audit
from domain.audit_chain import GENESIS, Act, chain_hash

APPENDING = 0x6175646974  # PostgreSQL's advisory lock of whoever appends


def record_audit(
    books: Connection, at: datetime, who: str, action: str, subject: str, detail: str = ""
) -> None:
    """
    Record one act for the audit list, in the transaction that carries it out.

    `subject` names the run or account, `detail` the reason or the figures; no personal data
    beyond account numbers. The row is written when the transaction ends: only one machine
    appends at a time, and whoever waited for it holding rows that it needs would wait for ever.
    """
    _recorded(books).append(_Recorded(at, who, action, subject, detail))


def audit_at_once(
    books: Connection, at: datetime, who: str, action: str, subject: str, detail: str = ""
) -> None:
    """Append one act now: for a transaction that `Database.writing` did not open."""
    append_acts(books, [_Recorded(at, who, action, subject, detail)])


def is_audited(books: Connection, action: str, subject: str, detail: str | None = None) -> bool:
    """Tell whether the list has such an act, be it of this transaction."""
    for act in books.get_execution_options().get("acts", ()):
        if (act.action, act.subject) == (action, subject) and detail in (None, act.detail):
            return True
    known = sa.select(audit.c.id).where(audit.c.action == action, audit.c.subject == subject)
    if detail is not None:
        known = known.where(audit.c.detail == detail)
    return books.execute(known.limit(1)).first() is not None


def append_acts(
    books: Connection,
    recorded: Iterable[_Recorded],
    *,
    machine_at: datetime | None = None,
    rehearsed: bool = False,
) -> None:
    """
    Append what a transaction recorded, in its order; each row holds the hash of the one before.

    `machine_at` is what the machine's clock says, whatever time is rehearsed; None: the time of
    the act. Whoever appends holds the end of the list until its transaction ends, which is at once.
    """
    if books.dialect.name == "postgresql":
        books.execute(sa.select(sa.func.pg_advisory_xact_lock(APPENDING)))
    number, previous = _end(books)
    rows = []
    for one in recorded:
        number += 1
        told = (one.at, one.who, one.action, one.subject, one.detail)
        act = Act(number, *told, machine_at or one.at, rehearsed)
        ours = chain_hash(previous, act.content_hash)
        row = asdict(act) | {"id": act.number, "previous": previous, "hash": ours}
        rows.append({name: value for name, value in row.items() if name != "number"})
        previous = ours
    books.execute(audit.insert(), rows)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """An act that has no place in the list yet."""

    at: datetime
    who: str
    action: str
    subject: str
    detail: str


def _recorded(books: Connection) -> list[_Recorded]:
    """Return what this transaction recorded so far; LookupError outside `Database.writing`."""
    recorded: list[_Recorded] = books.get_execution_options()["acts"]
    return recorded


def _end(books: Connection) -> tuple[int, str]:
    newest = sa.select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)
    row = books.execute(newest).one_or_none()
    return (0, GENESIS) if row is None else (row.id, row.hash)


FETCHED = 5_000  # rows at a time: the list is never in memory as a whole


@dataclass(frozen=True, slots=True)
class Anchor:
    """A row as somebody noted it down elsewhere."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True, slots=True)
class ChainFault:
    """The first thing that is wrong; `number` is the row at which it shows."""

    number: int
    kind: str  # changed, broken, missing
    message: str


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """How many rows were looked at, what is wrong first, and the newest sound row."""

    rows: int
    newest: Anchor
    fault: ChainFault | None


@dataclass(frozen=True, slots=True)
class Link:
    """A row with the hashes that stand beside it."""

    act: Act
    previous: str
    hash: str

    @property
    def is_sound(self) -> bool:
        """Tell whether the row says what it said when it was hashed."""
        return self.hash == chain_hash(self.previous, self.act.content_hash)


def verify_audit(books: Connection, expected: Anchor | None = None) -> ChainVerdict:
    """
    Read the whole list and stop at the first row that is not as it was written.

    Found is what was changed, taken out, put in or moved. Whoever can write to the database can
    cut off the end, or write the rest anew from some row on; only what was noted down elsewhere
    shows that, so give it as `expected`.
    """
    rows, newest = 0, Anchor(0, GENESIS)
    seen = expected is None
    for link in read_links(books):
        fault = _find_fault(newest, link)
        if fault is None and expected is not None and link.act.number == expected.number:
            seen = True
            fault = _differs(expected, link)
        if fault is not None:
            return ChainVerdict(rows, newest, fault)
        rows, newest = rows + 1, Anchor(link.act.number, link.hash)
    if expected is not None and not seen:
        return ChainVerdict(rows, newest, _gone(expected, newest))
    return ChainVerdict(rows, newest, None)


def read_links(books: Connection, first: int = 0, last: int | None = None) -> Iterator[Link]:
    """Yield rows in their order, all of them or from one number to another."""
    query = sa.select(audit).where(audit.c.id >= first).order_by(audit.c.id)
    if last is not None:
        query = query.where(audit.c.id <= last)
    for row in books.execution_options(yield_per=FETCHED).execute(query):
        yield Link(act_of(row), row.previous, row.hash)


def act_of(row: sa.Row[Any]) -> Act:
    """Return what a row of the table says."""
    told = (row.at, row.who, row.action, row.subject, row.detail)
    return Act(row.id, *told, row.machine_at, row.rehearsed)


def _find_fault(newest: Anchor, link: Link) -> ChainFault | None:
    number = link.act.number
    if not link.is_sound:
        return ChainFault(number, "changed", f"row {number} is not as it was written")
    if link.previous == newest.hash:
        return None
    if number > newest.number + 1:
        gone = _span(newest.number + 1, number - 1)
        return ChainFault(number, "missing", f"{gone} missing before row {number}")
    before = f"row {newest.number}" if newest.number else "the beginning"
    message = f"row {number} does not follow {before}: one of the two was written anew"
    return ChainFault(number, "broken", message)


def _span(first: int, last: int) -> str:
    return f"row {first} is" if first == last else f"rows {first} to {last} are"


def _differs(expected: Anchor, link: Link) -> ChainFault | None:
    if link.hash == expected.hash:
        return None
    number = expected.number
    message = f"row {number} is another one than was noted: the list was written anew up to there"
    return ChainFault(number, "broken", message)


def _gone(expected: Anchor, newest: Anchor) -> ChainFault:
    number = expected.number
    end = f"ends at row {newest.number}" if newest.number < number else "passes over it"
    return ChainFault(number, "missing", f"row {number} was noted and is missing: the list {end}")
