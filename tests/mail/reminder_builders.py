"""Builders for reminders: a small town after its close, and nights at the office."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from database.books import Database
from database.tables import balance_due, delivery, gateway_payment, suppressed_address
from domain.accounts import account_key
from domain.deliveries import DeliveryStatus, MessageKind
from domain.money import Money
from domain.payments import MethodKind
from domain.reminders import REMINDERS
from mail.reminders.due_dates import BATCH, Reminding
from mail.reminders.queueing import ReminderCounts, queue_reminders
from rules.mail.reminders import Exemption, plan_reminders
from tests.builders import NOW, RUN

DENVER = ZoneInfo("America/Denver")
DUE_MAIL, LATE_MAIL = REMINDERS


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=DENVER).astimezone(UTC)


def terms(
    at: str,
    *,
    records: bool = True,
    batch: int = BATCH,
    exemption: Exemption | None = None,
    **changes: Any,
) -> Reminding:
    chosen: dict[str, Any] = {
        "days_before_due": 3, "days_after_due": 1, "at": time(6), "cut_off_days": 14,
    }  # fmt: skip
    plan = plan_reminders(**(chosen | changes))
    return Reminding(plan, local(at), "anna", "larkspur.example", records, batch, exemption)


def queue(database: Database, kind: MessageKind, at: str, **changes: Any) -> ReminderCounts:
    return queue_reminders(database, kind, terms(at, **changes))


def pay(database: Database, number: str, paid: str) -> None:
    with database.writing() as books:
        books.execute(
            balance_due.update()
            .where(balance_due.c.account_key == account_key(number))
            .values(paid=Money.parse(paid))
        )


def schedule(database: Database, number: str, state: str = "scheduled", period: str = RUN) -> None:
    """Give an account an autopay payment in a state."""
    key = account_key(number)
    with database.writing() as books:
        books.execute(gateway_payment.delete().where(gateway_payment.c.account_key == key))
        books.execute(
            gateway_payment.insert().values(
                key=f"autopay/{period}/{key}", period=period,
                account_key=key, account=number, number=1,
                pay_on=NOW.date(), amount=Money.parse("80.00"), method_token="tok",
                method_kind=MethodKind.ACH, last4="6789", immediate=False, state=state,
                scheduled_at=NOW,
            )
        )  # fmt: skip


def suppress_mailbox(database: Database, mailbox: str) -> None:
    with database.writing() as books:
        books.execute(suppressed_address.insert().values(mailbox=mailbox, since=NOW, reason="gone"))


def mark_all(database: Database, status: DeliveryStatus) -> None:
    """Let what waits come to a status, as sending would."""
    with database.writing() as books:
        books.execute(
            delivery.update()
            .where(delivery.c.status == DeliveryStatus.QUEUED)
            .values(status=status)
        )


def mails(database: Database, *columns: str) -> list[tuple[str, ...]]:
    """The recorded mails, by account, form and address or by these columns."""
    chosen = columns or ("account", "form", "address")
    query = sa.select(*(delivery.c[name] for name in chosen)).order_by(delivery.c.key)
    with database.reading() as books:
        return [tuple(map(str, row)) for row in books.execute(query)]
