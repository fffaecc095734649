"""Reading a bounce: what a delivery report (RFC 3464, 6522) or any other returned mail says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from mail.bounces.words import is_from_a_mail_system, read_words, text_of
from mail.message.parsing import (
    RETURNED,
    header,
    headers,
    list_parts,
    list_reports,
    parse,
    readable_header,
    returned_headers,
)

MOST_RECIPIENTS = 50
FIRST_LINES = 400  # characters
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([45])\d\d(?![\d.])")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_DELIVERED_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "X-Envelope-To")
_AWAY = re.compile(
    r"^(re: ?)?(\[?auto(matic)?[- ]?(reply|response|answer)|out of (the )?office|away\b|vacation"
    r"|on leave|i am away)",
    re.IGNORECASE,
)
_FEEDBACK = "message/feedback-report"
_HOTMAILS_OWN = "X-HmXmrOriginalRecipient"  # its complaints are no feedback reports
_NO_COMPLAINT = ("not-spam", "auth-failure", "dmarc")


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a delivery report says of one recipient; empty where it does not say."""

    action: str
    status: str  # enhanced status (RFC 3463)
    diagnostic: str  # the server's own words, addresses and all


@dataclass(frozen=True, slots=True)
class ParsedBounce:
    """
    What one mail to the bounce address says.

    `id` is the same whenever the same mail is read. `places` are texts in which the address that
    it was sent to may stand, the surest first. `is_answer` tells a machine's answer to a mail that
    did arrive: a vacation reply, a reading receipt.
    """

    id: str
    places: tuple[str, ...]
    envelope_id: str
    message_id: str  # of the mail that came back
    reports: tuple[DeliveryReport, ...]
    is_answer: bool
    in_words: bool = False  # no report: `reports` is what its words say
    is_complaint: bool = False  # it arrived, and somebody called it spam (RFC 5965)
    recipient: str = ""  # whom it is about, as the mail says
    sender: str = ""
    subject: str = ""
    first_lines: str = ""


def read_returned(content: bytes) -> ParsedBounce:
    """
    Read a mail as far as it can be read; whatever it is, it never raises.

    The work is bounded by its size, which the inbox bounds, and by the number of its parts:
    parts within parts would take time by the square.
    """
    mail = parse(content)
    parts = list(list_parts(mail))
    blocks = list(list_reports(parts))
    envelope_ids = [header(block, "Original-Envelope-Id") for block in blocks]
    reports = [_report(block) for block in blocks if header(block, "Action")]
    returned = [returned_headers(part) for part in parts if part.get_content_type() in RETURNED]
    message_ids = [_message_id(head) for head in returned]
    is_answer = _is_answer(mail, has_report=bool(reports))
    is_complaint = any(_is_complaint(part) for part in parts) or any(
        header(head, _HOTMAILS_OWN) for head in returned
    )
    told = () if reports or is_answer or is_complaint else _told_in_words(mail, parts)
    return ParsedBounce(
        id=_identity(mail, content),
        places=tuple(_places(mail, parts, content)),
        envelope_id=next(filter(None, envelope_ids), ""),
        message_id=next(filter(None, message_ids), ""),
        reports=tuple(reports[:MOST_RECIPIENTS]) or told,
        is_answer=is_answer,
        in_words=bool(told),
        is_complaint=is_complaint,
        recipient=_recipient(mail, blocks, returned),
        sender=readable_header(mail, "From"),
        subject=readable_header(mail, "Subject"),
        first_lines=text_of(parts).strip()[:FIRST_LINES],
    )


def _told_in_words(mail: Message, parts: list[Message]) -> tuple[DeliveryReport, ...]:
    action, status, line = read_words(mail, parts)
    return (DeliveryReport(action, status, line),) if action else ()


def _is_complaint(part: Message) -> bool:
    """Tell a complaint from feedback that is none: that a mail was no spam, or failed DMARC."""
    if part.get_content_type() != _FEEDBACK:
        return False
    return header(returned_headers(part), "Feedback-Type").lower() not in _NO_COMPLAINT


def _recipient(mail: Message, blocks: list[Message], returned: list[Message]) -> str:
    """Return the address that a mail is about, where it says so."""
    told = [header(block, "Final-Recipient") for block in blocks]
    told += [header(mail, "X-Failed-Recipients"), *(header(head, "To") for head in returned)]
    return re.sub(r"^rfc822\s*;\s*", "", next(filter(None, told), ""), flags=re.IGNORECASE)


def _report(block: Message) -> DeliveryReport:
    diagnostic = re.sub(r"^[\w-]{1,40}\s*;\s*", "", header(block, "Diagnostic-Code"))
    action = re.match(r"[a-z-]{1,20}", header(block, "Action").lower())
    return DeliveryReport(
        action=action[0] if action else "",
        status=to_status(header(block, "Status"), diagnostic),
        diagnostic=diagnostic,
    )


def to_status(status: str, diagnostic: str) -> str:
    """
    Return the enhanced status, the server's own where the report is vague (`5.0.0`).

    Of a server that gives none, the first figure of its reply tells whether trying again helps.
    """
    given, own = _STATUS.search(status), _STATUS.search(diagnostic)
    if own is not None and (given is None or given[1].endswith(".0.0")):
        return own[1]
    if given is not None:
        return given[1]
    reply = _REPLY.search(diagnostic)
    return f"{reply[1]}.0.0" if reply else ""


def _message_id(mail: Message) -> str:
    found = _MESSAGE_ID.search(header(mail, "Message-ID"))
    return found[0] if found else ""


def _identity(mail: Message, content: bytes) -> str:
    """
    Name a mail by its Message-ID and by whom it came to; by all of it where it has none.

    Some systems give every report one and the same Message-ID.
    """
    own = _message_id(mail)
    told = "\n".join([own, *headers(mail, *_DELIVERED_TO)]).encode() if own else content
    return hashlib.sha256(told).hexdigest()


def _places(mail: Message, parts: list[Message], content: bytes) -> Iterator[str]:
    yield "\n".join(headers(mail, *_DELIVERED_TO))
    yield "\n".join(headers(mail, "Received"))
    for block in list_reports(parts):
        yield "\n".join(headers(block, "X-Postfix-Sender", "Original-Envelope-Id"))
    for part in parts:
        if part.get_content_type() in RETURNED:
            yield "\n".join(headers(returned_headers(part), "Return-Path", "Sender"))
    yield content.decode("utf-8", "replace")


def _is_answer(mail: Message, *, has_report: bool) -> bool:
    """
    Tell a machine's answer (RFC 3834) from a bounce: reports say they are automatic too.

    What a mail system itself sends is a bounce, however it is written.
    """
    if has_report or header(mail, "X-Failed-Recipients"):
        return False
    if "disposition-notification" in header(mail, "Content-Type").lower():
        return True
    if _AWAY.search(readable_header(mail, "Subject")):
        return True
    if is_from_a_mail_system(mail, by_name=True):
        return False
    submitted = header(mail, "Auto-Submitted").lower()
    is_automatic = bool(submitted) and not submitted.startswith("no")
    marks = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress")
    return (
        is_automatic
        or any(header(mail, name) for name in marks)
        or header(mail, "Precedence").lower() in ("auto_reply", "auto-reply")
    )
