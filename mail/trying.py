"""One mail that tries something out: it is sent, and recorded nowhere in the outbox."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.policy import default

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from mail.bill_mail import Sender
from mail.port import Mailer, OutgoingMessage, Result

PREFIX = "[Test] "


def as_test(sender: Sender) -> Sender:
    """Return the sender of test mails: their subjects say so, their bounces are nobody's bill."""
    return replace(sender, subject_prefix=PREFIX, verp=None)


def send_test(mailer: Mailer, sender: Sender, recipient: str, key: str, content: bytes) -> None:
    """
    Send one mail now, once.

    Raises TemporaryFailure, PermanentFailure or OutcomeUnknown for what came of it.
    """
    message_id = str(message_from_bytes(content, policy=default)["Message-ID"])
    message = OutgoingMessage(key, sender.envelope_from, recipient, message_id, content)
    try:
        (outcome,) = mailer.deliver([message])
    finally:
        mailer.close()
    if outcome.result is Result.IN_DOUBT:
        raise OutcomeUnknown(f"the test mail was handed over without an answer: {outcome.error}")
    if outcome.result is Result.DEFERRED:
        raise TemporaryFailure(f"the mail server put the test mail off: {outcome.error}")
    if outcome.result is Result.FAILED:
        raise PermanentFailure(f"the mail server refused the test mail: {outcome.error}")
