"""The facts of mails about payments by hand, and their letters."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.checkout import checkout, checkout_line
from database.definitions.wallet import brand_of
from database.postings import is_receipt_of
from database.queries.payment_events import MoneyMoved, moved_of
from database.tables import gateway_payment, posting
from domain.failures import PermanentFailure
from domain.languages import ENGLISH, say_day
from domain.money import ZERO
from domain.payments import PaymentKind, PaymentState
from mail.letters.notices import NOT_TAKEN, OF_EVENT, TAKEN_BACK, PaymentReceipt
from mail.letters.phrases import MONEY_MOVED
from mail.letters.spanish import in_language
from mail.outbox.deliveries import Delivery
from mail.rendering.notice_facts import NoticeFacts
from mail.rendering.readers import name_of_reader

_STATES = {
    NOT_TAKEN: (PaymentState.DECLINED, PaymentState.CANCELLED),
}
_TAKEN = (PaymentState.SUCCEEDED,)


def is_about_checkout(row: Delivery) -> bool:
    """Tell whether a receipt is of a payment by hand: its key says so."""
    return row.about.startswith(f"{PaymentKind.CHECKOUT}/")


def to_checkout_letter(
    database: Database, row: Delivery, facts: NoticeFacts, common: dict[str, Any]
) -> PaymentReceipt:
    """
    Return what a mail about a payment by hand says; it goes to whoever paid and owns the method.

    A guest reads it in the language of the page on which they paid; a portal user in theirs of now.

    Raises PermanentFailure where it is no longer so: a receipt of what came back meanwhile.
    """
    key, _, short = row.about.partition(OF_EVENT)
    with database.reading() as books:
        paid = books.execute(_paid(key)).one_or_none()
        language = books.scalar(_language_of_guest(key)) or common.get("language", ENGLISH)
        lines = _lines(books, key, language)
        moved = next((one for one in moved_of(books, key) if one.short == short), None)
        common |= {"customer": _payer(books, key, row, facts), "language": language}
    if paid is None or not _is_so(row, paid, moved):
        raise PermanentFailure("the payment stands otherwise now")
    if lines:  # a guest's, or of several: it says nothing of an account but its number
        common = common | {"service_address": ""}
    moment = paid.taken_at or paid.scheduled_at
    return PaymentReceipt(
        **common,
        amount=paid.amount,
        paid_on=moment.astimezone(ZoneInfo(facts.timezone)).date(),
        confirmation=paid.confirmation or "",
        open_balance=facts.open_balance or ZERO,
        receipt_number=paid.receipt or "",
        method=paid.method_kind,
        last4=paid.last4,
        brand=paid.brand,
        service_fee=paid.service_fee,
        lines=lines,
        what_happened=_say_moved(moved, facts, language) if moved else "",
    )


def _is_so(row: Delivery, paid: Any, moved: MoneyMoved | None) -> bool:
    if row.form == TAKEN_BACK:
        return moved is not None
    return paid.state in _STATES.get(row.form, _TAKEN)


def _say_moved(moved: MoneyMoved, facts: NoticeFacts, language: str) -> str:
    day = moved.happened_at.astimezone(ZoneInfo(facts.timezone)).date()
    said = in_language(MONEY_MOVED[moved.kind], language)
    return said % {"amount": moved.amount.dollars(), "day": say_day(day, language)}


def _payer(books: Connection, payment_key: str, row: Delivery, facts: NoticeFacts) -> str:
    """
    Return the name of whoever paid, as far as the books have it; empty where they do not.

    Not only its holder pays an account. A guest is nobody whom we know.
    """
    paid_by = sa.select(checkout.c.user_number).where(checkout.c.payment_key == payment_key)
    if books.scalar(paid_by) is None:
        return ""
    return name_of_reader(books, row, facts)


def _lines(books: Connection, payment_key: str, language: str) -> tuple[str, ...]:
    """Say what a payment pays, where that is more or else than one account of a portal user."""
    query = (
        sa.select(checkout_line, checkout.c.user_number)
        .join(checkout, checkout.c.key == checkout_line.c.checkout)
        .where(checkout.c.payment_key == payment_key)
        .order_by(checkout_line.c.number)
    )
    rows = books.execute(query).all()
    if len(rows) == 1 and rows[0].account_key and rows[0].user_number is not None:
        return ()
    return tuple(_say_line(row, language) for row in rows)


def _say_line(row: Any, language: str) -> str:
    if row.account_key:
        said = in_language("Account %(account)s: %(amount)s", language)
        return said % {"account": row.account, "amount": row.amount.dollars()}
    about = ", ".join(part for part in (row.account, row.payor) if part)
    return f"{row.title}{f' ({about})' if about else ''}: {row.amount.dollars()}"


def _language_of_guest(key: str) -> sa.Select[Any]:
    return sa.select(checkout.c.language).where(
        checkout.c.payment_key == key, checkout.c.user_number.is_(None)
    )


def _paid(key: str) -> sa.Select[Any]:
    return (
        sa.select(
            gateway_payment,
            brand_of(gateway_payment.c.method_token).label("brand"),
            posting.c.receipt,
        )
        .outerjoin(posting, is_receipt_of(gateway_payment.c.key))
        .where(gateway_payment.c.key == key)
    )
