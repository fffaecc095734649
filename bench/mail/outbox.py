"""The whole way of a mail through the outbox: recorded, claimed, sent, marked."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from bench.mail.messages import (
    DOMAIN,
    DUE_ON,
    FORMS,
    NOW,
    ZONE,
    Mails,
    account_number,
    amount_due,
    pdf_path,
)
from database.books import Database
from database.migrating import migrate
from database.owners import this_process
from database.tables import (
    account,
    balance_due,
    bill,
    bill_run,
    delivery_plan,
    metadata,
    period_close,
    recipient,
)
from domain.accounts import AccountStatus, account_key
from domain.deliveries import MessageKind, RecipientSource
from domain.money import ZERO
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_bills, queue_messages
from mail.outbox.sending import send_due
from mail.port import Mailer

SOURCE = RecipientSource.CUSTOMER_RECORD
TOTALS = ("opening_balance", "billed", "payments", "adjustments", "penalties", "closing_balance")


class Office:
    """Books on a disk with one closed run in them, which is made anew for each sending."""

    def __init__(self, kind: MessageKind, folder: Path) -> None:
        place = Path(tempfile.mkdtemp(dir=folder))
        self._database = Database(f"sqlite:///{place}/books.db")
        migrate(self._database)
        self._journals = place / "outbox"
        self._journals.mkdir()
        self._mails = Mails(kind, folder, self._database)
        self._kind = kind
        self._run = 0
        self._count = 0

    def prepare(self, count: int) -> None:
        """Close a run with so many bills; what was sent before stays in the books."""
        self._run, self._count = self._run + 1, count
        rows = _rows(f"2026-{self._run:02}", count)
        with self._database.writing() as books:
            books.execute(balance_due.delete())  # an account owes what its newest bill says
            for table in metadata.sorted_tables:
                if table.name in rows:
                    books.execute(table.insert(), rows[table.name])

    def send(self, mailer: Mailer) -> int:
        """Record a delivery for each bill and send what is due, as the nightly flows do."""
        period = f"2026-{self._run:02}"
        if self._kind is MessageKind.BILL:
            queue_bills(self._database, period, now=NOW, message_domain=DOMAIN)
        else:
            with self._database.writing() as books:
                reminders = (_reminder(period, number) for number in range(self._count))
                queue_messages(books, reminders, now=NOW, message_domain=DOMAIN)
        renderer = self._mails.bills if self._kind is MessageKind.BILL else self._mails.notices
        counts = send_due(
            self._database, mailer, {self._kind: renderer},
            journals=self._journals, clock=lambda: NOW, owner=this_process(),
        )  # fmt: skip
        if counts.sent != self._count:
            raise RuntimeError(f"{counts.sent} of {self._count} mails were sent")
        return counts.sent


def _reminder(period: str, number: int) -> PlannedMessage:
    return PlannedMessage(
        MessageKind.PAYMENT_DUE,
        about=f"{period}-20",
        address=f"c{number}@customer.example",
        source=SOURCE,
        account=account_number(number),
        period=period,
        form=FORMS[MessageKind.PAYMENT_DUE],
    )


def _rows(period: str, count: int) -> dict[str, list[dict[str, Any]]]:
    """Return what the books hold of a closed run, by table."""
    month = int(period[-2:])
    rows: dict[str, list[dict[str, Any]]] = {
        bill_run.name: [{
            "period": period, "state": "closed", "utility": "City of Larkspur", "timezone": ZONE,
            "starts_on": date(2026, month, 1), "ends_on": date(2026, month, 28), "due_on": DUE_ON,
            "export_name": "larkspur", "export_sha256": "0" * 64, "imported_at": NOW,
            "imported_by": "bench", "control_accounts": count, "control_bills": count,
            **{f"control_{name}": ZERO for name in TOTALS},
        }],
        period_close.name: [{"period": period, "closed_at": NOW, "closed_by": "bench"}],
    }  # fmt: skip
    for number in range(count):
        for table, row in _rows_of_account(period, number).items():
            rows.setdefault(table, []).append(row)
    return rows


def _rows_of_account(period: str, number: int) -> dict[str, dict[str, Any]]:
    owed, shown = amount_due(number), account_number(number)
    key = account_key(shown)
    ours = {"period": period, "account_key": key}
    mailbox = f"c{number}@customer.example"
    return {
        account.name: {
            **ours, "account": shown, "name": f"Customer {number}", "last_name": str(number),
            "service_address": f"{number} Elm Street", "mailing_address": "", "city": "",
            "state": "", "zip": "", "phone": "", "email": "", "ebill": True, "send_paper": False,
            "status": AccountStatus.ACTIVE, "opening_balance": ZERO, "closing_balance": owed,
            "amount_due": owed, "direct_pay": False, "block_ach": False, "block_card": False,
            "cosigner_id": "",
        },
        bill.name: {
            **ours, "form": "utility-bill", "ordinal": 1, "account": shown, "bulk": 0,
            "first_page": 0, "pages": 1, "pdf": pdf_path(number), "sha256": "0" * 64, "size": 1,
        },
        delivery_plan.name: {**ours, "paperless": True},
        recipient.name: {**ours, "mailbox": mailbox, "address": mailbox, "source": SOURCE},
        balance_due.name: {
            **ours, "account": shown, "amount_due": owed, "added": ZERO, "paid": ZERO,
            "due_on": DUE_ON, "equal_pay": False,
        },
    }  # fmt: skip
