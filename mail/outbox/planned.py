"""A message that is to be sent, before it is recorded."""

from __future__ import annotations

from dataclasses import dataclass

from domain.deliveries import MessageKind, RecipientSource
from mail.keys import delivery_key


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """
    One message that is to be sent: a bill, a reminder, a receipt, an alert.

    `about` is the business fact that there is one message for: the period, a due date, a
    receipt's number. `run` is the closed period it belongs to, if it does. An alert goes to the
    office and has neither account nor source.
    """

    kind: MessageKind
    about: str
    address: str
    source: RecipientSource | None = None
    account: str = ""
    period: str | None = None
    form: str = ""
    edition: int = 0  # of a bill: how often another one took its place
    is_of_account: bool = True  # else it is one mail, whichever of several accounts it stands with

    @property
    def key(self) -> str:
        """Name its mail by business facts: recording it twice is recording it once."""
        mailbox = self.address.casefold()
        account = self.account if self.is_of_account else ""
        return delivery_key(self.kind, self.about, self.form, account, mailbox)
