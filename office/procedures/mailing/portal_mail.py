"""The portal's mails: queued with what they follow from, and sent at once where that can be."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.engine import Connection

from domain.deliveries import MessageKind, RecipientSource
from domain.identity import PortalMail
from identity.tokens import new_token
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages
from office.equipment.office import Office


def queue_portal_mails(office: Office, books: Connection, mails: Iterable[PortalMail]) -> int:
    """Queue mails about somebody's access, in the transaction that they follow from."""
    messages = [
        PlannedMessage(
            MessageKind.ACCESS,
            about=mail.about or mail.link or new_token()[:32],
            address=mail.address,
            source=RecipientSource.PORTAL_USER,
            account=mail.account,
            form=f"{MessageKind.ACCESS}-{mail.form}",
        )
        for mail in mails
    ]
    return queue_messages(
        books, messages, now=office.due_now(), message_domain=office.message_domain
    )


def send_portal_mails(office: Office) -> None:
    """Send what somebody before a page waits for: mails of access, receipts, exports; codes."""
    from office.procedures.mailing.mail_sending import send_alone
    from office.procedures.texting.sending import send_texts

    send_alone(
        office,
        office.mailer,
        (MessageKind.ACCESS, MessageKind.RECEIPT, MessageKind.USAGE_EXPORT),
        office.due_now,
        lambda _counts: None,
    )
    send_texts(office, (MessageKind.ACCESS,))
