"""What the books know of the bills behind a batch of deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from database.books import Database
from database.tables import (
    account,
    bill,
    bill_run,
    delivery,
    payment_method,
    scheduled_payment,
)
from domain.deliveries import Recipient, RecipientSource
from domain.money import Money
from domain.payments import MethodKind, PaymentState
from mail.letters import BillLetter, Draw
from mail.outbox import Delivery
from rules.delivery import may_see_method


@dataclass(frozen=True, slots=True)
class BillFacts:
    """One bill as its mail needs it; `pdf` is a path below the bill store."""

    utility: str
    timezone: str
    customer: str
    service_address: str
    amount_due: Money
    due_on: date
    pdf: str
    draw_amount: Money | None
    draw_on: date | None
    draw_method: MethodKind | None
    draw_last4: str | None
    wallet_owner: str | None
    source: RecipientSource | None

    def to_letter(self, row: Delivery, latest_communication: str) -> BillLetter:
        return BillLetter(
            utility=self.utility,
            period=row.run or "",
            form=row.form,
            account=row.account,
            customer=self.customer,
            service_address=self.service_address,
            amount_due=self.amount_due,
            due_on=self.due_on,
            draw=self._draw(row),
            latest_communication=latest_communication,
        )

    def _draw(self, row: Delivery) -> Draw | None:
        if not self.draw_amount or self.draw_on is None or self.draw_method is None:
            return None
        recipient = Recipient(row.address, self.source or RecipientSource.CUSTOMER_RECORD)
        if not may_see_method(recipient, self.wallet_owner or ""):
            return Draw(self.draw_amount, self.draw_on)
        return Draw(self.draw_amount, self.draw_on, self.draw_method, self.draw_last4 or "")


def find_bill_facts(database: Database, keys: Sequence[str]) -> dict[str, BillFacts]:
    """
    Return the facts of each delivery's bill, by delivery key, in one query.

    Amount and date are those printed on the bill where it prints them: mail and document must
    not disagree. The draw is the scheduled payment, which stays as it is, so that a second attempt
    has the same words.
    """
    with database.reading() as connection:
        rows = connection.execute(_facts().where(delivery.c.key.in_(keys)))
        return {key: BillFacts(*values) for key, *values in rows}


def _facts() -> sa.Select[Any]:
    amount_due = sa.func.coalesce(
        bill.c.printed_amount_due, account.c.amount_due, type_=account.c.amount_due.type
    )
    due_on = sa.func.coalesce(bill.c.printed_due_on, bill_run.c.due_on, type_=sa.Date())
    same_account = [
        sa.and_(table.c.run == delivery.c.run, table.c.account_key == delivery.c.account_key)
        for table in (account, bill, scheduled_payment)
    ]
    return (
        sa.select(
            delivery.c.key,
            bill_run.c.utility,
            bill_run.c.timezone,
            account.c.name,
            account.c.service_address,
            amount_due,
            due_on,
            bill.c.pdf,
            scheduled_payment.c.amount,
            scheduled_payment.c.pay_on,
            scheduled_payment.c.method_kind,
            scheduled_payment.c.last4,
            payment_method.c.portal_user,
            delivery.c.source,
        )
        .join(bill_run, bill_run.c.run == delivery.c.run)
        .join(account, same_account[0])
        .join(bill, sa.and_(same_account[1], bill.c.form == delivery.c.form))
        .outerjoin(
            scheduled_payment,
            sa.and_(same_account[2], scheduled_payment.c.state != PaymentState.CANCELLED),
        )
        .outerjoin(
            payment_method,
            sa.and_(
                payment_method.c.run == delivery.c.run,
                payment_method.c.token == scheduled_payment.c.method_token,
            ),
        )
    )
