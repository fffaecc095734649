"""A look at a form's mail before anybody gets it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from mail.bill_mail import Sender, bill_file_stem, compose_bill
from mail.compose import Templates
from mail.keys import delivery_key, message_id
from mail.letters import BillLetter, a_sample
from mail.mime import Attachment

_SENDER = Sender("billing@larkspur.example", "bounces@larkspur.example")
_QUEUED_AT = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)


def render_sample(
    form: str, templates: Templates | None = None, letter: BillLetter | None = None
) -> bytes:
    """Return the message a form's templates make of sample facts, attachment included."""
    shown = letter or a_sample(form)
    key = delivery_key("bill", shown.period, form, shown.account, "ann@customer.example")
    return compose_bill(
        templates or Templates(),
        shown,
        _SENDER,
        "ann@customer.example",
        key,
        message_id(key, "larkspur.example"),
        _QUEUED_AT.astimezone(ZoneInfo("America/Denver")),
        Attachment(
            f"{bill_file_stem(form)}-{shown.account}-{shown.period}.pdf", b"%PDF-1.7\nsample\n"
        ),
    )
