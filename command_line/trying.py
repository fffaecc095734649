"""A test mail to whoever tries something out, with a customer's facts in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from command_line.opening import wall_clock
from domain.failures import Misuse, OutcomeUnknown, PermanentFailure

if TYPE_CHECKING:
    from mail.bill_mail import Sender
    from office.wiring import Office


def to_mailbox(address: str, option: str) -> str:
    """Return where a test mail goes; raises Misuse for what is no address."""
    from mail.addresses import to_envelope_address

    try:
        return to_envelope_address(address)
    except PermanentFailure as failure:
        raise Misuse(f"{option}: {failure}.") from None


def send_test_mail(
    office: Office, sender: Sender, to: str, content: bytes, what: str, about: Sequence[str]
) -> bool:
    """
    Send a mail once and write down that a customer's facts were sent; False: nobody knows.

    `about` names the period, the form and the account in its key.
    """
    from database.auditing import record_audit
    from mail.keys import delivery_key
    from mail.trying import as_test, send_test

    period, form, account = about
    key = delivery_key("test", period, form, account, wall_clock().isoformat())
    try:
        send_test(office.mailer, as_test(sender), to, key, content)
    except OutcomeUnknown as unknown:
        click.echo(f"billclose: {unknown}; see whether it arrives", err=True)
        return False
    with office.database.writing() as books:
        record_audit(books, office.moment(), office.who, "send test mail", what)
    return True
