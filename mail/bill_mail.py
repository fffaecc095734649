"""The mail that carries a bill: its facts out of the books, its message out of templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from database.books import Database
from domain.failures import PermanentFailure, TemporaryFailure
from mail.addresses import to_envelope_address
from mail.bill_facts import BillFacts, find_bill_facts
from mail.compose import Templates
from mail.headers import Heading
from mail.keys import boundary, safe
from mail.letters import BillLetter
from mail.mime import Attachment, build
from mail.outbox import Delivery
from mail.port import Outcome, OutgoingMessage, Result


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose mail it is; `name` is the utility's where it is empty."""

    address: str
    envelope_from: str  # where bounces go
    name: str = ""
    reply_to: str = ""  # a mailbox that somebody reads


@dataclass(frozen=True, slots=True)
class BillRenderer:
    """
    Makes the messages of a batch of bill deliveries; hand it to `send_due` as `render`.

    `read_pdf` returns the bytes of a bill by its path below the bill store. It is called when a
    message is about to go, so that one bill document is in memory at a time, and raises OSError.
    """

    database: Database
    templates: Templates
    sender: Sender
    read_pdf: Callable[[str], bytes]
    latest_communication: str = ""

    def __call__(self, deliveries: Sequence[Delivery]) -> Iterator[OutgoingMessage | Outcome]:
        facts = find_bill_facts(self.database, [row.key for row in deliveries])
        for row in deliveries:
            if row.key not in facts:
                yield Outcome(row.key, Result.FAILED, "the bill is no longer in the books")
                continue
            try:
                recipient = to_envelope_address(row.address)
            except PermanentFailure as failure:
                yield Outcome(row.key, Result.FAILED, str(failure))
                continue
            content = partial(self._compose, row, recipient, facts[row.key])
            sender = self.sender.envelope_from
            yield OutgoingMessage(row.key, sender, recipient, row.message_id, content)

    def _compose(self, row: Delivery, recipient: str, facts: BillFacts) -> bytes:
        name = f"{bill_file_stem(row.form)}-{safe(row.account)}-{safe(row.run or 'x')}.pdf"
        attachment = Attachment(name, self._read(facts.pdf))
        letter = facts.to_letter(row, self.latest_communication)
        sent_on = row.queued_at.astimezone(ZoneInfo(facts.timezone))
        return compose_bill(
            self.templates, letter, self.sender, recipient, row.key, row.message_id, sent_on,
            attachment,
        )  # fmt: skip

    def _read(self, pdf: str) -> bytes:
        try:
            return self.read_pdf(pdf)
        except FileNotFoundError:
            raise PermanentFailure("the bill document is not in the bill store") from None
        except OSError as failure:
            raise TemporaryFailure(f"the bill store failed: {type(failure).__name__}") from None


def compose_bill(
    templates: Templates,
    letter: BillLetter,
    sender: Sender,
    recipient: str,
    key: str,
    message_id: str,
    sent_on: datetime,
    attachment: Attachment,
) -> bytes:
    """Return the bytes of one bill's mail: the same facts always give the same bytes."""
    wording = templates.word(letter)
    heading = Heading(
        from_name=sender.name or letter.utility,
        from_address=sender.address,
        recipient=recipient,
        subject=wording.subject,
        sent_on=sent_on,
        message_id=message_id,
        reply_to=sender.reply_to,
    )
    return build(heading, wording.text, wording.html, boundary(key), attachment)


def bill_file_stem(form: str) -> str:
    """Begin an attachment's name: `bill` for the utility bill, other forms by their own name."""
    return "bill" if form == "utility-bill" else safe(form)
