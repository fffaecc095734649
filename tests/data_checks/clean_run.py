"""A run of twelve accounts in which every check holds, and the two closed runs before it."""

from __future__ import annotations

from datetime import date

from sqlalchemy.engine import Connection

from database import tables
from domain.money import Money
from tests.data_checks.rows import (
    ACH,
    CANCELLED,
    CARD,
    CLOSED,
    CLOSING,
    DUE,
    EQUAL_PAY,
    MONTHS,
    NOON,
    NOTICED,
    OPENING,
    PAPERLESS,
    PREVIOUS,
    RUN,
    SEWER,
    WATER,
    YEAR_AGO,
    add,
    add_bill,
    add_bulk_file,
    add_movement,
    add_page,
    key,
    number,
)


def fill(connection: Connection) -> None:
    """Stage the clean run, with its two closed predecessors."""
    for period in MONTHS:
        _add_run(connection, period)
        _add_accounts(connection, period)
        _add_movements(connection, period)
    for period in (PREVIOUS, YEAR_AGO):
        add(connection, "period_close", period=period, closed_at=NOON, closed_by="clerk")
    _add_balances(connection)
    _add_bills(connection)
    _add_addresses(connection)
    _add_mandates(connection)


def _add_balances(connection: Connection) -> None:
    """What the close of the period before left."""
    of_run = tables.account.c.period == PREVIOUS
    for row in connection.execute(tables.account.select().where(of_run)).all():
        add(
            connection,
            "balance_due",
            period=PREVIOUS,
            account_key=row.account_key,
            account=row.account,
            amount_due=row.amount_due,
        )


def _add_run(connection: Connection, period: str) -> None:
    starts_on, ends_on = MONTHS[period]
    add(
        connection,
        "bill_run",
        period=period,
        state="staged" if period == RUN else "finished",
        utility="City of Larkspur",
        timezone="America/Denver",
        starts_on=starts_on,
        ends_on=ends_on,
        due_on=DUE if period == RUN else ends_on,
        export_name=period,
        export_sha256="0" * 64,
        imported_at=NOON,
        imported_by="clerk",
        control_accounts=12,
        control_bills=11,
        control_opening_balance=Money(11 * OPENING.cents),
        control_billed=Money(11 * CLOSING.cents),
        control_payments=-Money(11 * OPENING.cents),
        control_adjustments=Money(0),
        control_penalties=Money(0),
        control_closing_balance=Money(11 * CLOSING.cents),
    )


def _add_accounts(connection: Connection, period: str) -> None:
    """Let the period before end with what this one opens with."""
    closing = CLOSING if period == RUN else OPENING
    for account in range(1, 13):
        closed = account == CLOSED
        equal_pay = Money(55_00) if account == EQUAL_PAY else None
        due = Money(0) if closed else equal_pay or closing
        add(
            connection,
            "account",
            period=period,
            account_key=key(account),
            account=number(account),
            **dict.fromkeys(("name", "service_address", "mailing_address", "city"), "x"),
            **dict.fromkeys(("state", "zip", "phone"), "x"),
            last_name=f"Name {account}",
            email="",
            ebill=account in PAPERLESS,
            send_paper=account not in PAPERLESS,
            status={11: "final", CLOSED: "closed"}.get(account, "active"),
            opening_balance=Money(0) if closed else OPENING,
            closing_balance=Money(0) if closed else closing,
            equal_pay_amount=equal_pay,
            amount_due=due,
            direct_pay=False,
            block_ach=False,
            block_card=False,
            cosigner_id="LL1" if account == 6 else "",
        )


def _add_movements(connection: Connection, period: str) -> None:
    ends_on = MONTHS[period][1]
    line = 1
    for account in range(1, 12):
        for service, kind, amount, usage in (
            ("WATER", "billing", WATER, 30.0),
            ("SEWER", "billing", SEWER, 28.0),
            ("", "payment", -OPENING, None),
        ):
            line += 1
            add_movement(connection, line, account, kind, amount, ends_on, service, usage, period)


def _add_bills(connection: Connection) -> None:
    """Print bills of one page behind a separator, and one notice."""
    patterns = {"amount_due_pattern": "Amount", "due_on_pattern": "Due"}
    add_bulk_file(connection, 0, "utility-bill", **patterns)
    add_bulk_file(connection, 1, "delinquent-notice")
    add_page(connection, 0, 0, "separator")
    for account in range(1, 12):
        due = Money(55_00) if account == EQUAL_PAY else CLOSING
        add_bill(connection, account, 0, "utility-bill", account, due, DUE)
    add_bill(connection, NOTICED, 1, "delinquent-notice", 0)


def _add_addresses(connection: Connection) -> None:
    for account in range(1, 12):
        paperless = account in PAPERLESS
        paper = None if paperless else "send-paper"
        row = {"period": RUN, "account_key": key(account)}
        add(connection, "delivery_plan", **row, paperless=paperless, paper=paper)
    for account in PAPERLESS:
        mailbox = f"customer{account}@example.com"
        row = {"period": RUN, "account_key": key(account), "address": mailbox}
        add(connection, "account_email", **row, position=1)
        add(connection, "recipient", **row, mailbox=mailbox, source="customer-record")
    row = {"period": RUN, "mailbox": "user@example.net", "address": "user@example.net"}
    add(connection, "portal_user", **row, name="x")
    add(connection, "portal_link", **row, account_key=key(4), paperless=True)
    add(connection, "cosigner", period=RUN, cosigner_id="LL1", name="x", portal_user="")


def _add_mandates(connection: Connection) -> None:
    for line, account in enumerate((ACH, CARD, CANCELLED), start=2):
        kind = "ach" if account == ACH else "card"
        token = {"period": RUN, "portal_user": ""}
        add(connection, "payment_method", **token, token=f"tok_{account}", kind=kind, last4="0001")
        row = {"period": RUN, "account_key": key(account), "account": number(account)}
        row |= {"method_token": f"tok_{account}"}
        add(
            connection,
            "mandate",
            **row,
            line=line,
            portal_user="",
            days_prior=5,
            enrolled_on=date(2026, 1, 5),
            active=account != CANCELLED,
        )
        if account != CANCELLED:
            plan = {"amount": CLOSING, "pay_on": date(2026, 11, 13), "immediate": False}
            add(connection, "planned_payment", **row, **plan, method_kind=kind, last4="0001")
    _add_earlier_payment(connection)


def _add_earlier_payment(connection: Connection) -> None:
    add(
        connection,
        "gateway_payment",
        key=f"autopay/{PREVIOUS}/{key(ACH)}",
        period=PREVIOUS,
        account_key=key(ACH),
        account=number(ACH),
        pay_on=date(2026, 10, 15),
        amount=OPENING,
        method_token="tok_7",
        method_kind="ach",
        last4="0001",
        immediate=False,
        state="succeeded",
        scheduled_at=NOON,
    )
