"""A mass mail as this office would send it: checked, counted, shown, and written down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from domain.failures import Misuse, PermanentFailure, TemporaryFailure
from mail.communications.audience import Audience, resolve
from mail.communications.mailings import (
    Mailing,
    MassMailRequest,
    count_left_out,
    count_mailboxes,
    find_mailing,
    record_mailing,
)
from mail.communications.posted import PdfFile, read_pdf_file
from mail.letters.communications import check_subject, to_paragraphs
from mail.message.mime import Attachment
from mail.message.size_limit import MEGABYTE
from mail.previews.mass_mail import Shown, compose_for, first_reader
from mail.previews.previewing import as_test
from mail.rendering.notices import Communication
from office.equipment.office import Office


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen: to how many, who is left out, and the mailing if it is recorded."""

    mailing: Mailing | None
    mailboxes: int
    left_out: dict[str, int]
    shown: Shown | None  # as whom the mail is looked at; None: there is nobody


def make_request(
    office: Office,
    subject: str,
    body: str,
    audience: Audience,
    attach: Path | PdfFile | None = None,
    communication: int | None = None,
) -> MassMailRequest:
    """Check what a person wrote; raises Misuse for what could not be sent as it is."""
    to_paragraphs(body)
    attachment = read_pdf(office, attach) if isinstance(attach, Path) else attach
    written = 4 * len(body.encode())  # as text and as a page, each encoded at its worst
    if attachment and office.size_limit.is_over(len(attachment.content) + written):
        largest = office.size_limit.octets / MEGABYTE
        raise Misuse(f"{attachment.name} does not fit into a mail of {largest:g} MB.")
    if communication is not None and not office.live_communications.link_to(communication):
        raise Misuse(
            f"Communication {communication} is not live or has no web address; see "
            "`billclose communication list`, or set web.url."
        )
    return MassMailRequest(check_subject(subject), body, audience, attachment, communication)


def read_pdf(office: Office, file: Path) -> PdfFile:
    """Read a PDF to post or attach; raises Misuse (`pdf-unreadable`)."""
    return read_pdf_file(file, office.settings.communications.largest_mb * MEGABYTE)


def plan_of(office: Office, request: MassMailRequest) -> Plan:
    """
    Count whom a request comes to; nothing is recorded.

    What was recorded before stands: its own mailboxes are counted, not today's.
    """
    mailing = find_mailing(office.database, request, office.local_today())
    if mailing is not None and mailing.resolved_at is not None:
        count = count_mailboxes(office.database, mailing.number)
        shown = first_reader(office.database, mailing.number)
        return Plan(mailing, count, mailing.counted_out(), shown)
    found = resolve(
        office.database,
        request.audience,
        to_landlords=office.settings.ebill.landlords,
        names_account=request.names_account,
    )
    shown = Shown(found.readers[0], found.run.period) if found.readers else None
    left_out = count_left_out(found.left_out, found.unreachable)
    return Plan(mailing, len(found.readers), left_out, shown)


def record(office: Office, request: MassMailRequest) -> int:
    """Write a request down and return its mailing's number; nobody is written to yet."""
    mailing = record_mailing(
        office.database,
        office.store,
        request,
        today=office.local_today(),
        now=office.moment(),
        who=office.who,
    )
    return mailing.number


def compose(office: Office, request: MassMailRequest, shown: Shown, test_to: str = "") -> bytes:
    """
    Return the mail as a reader would get it, or as a test to somebody else; raises Misuse.

    A test bears the way out of whoever tries it: a click must not unsubscribe a customer.
    """
    file = request.attachment
    text = Communication(
        request.subject,
        to_paragraphs(request.body),
        office.live_communications.link_to(request.communication) if request.communication else "",
        Attachment(file.name, file.content) if file else None,
    )
    notices = replace(office.notice_renderer, find_communication=lambda _form: text)
    if test_to:
        notices = replace(notices, sender=as_test(notices.sender))
    try:
        return compose_for(notices, shown, office.moment(), test_to)
    except (PermanentFailure, TemporaryFailure) as failure:
        raise Misuse(f"The mail cannot be made: {failure}.") from None


def text_of(content: bytes) -> str:
    """Return the text of a mail as a mail program without pages shows it."""
    body = message_from_bytes(content, policy=default).get_body(("plain",))
    return "" if body is None else str(body.get_content())
