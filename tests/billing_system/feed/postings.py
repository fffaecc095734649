"""Postings of entries as cash receipting has them, of whatever scheduled payment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from database.inserting import insert_new
from database.tables import gateway_payment, posting
from domain.ledger import BalanceEntry
from domain.money import Money
from domain.payments import MethodKind, PaymentState, PostingKind, PostingState
from tests.builders import RUN


def enter_posting(
    books: Any, entry: BalanceEntry, asked_at: datetime, receipt: str = "CR1"
) -> None:
    """Enter the posting of an entry, asked for and posted at a moment."""
    payment = f"autopay/{RUN}/{entry.account_key}"
    amount = Money(abs(entry.amount.cents))
    books.execute(
        insert_new(books.dialect.name, gateway_payment),
        {
            "key": payment, "period": RUN, "account_key": entry.account_key,
            "account": entry.account_key, "number": 1, "pay_on": entry.happened_on,
            "amount": amount, "method_token": "tok_ok", "method_kind": MethodKind.CARD,
            "last4": "1111", "immediate": False, "state": PaymentState.SUCCEEDED,
            "scheduled_at": asked_at,
        },
    )  # fmt: skip
    kind = PostingKind.RECEIPT if entry.amount < Money(0) else PostingKind.REVERSAL
    books.execute(
        posting.insert().values(
            key=f"{kind}/{entry.key}", entry_key=entry.key, payment_key=payment, kind=kind,
            amount=amount, state=PostingState.POSTED, attempts=1, created_at=asked_at,
            asked_at=asked_at, first_asked_at=asked_at, next_retry_at=asked_at, receipt=receipt,
            posted_at=asked_at,
        )
    )  # fmt: skip
