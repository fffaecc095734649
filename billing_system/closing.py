"""The close itself: bills become visible and balances move, at once and once (rules 1-4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from billing_system.belonging import require_no_overlap
from database.audit import record_audit
from database.books import Database
from database.definitions.corrections import replaced_bill
from database.inserting import insert_new
from database.ledger.entries import NOTHING, add_up, outstanding_sums
from database.ledger.locking import lock_all_balances, lock_balances
from database.ledger.matching import (
    StagedPeriod,
    agreed_accounts,
    is_named_exactly,
    match_period,
    moving_accounts,
    read_staged,
    stands_for_no_later,
)
from database.ledger.tables import balance_entry
from database.queries.customers.findable import make_findable
from database.queries.outsorted import due_on_of, is_outsorted
from database.tables import account, balance_due, bill, bill_run, period_close
from domain.accounts import AccountStatus
from domain.failures import Misuse, Refused
from domain.ledger import ContainedBy
from domain.money import ZERO, Money
from domain.runs import RUN, RunState

POSTING_DAYS = 3
Chosen = Callable[[sa.ColumnElement[str]], sa.ColumnElement[bool]]  # of an account's key


@dataclass(frozen=True, slots=True)
class Published:
    """What the close moved to Balance Due; `already` says that it had been done before."""

    accounts: int
    amount: Money
    already: bool


def publish(
    database: Database, period: str, *, now: datetime, who: str, posting_days: int = POSTING_DAYS
) -> Published:
    """
    Close the period of an approved run (rules 2-4): the row in period_close is the close.

    Everything that may only happen after the close refers to that row, so it cannot happen
    before. The balance of an account whose bill is held back stays as it is. Published again, a
    run stays as it is. `posting_days` is how long a posting may take until it stands in the
    billing system. Raises Refused (`not-approved`) before a person's yes, or where another close
    of the same days came first (`overlap`), Misuse for a run that was never imported.
    """
    with database.writing() as books:
        found = _lock(books, period)
        already = _is_closed(books, period)
        if not already:
            if found.state is not RunState.APPROVED:
                raise Refused(
                    "not-approved",
                    f"Period {period} is {found.state}, not approved; approve it before it is "
                    "closed.",
                )
            require_no_overlap(books, period)
            _close(books, period, now, who)
            _move_balances(books, read_staged(books, period, posting_days))
        published = _sum_up(books, period, already)
        if not already:
            detail = f"{published.accounts} accounts, {published.amount.dollars()}"
            record_audit(books, now, who, "close", period, detail)
    mark_known(database, period)
    make_findable(database, period)
    return published


def _lock(books: Connection, period: str) -> Row[tuple[str, RunState, object]]:
    """Read the run and keep others from importing or closing it meanwhile."""
    columns = (bill_run.c.period, bill_run.c.state, bill_run.c.ends_on)
    query = sa.select(*columns).where(bill_run.c.period == period).with_for_update()
    found = books.execute(query).one_or_none()
    if found is None:
        raise Misuse(f"There is no period {period}; import its billing export first.")
    return found


def _is_closed(books: Connection, period: str) -> bool:
    query = sa.select(period_close.c.period).where(period_close.c.period == period)
    return books.execute(query).first() is not None


def _close(books: Connection, period: str, now: datetime, who: str) -> None:
    books.execute(period_close.insert().values(period=period, closed_at=now, closed_by=who))
    _number_editions(books, period)
    after = RUN.after(RunState.APPROVED, "published")
    books.execute(sa.update(bill_run).where(bill_run.c.period == period).values(state=after))


def _number_editions(books: Connection, period: str) -> None:
    """Let a bill of a period that was closed before follow the one it takes the place of."""
    old = replaced_bill.c
    same = (old.period == period, old.form == bill.c.form, old.account_key == bill.c.account_key)
    newest = sa.select(sa.func.max(old.edition) + 1).where(*same).scalar_subquery()
    books.execute(
        bill.update()
        .where(bill.c.period == period, sa.exists().where(*same))
        .values(edition=newest)
    )


def _move_balances(books: Connection, staged: StagedPeriod) -> None:
    """
    Let the amounts due of this period take the place of older ones, and carry over what its
    export does not contain (rule 2b; contract 6).

    Rows are changed where they stand and never deleted: whoever waits for a row that is made anew
    finds none, and a payment would be lost. A balance that already stands for a later period
    stays: closing a forgotten older period must not bring an old amount back. What was matched
    at the check does not count: minutes lie between, in which something may have been drawn.
    """
    lock_all_balances(books)
    _move(books, staged, lambda key: ~is_outsorted(staged.period, key))


def _move(
    books: Connection,
    staged: StagedPeriod,
    chosen: Chosen,
    agreed_before: sa.ColumnElement[bool] | None = None,
) -> None:
    """
    Move the balances of the accounts that are chosen; they are locked.

    Of equal-pay accounts everything outstanding is contained in the agreed amount, or what was
    there before the close.
    """
    entry = balance_entry.c
    moving = chosen(entry.account_key)
    named = sa.and_(moving, is_named_exactly(staged.period))
    _mark_all(books, staged, named, ContainedBy.REFERENCE)
    found = [
        {"entry": entry.key, "found_by": one.matched.contained[entry.key]}
        for one in match_period(books, staged, is_closing=True, only=moving)
        for entry in one.entries
        if entry.key in one.matched.contained
    ]
    if found:
        books.execute(_MARKING.values(in_export_of=staged.period), found)
    agreed = sa.and_(moving, entry.account_key.in_(agreed_accounts(staged.period)))
    if agreed_before is not None:
        agreed = sa.and_(agreed, agreed_before)
    _mark_all(books, staged, agreed, ContainedBy.AGREED)
    new = _new_balances(staged).where(
        account.c.status != AccountStatus.CLOSED, chosen(account.c.account_key)
    )
    _change(books, staged, new.subquery("new"))
    _make(books, new)


_MARKING = (
    balance_entry.update()
    .where(balance_entry.c.key == sa.bindparam("entry"))
    .values(how=sa.bindparam("found_by", type_=balance_entry.c.how.type))
)


def _mark_all(
    books: Connection,
    staged: StagedPeriod,
    condition: sa.ColumnElement[bool],
    how: ContainedBy,
) -> None:
    entry = balance_entry.c
    books.execute(
        balance_entry.update()
        .where(
            entry.in_export_of.is_(None),
            entry.account_key.in_(moving_accounts(staged)),
            condition,
        )
        .values(in_export_of=staged.period, how=how)
    )


MARKED_AT_ONCE = 5_000  # entries: nobody waits long for so many


def mark_known(database: Database, period: str) -> int:
    """
    Mark what a closed period's export surely knew, after the close and some at a time.

    The sums leave it out already, by the time at which the billing system told of it; marked
    within the close it would make everybody wait several times longer. Returns how many.
    """
    entry, balance = balance_entry.c, balance_due.c
    known = (
        sa.select(entry.key)
        .join(balance_due, balance.account_key == entry.account_key)
        .join(bill_run, bill_run.c.period == balance.period)
        .where(
            entry.in_export_of.is_(None),
            balance.period == period,
            entry.told_at <= bill_run.c.sure_until,
        )
        .order_by(entry.key)
        .limit(MARKED_AT_ONCE)
    )
    marking = balance_entry.update().where(entry.key.in_(known))
    total, marked = 0, MARKED_AT_ONCE
    while marked == MARKED_AT_ONCE:
        with database.writing() as books:
            done = books.execute(marking.values(in_export_of=period, how=ContainedBy.TIME))
            marked = done.rowcount
            total += marked
    return total


def _change(books: Connection, staged: StagedPeriod, new: sa.Subquery) -> None:
    books.execute(
        balance_due.update()
        .where(balance_due.c.account_key == new.c.account_key, stands_for_no_later(staged))
        .values({name: new.c[name] for name in BALANCE})
    )


def _make(books: Connection, new: sa.Select[Any]) -> None:
    """Make the rows of accounts that had none. Whoever stands already is passed over by its key."""
    names = ["account_key", *BALANCE]
    books.execute(insert_new(books.dialect.name, balance_due).from_select(names, new))


BALANCE = ("account", "period", "amount_due", "added", "paid", "due_on", "equal_pay")


def _new_balances(staged: StagedPeriod) -> sa.Select[Any]:
    """Select the balances that a period's accounts get, with what is outstanding over them."""
    sums = outstanding_sums(sure_until=staged.bounds.sure_until).subquery("sums")
    is_agreed = sa.and_(
        account.c.status == AccountStatus.ACTIVE, account.c.equal_pay_amount.is_not(None)
    )
    return (
        sa.select(
            account.c.account_key,
            account.c.account,
            account.c.period,
            account.c.amount_due,
            sa.func.coalesce(sums.c.added, NOTHING).label("added"),
            sa.func.coalesce(sums.c.paid, NOTHING).label("paid"),
            due_on_of(account.c.period, account.c.account_key, bill_run.c.due_on).label("due_on"),
            is_agreed.label("equal_pay"),
        )
        .join_from(account, bill_run, bill_run.c.period == account.c.period)
        .outerjoin(sums, sums.c.account_key == account.c.account_key)
        .where(account.c.period == staged.period)
    )


def _sum_up(books: Connection, period: str, already: bool) -> Published:
    """Count from the run's own rows: a later close moves the balances on."""
    query = sa.select(sa.func.count(), sa.func.sum(account.c.amount_due)).where(
        account.c.period == period,
        account.c.status != AccountStatus.CLOSED,
        ~is_outsorted(account.c.period, account.c.account_key),
    )
    accounts, amount = books.execute(query).one()
    return Published(accounts, amount or ZERO, already)


# -- the balance of one account, whose bill is released or outsorted after the close --------------


def move_balance(books: Connection, period: str, account_key: str, *, posting_days: int) -> bool:
    """
    Move one account's balance to a closed period's bill, as the close would have.

    What came meanwhile is matched against that period's own export and carried over. No: the
    balance stands for a later period, which holds what this one asks for, or the account is
    closed. The bill run is locked.
    """
    lock_balances(books, [account_key])
    staged = read_staged(books, period, posting_days)
    if not _moves(books, staged, account_key):
        return False
    _move(books, staged, lambda key: key == account_key, _was_before(books, staged))
    return True


def _moves(books: Connection, staged: StagedPeriod, key: str) -> bool:
    later = sa.select(balance_due.c.account_key).where(
        balance_due.c.account_key == key, ~stands_for_no_later(staged)
    )
    billed = sa.select(account.c.status).where(
        account.c.period == staged.period, account.c.account_key == key
    )
    return (
        books.execute(later).first() is None
        and books.scalar(billed) not in (None, AccountStatus.CLOSED)
    )  # fmt: skip


def _was_before(books: Connection, staged: StagedPeriod) -> sa.ColumnElement[bool]:
    """Claim that an entry was in the books, or had happened, when the period was closed."""
    entry = balance_entry.c
    closed_at: datetime = books.execute(
        sa.select(period_close.c.closed_at).where(period_close.c.period == staged.period)
    ).scalar_one()
    day = closed_at.astimezone(ZoneInfo(staged.timezone)).date()
    return sa.or_(
        entry.recorded_at <= closed_at,
        entry.happened_at < closed_at,
        sa.and_(entry.happened_at.is_(None), entry.happened_on < day),
    )


def take_back_balance(books: Connection, period: str, account_key: str) -> str | None:
    """
    Let one account's balance stand for the bill before that of a closed period again.

    What that period's export contained is outstanding again over the bill before. Returns that
    bill's period; None: there was none, and nothing but what moved since is owed. The bill run
    is locked, and the balance stands for the period.
    """
    lock_balances(books, [account_key])
    before = books.execute(_bill_before(period, account_key)).first()
    values = dict.fromkeys(("period", "due_on")) | {"amount_due": ZERO, "equal_pay": False}
    if before is not None:
        values = dict(before._mapping)
    row = balance_due.c
    books.execute(balance_due.update().where(row.account_key == account_key).values(values))
    entry = balance_entry.c
    books.execute(
        balance_entry.update()
        .where(entry.account_key == account_key, entry.in_export_of == period)
        .values(in_export_of=None, how=None)
    )
    add_up(books, [account_key])
    return None if before is None else str(before.period)


def _bill_before(period: str, account_key: str) -> sa.Select[Any]:
    """Select the balance that the account's newest earlier closed period gave it."""
    this = bill_run.alias("this")
    is_agreed = sa.and_(
        account.c.status == AccountStatus.ACTIVE, account.c.equal_pay_amount.is_not(None)
    )
    return (
        sa.select(
            account.c.period,
            account.c.amount_due,
            due_on_of(account.c.period, account.c.account_key, bill_run.c.due_on).label("due_on"),
            is_agreed.label("equal_pay"),
        )
        .join(bill_run, bill_run.c.period == account.c.period)
        .join(period_close, period_close.c.period == account.c.period)
        .join(this, sa.and_(this.c.period == period, bill_run.c.ends_on < this.c.ends_on))
        .where(
            account.c.account_key == account_key,
            account.c.status != AccountStatus.CLOSED,
            ~is_outsorted(account.c.period, account.c.account_key),
        )
        .order_by(bill_run.c.ends_on.desc(), bill_run.c.period)
        .limit(1)
    )
