"""What the books know of the bills behind a batch of deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from database.books import Database
from database.definitions.account_changes import account_in_force
from database.definitions.corrections import replaced_bill
from database.definitions.wallet import method_in_force
from database.ledger.received import received_on
from database.queries.balances import stands_with
from database.queries.outsorted import due_on_of
from database.tables import (
    account,
    balance_due,
    bill,
    bill_run,
    delivery,
    planned_payment,
    scheduled_payment,
)
from domain.corrections import is_corrected
from domain.deliveries import Recipient, RecipientSource
from domain.feeds import ChangeField
from domain.money import Money
from domain.payments import MethodKind, PaymentState
from domain.since_bill import SinceBill
from mail.letters.bill import AnnouncedDraw, BillLetter
from mail.letters.corrected import Change
from mail.outbox.deliveries import Delivery
from rules.mail.delivery import may_see_method


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
    zip_code: str = field(repr=False)  # these may be its password
    phone: str = field(repr=False)
    amount_before: Money | None = None  # of the bill whose place this one took
    due_before: date | None = None
    billed: Money | None = None  # what the balance stands on; None: on another bill
    added: Money | None = None
    paid: Money | None = None
    first_on: date | None = None  # of what was received since
    last_on: date | None = None
    draw_state: PaymentState | None = None
    draw_brand: str = ""

    def to_letter(
        self,
        row: Delivery,
        latest_communication: str,
        password_hint: str = "",
        bill_link: str = "",
    ) -> BillLetter:
        return BillLetter(
            utility=self.utility,
            period=row.period or "",
            form=row.form,
            account=row.account,
            customer=self.customer,
            service_address=self.service_address,
            amount_due=self.amount_due,
            due_on=self.due_on,
            draw=self._draw(row),
            latest_communication=latest_communication,
            password_hint=password_hint,
            bill_link=bill_link,
            since=self._since(row),
            change=self._change(row),
        )

    @property
    def _standing(self) -> SinceBill | None:
        if self.billed is None or self.added is None or self.paid is None:
            return None
        return SinceBill(self.billed, self.added, self.paid, self.first_on, self.last_on)

    def _since(self, row: Delivery) -> SinceBill | None:
        """Say it of the bill that the balance stands on; a notice beside it shows another sum."""
        if is_corrected(row.about) or self.billed != self.amount_due:
            return None
        return self._standing

    def _change(self, row: Delivery) -> Change | None:
        if not is_corrected(row.about) or self.amount_before is None or self.due_before is None:
            return None
        return Change(
            self.amount_before,
            self.due_before,
            self._standing.open_balance if self._standing else None,
        )

    def _draw(self, row: Delivery) -> AnnouncedDraw | None:
        if not self.draw_amount or self.draw_on is None or self.draw_method is None:
            return None
        if is_corrected(row.about) and self.draw_state is not PaymentState.SCHEDULED:
            return None  # it was drawn, or is on its way: what was received says so
        recipient = Recipient(row.address, self.source or RecipientSource.CUSTOMER_RECORD)
        if not may_see_method(recipient, self.wallet_owner or ""):
            return AnnouncedDraw(self.draw_amount, self.draw_on)
        return AnnouncedDraw(
            self.draw_amount,
            self.draw_on,
            self.draw_method,
            self.draw_last4 or "",
            self.draw_brand,
        )


def find_bill_facts(database: Database, keys: Sequence[str]) -> dict[str, BillFacts]:
    """
    Return the facts of each delivery's bill, by delivery key, in one query.

    Amount and date are those printed on the bill where it prints them: mail and document must
    not disagree. A bill that was held back and released has the due date that it got then. The
    draw is the scheduled payment, which stays as it is, so that a second attempt has the same
    words.
    """
    with database.reading() as books:
        query = _facts(delivery, scheduled_payment).where(delivery.c.key.in_(keys))
        rows = books.execute(query)
        return {key: BillFacts(*values) for key, *values in rows}


def find_facts_of_bill(
    database: Database, row: Delivery, source: RecipientSource, *, is_planned: bool
) -> BillFacts | None:
    """
    Return what the mail of a bill would say that no delivery is recorded for: for a look at it.

    Before the close (`is_planned`) the draw is the one that autopay plans.
    """
    columns = {
        "key": row.key,
        "period": row.period,
        "account_key": row.account_key,
        "form": row.form,
    }
    wanted = sa.select(
        *(sa.literal(value).label(name) for name, value in columns.items()),
        sa.literal(source, delivery.c.source.type).label("source"),
    ).subquery()
    query = _facts(wanted, planned_payment if is_planned else scheduled_payment)
    with database.reading() as books:
        found = books.execute(query).first()
    return None if found is None else BillFacts(*found[1:])


def _facts(delivery: sa.FromClause, payment: sa.Table) -> sa.Select[Any]:
    amount_due = sa.func.coalesce(
        bill.c.printed_amount_due, account.c.amount_due, type_=account.c.amount_due.type
    )
    printed = sa.func.coalesce(bill.c.printed_due_on, bill_run.c.due_on, type_=sa.Date())
    due_on = due_on_of(delivery.c.period, delivery.c.account_key, printed)
    same_account = [
        sa.and_(table.c.period == delivery.c.period, table.c.account_key == delivery.c.account_key)
        for table in (account, bill, payment)
    ]
    method = method_in_force(delivery.c.period, payment.c.method_token)
    return method.joined_to(
        sa.select(
            delivery.c.key,
            bill_run.c.utility,
            bill_run.c.timezone,
            account_in_force(account, ChangeField.NAME),
            account.c.service_address,
            amount_due,
            due_on,
            bill.c.pdf,
            payment.c.amount,
            payment.c.pay_on,
            payment.c.method_kind,
            payment.c.last4,
            method.portal_user,
            delivery.c.source,
            account.c.zip,  # that the page is addressed to, as the hint says
            account_in_force(account, ChangeField.PHONE),
            replaced_bill.c.amount_due.label("amount_before"),
            replaced_bill.c.due_on.label("due_before"),
            balance_due.c.amount_due,
            balance_due.c.added,
            balance_due.c.paid,
            *received_on(bill.c.account_key, bill_run.c.sure_until),
            payment.c.state if payment is scheduled_payment else sa.null(),
            method.brand,
        )
        .select_from(delivery)
        .join(bill_run, bill_run.c.period == delivery.c.period)
        .join(account, same_account[0])
        .join(bill, sa.and_(same_account[1], bill.c.form == delivery.c.form))
        .outerjoin(replaced_bill, _is_edition_before(replaced_bill, bill))
        .outerjoin(balance_due, stands_with(bill))
        .outerjoin(payment, sa.and_(same_account[2], _will_be_drawn(payment)))
    )


def _is_edition_before(old: sa.Table, of: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(
        old.c.period == of.c.period,
        old.c.form == of.c.form,
        old.c.account_key == of.c.account_key,
        old.c.edition == of.c.edition - 1,
    )


def _will_be_drawn(payment: sa.Table) -> sa.ColumnElement[bool]:
    if payment is scheduled_payment:
        is_first = scheduled_payment.c.number == 1  # not what is drawn again after a return
        return sa.and_(is_first, scheduled_payment.c.state != PaymentState.CANCELLED)
    return payment.c.pay_on.is_not(None)
