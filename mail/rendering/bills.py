"""The mail that carries a bill: its facts out of the books, its message out of templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from urllib.parse import quote
from zoneinfo import ZoneInfo

from database.books import Database
from domain.deliveries import PasswordField
from domain.failures import PermanentFailure
from domain.languages import ENGLISH
from mail.keys import boundary, safe
from mail.letters.bill import Letter
from mail.letters.links import no_link
from mail.letters.phrases import password_hint
from mail.letters.templates import Templates
from mail.message.addresses import Verp, to_envelope_address
from mail.message.mime import Attachment, Heading, Unsubscribe, build
from mail.message.size_limit import MEGABYTE, USUAL_LIMIT, SizeLimit, read_stored
from mail.outbox.deliveries import Delivery
from mail.port import MailOutcome, OutgoingMessage, Result
from mail.rendering.bill_facts import BillFacts, find_bill_facts
from mail.rendering.languages import languages_of
from rules.mail.delivery import bill_password

_SHOWN_AS_PAGE = "utility-bill"  # the form whose figures the portal has


@dataclass(frozen=True, slots=True)
class Protection:
    """
    How an office protects the bills that it mails.

    `field` is where the password stands; `lock` takes a PDF and the password and returns the
    encrypted copy. It raises ValueError for a PDF that it cannot encrypt.
    """

    field: PasswordField
    lock: Callable[[bytes, str], bytes]

    def password(self, facts: BillFacts) -> str:
        """
        Return what opens this bill; raises PermanentFailure where the account has no such thing.

        The plan puts such a bill on paper. It gets here where the setting changed after the plan.
        """
        password = bill_password(self.field, facts.zip_code, facts.phone)
        if not password:
            raise PermanentFailure(
                f"the account has no {self.field} to protect the e-mailed bill with; print the bill"
            )
        return password

    def protect(self, content: bytes, password: str) -> bytes:
        """Return the copy that only the password opens; raises PermanentFailure."""
        try:
            return self.lock(content, password)
        except ValueError:  # its text is not repeated: it may hold what the bill says
            raise PermanentFailure("the bill document cannot be encrypted") from None


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose mail it is; `name` is the utility's where it is empty."""

    address: str
    envelope_from: str  # where bounces go
    name: str = ""
    reply_to: str = ""  # a mailbox that somebody reads
    subject_prefix: str = ""  # of every subject, for mails that only try something
    verp: Verp | None = None  # makes bounces tell which delivery they are of

    def return_path(self, key: str) -> str:
        """Return the envelope sender of the delivery of that key."""
        return self.envelope_from if self.verp is None else self.verp.sender(key)


@dataclass(frozen=True, slots=True)
class BillRenderer:
    """
    Makes the messages of a batch of bill deliveries; hand it to `send_due` as `render`.

    `read_pdf` returns the bytes of a bill by its path below the bill store. It is called when a
    message is about to go, so that one bill document is in memory at a time, and raises OSError.
    With a `protection` every mailbox gets an encrypted copy of its own, made for it alone; the
    document in the store stays as it is. `latest_communication` is asked for the address to link
    to when a mail is composed, and not when it was queued (rules 107, 108).
    """

    database: Database
    templates: Templates
    sender: Sender
    read_pdf: Callable[[str], bytes]
    latest_communication: Callable[[], str] = no_link
    protection: Protection | None = None
    limit: SizeLimit = USUAL_LIMIT
    portal: str = ""  # its address; empty: mails link to no page of a bill

    def check(self) -> None:
        """Try every template before anything is sent; see Templates.check."""
        self.templates.check(
            is_protected=self.protection is not None, has_links=self.limit.link != ""
        )

    def __call__(self, deliveries: Sequence[Delivery]) -> Iterator[OutgoingMessage | MailOutcome]:
        facts = find_bill_facts(self.database, [row.key for row in deliveries])
        languages = languages_of(self.database, deliveries)
        for row in deliveries:
            if row.key not in facts:
                yield MailOutcome(row.key, Result.FAILED, "the bill is no longer in the books")
                continue
            language = languages.get(row.mailbox, ENGLISH)
            compose = partial(self.compose, row, facts[row.key], language=language)
            linked = partial(compose, is_linked=True) if self.limit.link else None
            yield to_outgoing(self.sender, row, compose, smaller=linked)

    def compose(
        self,
        row: Delivery,
        facts: BillFacts,
        recipient: str,
        *,
        is_linked: bool = False,
        language: str = ENGLISH,
    ) -> bytes:
        """
        Return the bytes of one delivery's mail; raises TemporaryFailure or PermanentFailure.

        `is_linked`: whatever its size, the bill is not attached.
        """
        content, hint, link = b"" if is_linked else self._read(facts.pdf), "", ""
        if is_linked or self.limit.is_over(len(content)):
            content, link = b"", self._link(row)
        elif self.protection is not None:
            password = self.protection.password(facts)
            content = self.protection.protect(content, password)
            hint = password_hint(self.protection.field, password, language)
        name = f"{bill_file_stem(row.form)}-{safe(row.account)}-{safe(row.period or 'x')}.pdf"
        said = facts.to_letter(row, self.latest_communication(), hint, link)
        letter = replace(said, language=language, bill_page=self._page(row))
        return compose_mail(
            self.templates,
            letter,
            self.sender,
            recipient,
            Stamp.of(row, facts.timezone),
            None if link else Attachment(name, content),
        )

    def _page(self, row: Delivery) -> str:
        """Return where the portal shows the bill as a page, for whoever cannot read the PDF."""
        if not self.portal or row.form != _SHOWN_AS_PAGE or row.period is None:
            return ""
        place = f"{quote(row.account, safe='')}/bill/{quote(row.period, safe='')}/page"
        return f"{self.portal.rstrip('/')}/accounts/{place}"

    def _link(self, row: Delivery) -> str:
        """Return where a bill that is too large is read; raises PermanentFailure without such."""
        if not self.limit.link:
            largest = self.limit.octets / MEGABYTE
            raise PermanentFailure(
                f"the bill is too large for a mail of {largest:g} MB; print the bill"
            )
        return self.limit.link_to(row.account, row.period or "")

    def _read(self, pdf: str) -> bytes:
        return read_stored(self.read_pdf, pdf, "the bill document")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a mail has of its own, the same at every attempt; `sent_on` bears the reader's zone."""

    key: str
    message_id: str
    sent_on: datetime

    @classmethod
    def of(cls, row: Delivery, timezone: str) -> Stamp:
        return cls(row.key, row.message_id, row.queued_at.astimezone(ZoneInfo(timezone)))


def to_outgoing(
    sender: Sender,
    row: Delivery,
    compose: Callable[[str], bytes],
    smaller: Callable[[str], bytes] | None = None,
) -> OutgoingMessage | MailOutcome:
    """
    Put a mail into its envelope; `compose` makes it of the recipient's address.

    So does `smaller`, of what goes instead where a server finds the mail too large.
    """
    try:
        recipient = to_envelope_address(row.address)
    except PermanentFailure as failure:
        return MailOutcome(row.key, Result.FAILED, str(failure))
    return OutgoingMessage(
        row.key,
        sender.return_path(row.key),
        recipient,
        row.message_id,
        partial(compose, recipient),
        None if smaller is None else partial(smaller, recipient),
    )


def compose_mail(
    templates: Templates,
    letter: Letter,
    sender: Sender,
    recipient: str,
    stamp: Stamp,
    attachment: Attachment | None = None,
    unsubscribe: Unsubscribe | None = None,
) -> bytes:
    """
    Return the bytes of one mail: the same facts always give the same bytes.

    An encrypted attachment is new each time, and so is then the mail.
    """
    wording = templates.word(letter)
    heading = Heading(
        from_name=sender.name or letter.utility,
        from_address=sender.address,
        recipient=recipient,
        subject=sender.subject_prefix + wording.subject,
        sent_on=stamp.sent_on,
        message_id=stamp.message_id,
        reply_to=sender.reply_to,
        unsubscribe=unsubscribe,
    )
    return build(heading, wording.text, wording.html, boundary(stamp.key), attachment)


def bill_file_stem(form: str) -> str:
    """Begin an attachment's name: `bill` for the utility bill, other forms by their own name."""
    return "bill" if form == "utility-bill" else safe(form)
