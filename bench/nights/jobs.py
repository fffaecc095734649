"""One measured job of the night, in a process of its own, on books that it prepares first."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

from bench.measuring import Figures, measured, tell
from bench.money.jobs import DUE, RUN, prepare

BARE, SELECT, LOOK, AGAIN = "bare SQL", "selection", "remind, a look", "remind, a second night"
NIGHT = datetime(2026, 11, 21, 13, 30, tzinfo=UTC)  # the morning after the due date
ONE_IN = 100  # accounts with a bill that bounced, and as many with a hold


def prepare_night(folder: Path, accounts: int):
    """Make a closed period where everybody owes, has an address, and got the bill by mail."""
    from database.books import insert_rows
    from database.tables import account_email, delivery, reminder_hold

    database = prepare(folder, accounts, 5)
    numbers = [f"{one:08d}" for one in range(accounts)]
    close = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
    with database.writing() as books:
        insert_rows(
            books, account_email, ["period", "account_key", "position", "address"],
            ((RUN, number, 0, f"a{number}@example.com") for number in numbers),
        )  # fmt: skip
        insert_rows(
            books, delivery,
            [
                "key", "period", "account_key", "account", "kind", "form", "address", "status",
                "message_id", "attempts", "queued_at", "next_try_at", "sent_at",
                "possible_duplicate", "token",
            ],
            (
                (
                    f"bill/{RUN}/utility-bill/{number}/a", RUN, number, number, "bill",
                    "utility-bill", f"a{number}@example.com",
                    "failed" if at % ONE_IN == 1 else "sent", f"<{number}@b>", 1, close, close,
                    None if at % ONE_IN == 1 else close, False, f"t{number}",
                )
                for at, number in enumerate(numbers)
            ),
        )  # fmt: skip
        insert_rows(
            books, reminder_hold,
            ["account_key", "account", "until", "reason", "placed_at", "placed_by"],
            (
                (number, number, date(2026, 12, 31), "pays by the week", close, "bench")
                for number in numbers[:: ONE_IN]
            ),
        )  # fmt: skip
    return database


def terms(*, records: bool = False):
    from mail.reminders.due_dates import Reminding
    from rules.mail.reminders import Exemption, plan_reminders

    plan = plan_reminders(days_before_due=3, days_after_due=1, at=time(6), cut_off_days=14)
    return Reminding(plan, NIGHT, "bench", "larkspur.example", records, exemption=Exemption(10))


def bare(folder: Path, accounts: int) -> Figures:
    """Ask the database who owes, and nothing else, by one statement written by hand."""
    database = prepare_night(folder, accounts)
    statement = f"""
        SELECT b.account_key, b.account, a.cosigner_id
        FROM balance_due b
        JOIN account a ON a.period = b.period AND a.account_key = b.account_key
        WHERE b.period = '{RUN}' AND b.due_on = '{DUE}' AND b.amount_due + b.added > b.paid
            AND a.status <> 'closed'
        ORDER BY b.account_key"""
    found = []

    def work() -> None:
        with database.reading() as books:
            found.extend(books.connection.cursor().execute(statement).fetchall())

    figures = measured(work)
    assert len(found) == accounts
    return figures


def select(folder: Path, accounts: int) -> Figures:
    """Select who is to be reminded, with the reason of everybody who is not, as `remind` does."""
    import sqlalchemy as sa

    from domain.deliveries import MessageKind
    from mail.reminders.due_dates import due_dates
    from mail.reminders.selection import debts

    database = prepare_night(folder, accounts)
    found = []

    def work() -> None:
        with database.reading() as books:
            (due,) = due_dates(books, NIGHT)
            (owed,) = due.owed(terms().plan)
            chosen = debts(due, MessageKind.PAST_DUE, terms(), owed)
            query = sa.select(chosen).order_by(chosen.c.account_key)
            found.extend(books.execute(query).all())

    figures = measured(work)
    assert len(found) == accounts
    assert accounts // ONE_IN == sum(row.reason == "shielded-bill" for row in found)
    return figures


def look(folder: Path, accounts: int) -> Figures:
    """Do all of `remind --dry-run`: reasons, addresses, what is in the outbox already."""
    return _remind(folder, accounts, after_another=False)


def again(folder: Path, accounts: int) -> Figures:
    """Remind on a second night, when every mail is recorded and nothing is new."""
    return _remind(folder, accounts, after_another=True)


def _remind(folder: Path, accounts: int, *, after_another: bool) -> Figures:
    from domain.deliveries import MessageKind
    from mail.reminders.queueing import queue_reminders

    database = prepare_night(folder, accounts)
    if after_another:
        queue_reminders(database, MessageKind.PAST_DUE, terms(records=True))
    found = []

    def work() -> None:
        counts = queue_reminders(database, MessageKind.PAST_DUE, terms(records=after_another))
        found.append((counts.owed, counts.queued))

    figures = measured(work)
    owed = accounts - 2 * (accounts // ONE_IN)
    assert found == [(owed, 0 if after_another else owed)], found
    return figures


JOBS = {BARE: bare, SELECT: select, LOOK: look, AGAIN: again}


if __name__ == "__main__":
    tell(JOBS)
