"""Invented facts of one customer: for previews, and to try templates before anything is sent."""

from __future__ import annotations

from datetime import date
from typing import Any

from domain.deliveries import MessageKind
from domain.money import Money
from domain.payments import MethodKind
from mail.letters.access import AccessLetter
from mail.letters.arrangements import ArrangementLetter
from mail.letters.bill import AnnouncedDraw, Letter, a_sample
from mail.letters.communications import AlertLetter, CommunicationLetter
from mail.letters.links import UsageExportLetter
from mail.letters.notices import (
    AutopayFailed,
    AutopayScheduled,
    MethodExpiring,
    Notice,
    PastDue,
    PaymentDue,
    PaymentReceipt,
    kind_of,
)
from mail.letters.phrases import say_failure

_BILL = a_sample()
_OWED, _DUE_ON, _NEWS = _BILL.amount_due, _BILL.due_on, _BILL.latest_communication
_DRAW = AnnouncedDraw(_OWED, date(2026, 11, 13), MethodKind.CARD, "1234", "Visa")
_METHOD: dict[str, Any] = {"method": MethodKind.CARD, "last4": "1234", "brand": "Visa"}


def a_sample_notice(form: str) -> Notice:
    """Return a notice's sample facts by its form; raises KeyError for one of no kind."""
    kind = kind_of(form)
    if kind is None:
        raise KeyError(form)
    letter, own = _OWN[kind]
    common: dict[str, Any] = {"form": form, "utility": _BILL.utility, "period": _BILL.period}
    if kind is not MessageKind.ALERT:
        for fact in ("account", "customer", "service_address", "latest_communication"):
            common[fact] = getattr(_BILL, fact)
    return letter(**common, **own)


def sample_letter(kind: MessageKind, form: str) -> Letter:
    return a_sample(form) if kind is MessageKind.BILL else a_sample_notice(form)


def sample_pdf() -> bytes:
    """Return a PDF of one empty page."""
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>",
    ]
    written, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(written))
        written += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = (
        b"xref\n0 4\n0000000000 65535 f \n%strailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    )
    return written + end % (table, len(written))


_OWN: dict[MessageKind, tuple[type[Notice], dict[str, Any]]] = {
    MessageKind.PAYMENT_DUE: (
        PaymentDue,
        {"open_balance": _OWED, "due_on": _DUE_ON, "draw": _DRAW},
    ),
    MessageKind.PAST_DUE: (
        PastDue,
        {"open_balance": _OWED, "due_on": _DUE_ON, "days_overdue": 12},
    ),
    MessageKind.AUTOPAY_FAILED: (
        AutopayFailed,
        {
            "amount": _OWED, "failed_on": _DRAW.pay_on, "open_balance": _OWED, "due_on": _DUE_ON,
            **_METHOD,
            **dict(zip(("reason", "remedy"), say_failure("card expired"), strict=True)),
        },
    ),
    MessageKind.RECEIPT: (
        PaymentReceipt,
        {
            "amount": Money(100_000), "paid_on": _DRAW.pay_on, "confirmation": "CC-104-7731",
            "receipt_number": "10.004512", "open_balance": Money(2_735), **_METHOD,
        },
    ),
    MessageKind.AUTOPAY_SCHEDULED: (
        AutopayScheduled,
        {"draw": _DRAW, "amount_due": _OWED, "due_on": _DUE_ON},
    ),
    MessageKind.METHOD_EXPIRING: (
        MethodExpiring,
        {
            "expires_on": date(2026, 11, 30), "draw": _DRAW, **_METHOD,
            "link": "https://larkspur.example/wallet",
        },
    ),
    MessageKind.ARRANGEMENT: (
        ArrangementLetter,
        {
            "plan_amount": Money(150_00), "open_balance": Money(150_00), "amount": Money(50_00),
            "due_on": date(2026, 12, 1), "last_day": date(2026, 12, 4),
            "installments": (
                (date(2026, 12, 1), Money(50_00)), (date(2027, 1, 1), Money(50_00)),
                (date(2027, 2, 1), Money(50_00)),
            ),
        },
    ),
    MessageKind.COMMUNICATION: (
        CommunicationLetter,
        {
            "title": "Leaf pick-up begins on Monday",
            "paragraphs": (
                "Please put your leaves at the curb by seven in the morning, in paper bags.",
                "Branches longer than four feet are collected on Thursdays.",
            ),
            "link": _NEWS,
            "unsubscribe_link": "https://larkspur.example/unsubscribe/0f3a9c",
        },
    ),
    MessageKind.ALERT: (
        AlertLetter,
        {
            "title": "2 payments wait to be posted",
            "findings": (
                "2 payments were taken and are not posted in cash receipting.",
                "1 mail could not be sent.",
            ),
            "remedy": "Look at each.",
            "ways": (
                "Exceptions: https://larkspur.example/office/exceptions",
                "At a terminal: billclose list exceptions",
            ),
        },
    ),
    MessageKind.ACCESS: (
        AccessLetter,
        {
            "link": "https://larkspur.example/verify/0f3a9c", "code": "271828",
            "expires": "November 5, 2026 at 9:00 AM MST",
            "agreed": (
                "Each bill is drawn from your Visa ending 4242, 5 days before its due date.",
            ),
        },
    ),
    MessageKind.USAGE_EXPORT: (
        UsageExportLetter,
        {
            "link": "https://larkspur.example/exports/0f3a9c", "records": 1_000,
            "expires": "November 5, 2026 at 9:00 AM MST",
        },
    ),
}  # fmt: skip
