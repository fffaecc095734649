"""The books of a large utility to look things up in: months of accounts, links and payments."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime
from pathlib import Path

STREETS = ("Canyon St", "Depot St", "Willow Bend", "Mill Race Way", "Quarry Rd", "River St")
NAMES = ("Abbott", "Beltran", "Cole", "García", "Brightwater", "O'Dellan", "Villaseñor", "Kowal")
FIRST = ("Ann", "Sven", "Cam", "Zoë", "Odalys", "Orrin", "Saoirse", "Tamsin", "Imogen")
MONTHS = ("2026-08", "2026-09", "2026-10")
ONE_IN = 4  # is enrolled in autopay and has a portal user


def make_books(folder: Path, accounts: int):
    """Make the books of closed months; the newest holds the balances."""
    from database.books import Database
    from database.migrating import migrate
    from database.queries.customers.account_texts import refresh_search

    database = Database(f"sqlite:///{folder}/billclose.db")
    migrate(database)
    for month in MONTHS:
        _enter_month(database, month, accounts)
        refresh_search(database, month)
    with database.engine.connect() as books:
        books.exec_driver_sql("ANALYZE")
    return database


def _enter_month(database, run: str, accounts: int) -> None:
    from database.books import insert_rows
    from database.tables import (
        account,
        balance_due,
        bill,
        bill_run,
        delivery,
        gateway_payment,
        paper,
        period_close,
        portal_link,
    )
    from domain.accounts import account_key
    from domain.money import ZERO, Money

    year, month = map(int, run.split("-"))
    ends_on = date(year, month, monthrange(year, month)[1])
    due_on = date(year + month // 12, month % 12 + 1, 20)
    closed = datetime(due_on.year, due_on.month, 2, 16, tzinfo=UTC)
    totals = (
        "opening_balance",
        "billed",
        "payments",
        "adjustments",
        "penalties",
        "closing_balance",
    )
    numbers = [f"{one // 10_000:02d}.{one % 10_000:04d}.{one % 10}" for one in range(accounts)]
    keys = [account_key(number) for number in numbers]
    payers = range(0, accounts, ONE_IN)
    with database.writing() as books:
        books.execute(
            bill_run.insert().values(
                run=run, state="finished", utility="City", timezone="America/Denver",
                starts_on=ends_on.replace(day=1), ends_on=ends_on, due_on=due_on,
                export_name="city", export_sha256="0" * 64, imported_at=closed,
                imported_by="bench", control_accounts=accounts, control_bills=accounts,
                **{f"control_{name}": ZERO for name in totals},
            )
        )  # fmt: skip
        books.execute(period_close.insert().values(run=run, closed_at=closed, closed_by="bench"))
        insert_rows(
            books, account,
            [
                "run", "account_key", "account", "name", "last_name", "service_address",
                "mailing_address", "city", "state", "zip", "phone", "email", "ebill", "send_paper",
                "status", "opening_balance", "closing_balance", "amount_due", "direct_pay",
                "block_ach", "block_card", "cosigner_id",
            ],
            (
                (
                    run, keys[at], numbers[at], f"{NAMES[at % 8]}{at // 977}, {FIRST[at % 9]}",
                    NAMES[at % 8], f"{at % 3000 + 1} {STREETS[at % 6]}", "", "Larkspur", "CO",
                    f"{80000 + at % 900}", f"(970) 555-{at % 10000:04d}", f"a{at}@example.com",
                    at % 2 == 0, at % 2 == 1, "active", ZERO, Money(8000 + at % 900),
                    Money(8000 + at % 900), False, False, False, "",
                )
                for at in range(accounts)
            ),
        )  # fmt: skip
        insert_rows(
            books, bill,
            ["run", "form", "account_key", "ordinal", "account", "bulk", "first_page", "pages",
             "pdf", "sha256", "size"],
            (
                (run, "utility-bill", keys[at], 1, numbers[at], 1, at + 1, 1, f"{run}/{at}.pdf",
                 "0" * 64, 9_000)
                for at in range(accounts)
            ),
        )  # fmt: skip
        insert_rows(
            books, delivery,
            ["key", "run", "account_key", "account", "kind", "form", "address", "source", "status",
             "message_id", "attempts", "queued_at", "next_try_at", "sent_at", "possible_duplicate",
             "token"],
            (
                (f"bill/{run}/{keys[at]}", run, keys[at], numbers[at], "bill", "utility-bill",
                 f"a{at}@example.com", "customer-record", "sent", f"<{run}.{at}@b>", 1, closed,
                 closed, closed, False, f"{run}{at}"[-16:])
                for at in range(0, accounts, 2)
            ),
        )  # fmt: skip
        insert_rows(
            books, paper,
            ["run", "form", "account_key", "account", "pages", "reason", "part", "sequence"],
            (
                (run, "utility-bill", keys[at], numbers[at], 1, "send-paper", 1, at)
                for at in range(1, accounts, 2)
            ),
        )  # fmt: skip
        insert_rows(
            books, gateway_payment,
            ["key", "run", "account_key", "account", "number", "pay_on", "amount", "method_token",
             "method_kind", "last4", "immediate", "state", "confirmation", "scheduled_at",
             "taken_at"],
            (
                (f"autopay/{run}/{keys[at]}", run, keys[at], numbers[at], 1, due_on,
                 Money(8000 + at % 900), f"tok_{at}", "card", f"{at * 7 % 10000:04d}", False,
                 "succeeded", f"C{run.replace('-', '')}{at:07d}", closed, closed)
                for at in payers
            ),
        )  # fmt: skip
        insert_rows(
            books, portal_link, ["run", "account_key", "mailbox", "address", "paperless"],
            ((run, keys[at], f"user{at}@example.org", f"user{at}@example.org", True)
             for at in payers),
        )  # fmt: skip
        books.execute(balance_due.delete())
        insert_rows(
            books, balance_due,
            ["account_key", "account", "run", "amount_due", "added", "paid", "due_on", "equal_pay"],
            (
                (keys[at], numbers[at], run, Money(8000 + at % 900), ZERO, ZERO, due_on, False)
                for at in range(accounts)
            ),
        )  # fmt: skip
