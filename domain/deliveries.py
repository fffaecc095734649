"""How a bill reaches its customer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

UNSUBSCRIBED = "this mailbox wants no communications any more"  # why a mail was not sent


class RecipientSource(StrEnum):
    """Where an address was found; the first source wins when two give the same mailbox."""

    CUSTOMER_RECORD = "customer-record"
    PORTAL_USER = "portal-user"
    LANDLORD = "landlord"


class PaperReason(StrEnum):
    SEND_PAPER = "send-paper"
    NO_VALID_EMAIL = "no-valid-email"
    NO_EBILL = "no-ebill"
    EBILL_BOUNCED = "ebill-bounced"
    PASSWORD_MISSING = "password-missing"  # noqa: S105 - nothing could lock the e-mailed bill
    EBILL_TOO_LARGE = "ebill-too-large"  # for a mail, and no link takes its place


class PasswordField(StrEnum):
    """
    What opens an e-mailed bill, named as the column of the export's accounts.

    Account number, names and service address are not among them: they stand in the mail itself.
    """

    NONE = ""
    ZIP = "zip"
    PHONE = "phone"


class MessageKind(StrEnum):
    BILL = "bill"
    PAYMENT_DUE = "payment-due"
    PAST_DUE = "past-due"
    AUTOPAY_SCHEDULED = "autopay-scheduled"
    AUTOPAY_FAILED = "autopay-failed"
    METHOD_EXPIRING = "method-expiring"
    RECEIPT = "receipt"
    ARRANGEMENT = "arrangement"  # a payment plan: agreed, an installment to come, broken, ended
    COMMUNICATION = "communication"
    ALERT = "alert"
    USAGE_EXPORT = "usage-export"
    ACCESS = "access"  # one-time links, and what was done in a portal user's name


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    IN_DOUBT = "in-doubt"  # the server may have taken it; the crash came before its answer


WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)  # recorded, and with nobody else
SENDING_MOVES = {  # what a mail and a text have in common while they are sent
    (DeliveryStatus.QUEUED, "claimed"): DeliveryStatus.SENDING,
    (DeliveryStatus.DEFERRED, "claimed"): DeliveryStatus.SENDING,
    (DeliveryStatus.IN_DOUBT, "claimed"): DeliveryStatus.SENDING,
    (DeliveryStatus.SENDING, "sent"): DeliveryStatus.SENT,
    (DeliveryStatus.SENDING, "deferred"): DeliveryStatus.DEFERRED,
    (DeliveryStatus.SENDING, "failed"): DeliveryStatus.FAILED,
    (DeliveryStatus.SENDING, "given up"): DeliveryStatus.FAILED,
    (DeliveryStatus.SENDING, "in-doubt"): DeliveryStatus.IN_DOUBT,
    (DeliveryStatus.SENDING, "lease ran out"): DeliveryStatus.IN_DOUBT,
    (DeliveryStatus.SENDING, "put back"): DeliveryStatus.QUEUED,
}


@dataclass(frozen=True, slots=True)
class Recipient:
    """One mailbox and why it gets a copy (rules 21-28, ruling 6)."""

    address: str
    source: RecipientSource

    @property
    def mailbox(self) -> str:
        """What makes two spellings the same mailbox: the case of letters does not count."""
        return self.address.casefold()


@dataclass(frozen=True, slots=True)
class DeliveryPlan:
    """How one account's bill goes out: the mailboxes, the reason for paper, or neither."""

    account: str
    paperless: bool
    recipients: tuple[Recipient, ...]
    paper: PaperReason | None
