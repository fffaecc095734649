"""One measured job with money, in a process of its own, on books that it prepares first."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from bench.measuring import Figures, measured, tell

LIMIT, SCHEDULE, COLLECT = "one INSERT … SELECT", "schedule", "collect"
RUN = "2026-10"
NOW = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
DUE = date(2026, 11, 20)


def prepare(folder: Path, accounts: int, days_prior: int):
    """Make a closed period in which everybody pays by autopay."""
    from billing_system.closing import publish
    from database.books import Database, insert_rows
    from database.tables import account, bill_run, mandate, metadata, payment_method
    from domain.accounts import AccountStatus
    from domain.money import ZERO, Money
    from domain.payments import MethodKind
    from domain.runs import RunState

    database = Database(f"sqlite:///{folder / 'books.db'}")
    metadata.create_all(database.engine)
    totals = (
        "opening_balance", "billed", "payments", "adjustments", "penalties", "closing_balance",
    )  # fmt: skip
    words = (
        "name", "last_name", "service_address", "mailing_address", "city", "state", "zip",
        "phone", "email", "cosigner_id",
    )  # fmt: skip
    numbers = [f"{one:08d}" for one in range(accounts)]
    with database.writing() as books:
        books.execute(
            bill_run.insert().values(
                period=RUN, state=RunState.APPROVED, utility="City", timezone="America/Denver",
                starts_on=date(2026, 10, 1), ends_on=date(2026, 10, 31), due_on=DUE,
                export_name="export", export_sha256="0" * 64, imported_at=NOW, imported_by="bench",
                control_accounts=accounts, control_bills=accounts,
                **{f"control_{name}": ZERO for name in totals},
            )
        )  # fmt: skip
        insert_rows(
            books, account,
            [
                "period", "account_key", "account", "status", "opening_balance", "closing_balance",
                "amount_due", "ebill", "send_paper", "direct_pay", "block_ach", "block_card",
                *words,
            ],
            (
                (
                    RUN, number, number, AccountStatus.ACTIVE, ZERO, Money(5_000 + at % 9_000),
                    Money(5_000 + at % 9_000), True, False, False, False, False,
                    *([""] * len(words)),
                )
                for at, number in enumerate(numbers)
            ),
        )  # fmt: skip
        insert_rows(
            books, payment_method, ["period", "token", "portal_user", "kind", "last4"],
            ((RUN, f"pm_{number}", "", MethodKind.CARD, "4242") for number in numbers),
        )  # fmt: skip
        insert_rows(
            books, mandate,
            [
                "period", "line", "account_key", "account", "portal_user", "method_token",
                "days_prior", "maximum", "enrolled_on", "active",
            ],
            (
                (
                    RUN, at, number, number, "", f"pm_{number}",
                    days_prior if days_prior > 20 else at % 15,
                    Money(20_000) if at % 3 else None,
                    date(2026, 4, 9), True,
                )
                for at, number in enumerate(numbers)
            ),
        )  # fmt: skip
    publish(database, RUN, now=NOW, who="bench")
    return database


def limit(folder: Path, accounts: int) -> Figures:
    """Write the scheduled payments by one statement that decides nothing."""
    import sqlalchemy as sa

    from database.tables import account, gateway_payment, mandate, payment_method

    database = prepare(folder, accounts, 5)
    same = sa.and_(
        mandate.c.period == account.c.period, mandate.c.account_key == account.c.account_key
    )
    method = sa.and_(
        payment_method.c.period == mandate.c.period,
        payment_method.c.token == mandate.c.method_token,
    )
    rows = (
        sa.select(
            sa.literal(f"autopay/{RUN}/").concat(account.c.account_key), account.c.period,
            account.c.account_key, account.c.account,
            sa.literal(DUE, gateway_payment.c.pay_on.type), account.c.amount_due,
            mandate.c.method_token, payment_method.c.kind, payment_method.c.last4, sa.false(),
            sa.literal("scheduled"), sa.literal(NOW, gateway_payment.c.scheduled_at.type),
        )
        .join(mandate, same)
        .join(payment_method, method)
    )  # fmt: skip
    names = [
        "key", "period", "account_key", "account", "pay_on", "amount", "method_token",
        "method_kind", "last4", "immediate", "state", "scheduled_at",
    ]  # fmt: skip

    def work() -> None:
        with database.writing() as books:
            books.execute(gateway_payment.insert().from_select(names, rows))

    return measured(work)


def schedule(folder: Path, accounts: int) -> Figures:
    from payments.scheduling.scheduling import schedule_autopay
    from rules.calendars import bank_closed_days
    from rules.money.autopay import AutopayPolicy

    database = prepare(folder, accounts, 5)
    closed = bank_closed_days()
    assert NOW.date() not in closed  # what holidays there are is loaded once a process
    found = []

    def work() -> None:
        found.append(
            schedule_autopay(
                database, RUN, now=NOW, today=NOW.date(), closed=closed, policy=AutopayPolicy()
            )
        )

    figures = measured(work)
    assert found[0].scheduled == accounts, found
    return figures


def collect(folder: Path, payments: int) -> Figures:
    from payments.collecting.collecting import collect_due
    from payments.sandbox.gateway import SandboxGateway
    from payments.scheduling.scheduling import schedule_autopay
    from payments.terms import CollectionTerms
    from rules.calendars import bank_closed_days
    from rules.money.autopay import AutopayPolicy

    database = prepare(folder, payments, 30)
    closed = bank_closed_days()
    assert NOW.date() not in closed  # what holidays there are is loaded once a process
    schedule_autopay(
        database, RUN, now=NOW, today=NOW.date(), closed=closed, policy=AutopayPolicy()
    )
    gateway = SandboxGateway(folder / "gateway.db", lambda: NOW, closed)
    found = []

    def work() -> None:
        found.append(collect_due(database, gateway, CollectionTerms(closed=closed), lambda: NOW))

    figures = measured(work)
    assert found[0].drawn.count == payments, found
    return figures


JOBS = {LIMIT: limit, SCHEDULE: schedule, COLLECT: collect}


if __name__ == "__main__":
    tell(JOBS)
