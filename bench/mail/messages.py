"""The mails that are measured: a bill with its PDF, a small reminder; no customer is real."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cached_property, partial
from itertools import count, islice
from pathlib import Path

from database.books import Database
from domain.accounts import account_key
from domain.deliveries import MessageKind, RecipientSource
from domain.money import ZERO, Money
from mail.keys import delivery_key, message_id
from mail.letters.links import Unsubscribing
from mail.letters.templates import Templates, Wording
from mail.message.addresses import Verp
from mail.message.mime import Attachment
from mail.outbox.deliveries import Delivery
from mail.port import OutgoingMessage
from mail.rendering.bill_facts import BillFacts
from mail.rendering.bills import BillRenderer, Sender, Stamp, bill_file_stem, to_outgoing
from mail.rendering.notice_facts import NoticeFacts
from mail.rendering.notices import NoticeRenderer

KINDS = {"bill": MessageKind.BILL, "small": MessageKind.PAYMENT_DUE}
FORMS = {MessageKind.BILL: "utility-bill", MessageKind.PAYMENT_DUE: "payment-due"}
PDF_BYTES = 60 * 1024
DOCUMENTS = 32  # on disk; bills take turns in reading them
RUN, DUE_ON = "2026-10", date(2026, 11, 20)
NOW = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
DOMAIN, ZONE = "larkspur.example", "America/Denver"
NEWS = "https://larkspur.example/news/2026-10.pdf"
BOUNCES = f"bounces@{DOMAIN}"
SENDER = Sender(
    f"billing@{DOMAIN}", BOUNCES, reply_to=f"desk@{DOMAIN}", verp=Verp(BOUNCES, b"s" * 32)
)


def file_documents(folder: Path) -> None:
    """Write the bill documents; they are noise, as a compressed PDF is to base64."""
    for number in range(DOCUMENTS):
        (folder / f"{number}.pdf").write_bytes(b"%PDF-1.7\n" + os.urandom(PDF_BYTES - 9))


def pdf_path(number: int) -> str:
    """Name a bill's document; the books want another name for each."""
    return f"{number}.pdf"


class Mails:
    """
    Makes mails as the office does when it sends: the document read, worded, put into MIME.

    What the books would say is made up here. Documents lie in the folder.
    """

    def __init__(self, kind: MessageKind, folder: Path, database: Database | None = None) -> None:
        self.kind = kind
        self._folder = folder
        books = database or Database("sqlite://")
        self._templates = Templates()
        self.bills = BillRenderer(books, self._templates, SENDER, self._read, lambda: NEWS)
        self.notices = NoticeRenderer(
            books,
            self._templates,
            SENDER,
            Unsubscribing(b"s" * 32),
            latest_communication=lambda: NEWS,
        )

    def outgoing(self) -> Iterator[OutgoingMessage]:
        """Yield one mail after the other without end, each made when it is about to go."""
        for number in count():
            row = a_delivery(self.kind, number)
            make = self._bill if self.kind is MessageKind.BILL else self._notice
            message = to_outgoing(SENDER, row, partial(make, row, number))
            assert isinstance(message, OutgoingMessage)
            yield message

    def prebuilt(self) -> Iterator[OutgoingMessage]:
        """Yield mails without end whose bytes were made before: some of them, again and again."""
        for number in count():
            row = a_delivery(self.kind, number)
            content = self.stock[number % DOCUMENTS]
            yield OutgoingMessage(row.key, BOUNCES, row.address, row.message_id, content)

    @cached_property
    def stock(self) -> list[bytes]:
        return [message.to_bytes() for message in islice(self.outgoing(), DOCUMENTS)]

    def in_words(self, row: Delivery, number: int) -> tuple[Wording, Attachment | None]:
        """Return the same mail's words and attachment, for those who make MIME in another way."""
        if self.kind is MessageKind.BILL:
            letter = _bill_facts(number).to_letter(row, NEWS)
            name = f"{bill_file_stem(row.form)}-{row.account}-{row.period}.pdf"
            return self._templates.word(letter), Attachment(name, self._read(pdf_path(number)))
        notice, _ = self.notices.to_letter(row, _notice_facts(number))
        return self._templates.word(notice), None

    def _bill(self, row: Delivery, number: int, recipient: str) -> bytes:
        return self.bills.compose(row, _bill_facts(number), recipient)

    def _notice(self, row: Delivery, number: int, recipient: str) -> bytes:
        letter, attachment = self.notices.to_letter(row, _notice_facts(number))
        return self.notices.compose(row, letter, Stamp.of(row, ZONE), attachment, recipient)

    def _read(self, pdf: str) -> bytes:
        number = int(pdf.removesuffix(".pdf"))
        return (self._folder / pdf_path(number % DOCUMENTS)).read_bytes()


def a_delivery(kind: MessageKind, number: int) -> Delivery:
    account, mailbox = account_number(number), f"c{number}@customer.example"
    key = delivery_key(kind, RUN, FORMS[kind], account, mailbox)
    return Delivery(
        key=key, period=RUN, account_key=account_key(account), account=account, kind=kind,
        form=FORMS[kind], address=mailbox, message_id=message_id(key, DOMAIN), attempts=0,
        queued_at=NOW, possible_duplicate=False,
    )  # fmt: skip


def account_number(number: int) -> str:
    return f"{number // 10_000:02}.{number % 10_000:04}.1"


def amount_due(number: int) -> Money:
    return Money(900 + number * 37 % 40_000)


def _bill_facts(number: int) -> BillFacts:
    return BillFacts(
        utility="City of Larkspur", timezone=ZONE, customer=f"Customer {number}",
        service_address=f"{number} Elm Street", amount_due=amount_due(number), due_on=DUE_ON,
        pdf=pdf_path(number), draw_amount=None, draw_on=None, draw_method=None, draw_last4=None,
        wallet_owner=None, source=RecipientSource.CUSTOMER_RECORD, zip_code="", phone="",
    )  # fmt: skip


def _notice_facts(number: int) -> NoticeFacts:
    return NoticeFacts(
        utility="City of Larkspur", timezone=ZONE, period=RUN, customer=f"Customer {number}",
        service_address=f"{number} Elm Street", amount_due=amount_due(number), added=ZERO,
        paid=ZERO, due_on=DUE_ON, payment=None, method=None, last4="",
    )  # fmt: skip
