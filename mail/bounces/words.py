"""What a returned mail says that is no delivery report: qmail's, Exim's, Gmail's and others'."""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterable
from email.message import Message

from mail.message.parsing import header

LONGEST_TEXT = 16_000  # characters that are looked at: what failed stands before the returned mail
_TEXTS = ("text/plain", "text/html")
_DAEMON = re.compile(
    r"mailer-?daemon|mail-?daemon|postmaster|mail delivery|delivery (sub)?system|mail system"
    r"|mail administrator|mail ?server|system administrator|mdaemon|mta@",
    re.IGNORECASE,
)
_COPY = re.compile(  # where the mail that came back begins
    r"^[\s>*_=+-]*(this is a copy of|copy of the (message|original)|below this line is|original"
    r" message\b|included is a copy|(the )?(header|text) of (the )?(original|your) (message|mail)"
    r"|message headers? follow|returned (message|content)|unsent message below|received: |"
    r"original message (follows|headers)|your original (message|mail)|.{0,6}message text follows"
    r"|here is your returned mail)|\n(return-path|received|dkim-signature|message-id): ",
    re.IGNORECASE | re.MULTILINE,
)
_STATUS = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.:/@-])([45]\d\d)(?![\d.:%/])(?=[\s-]+\S)")
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"']+@[\w-]+(\.[\w-]+)+")
_SAYS_NO = re.compile(
    r"undeliver|not (be |been )?deliver|n.t (be |been )?deliver|able to (deliver|send)"
    r"|(delivery|deliver).{0,60}(fail|error|impossible)|fail(ed|ure)?.{0,30}(deliver|recipient)"
    r"|(unknown|no such|invalid) (user|mailbox|recipient|address)|user unknown|mailbox (is )?full"
    r"|over quota|did not reach|returned (mail|to sender)|permanent(ly)? (error|failure)"
    r"|fail(ure|ed) (notice|reason)|not listed in|rejected|was refused|bounced"
    r"|host (is )?unknown|could not be sent",
    re.IGNORECASE,
)
_ONLY_LATE = re.compile(
    r"(only )?a warning|no action is required|do not need to (resend|send)|will (continue|keep)"
    r" (to )?(try|retry)|has been delayed|delayed mail|still (being )?(tried|trying|retrying)"
    r"|delivery.{0,20}delayed",
    re.IGNORECASE,
)
_ARRIVED = re.compile(
    r"(was|been|is) (successfully|happily)|successful(ly)? (delivered|delivery)"
    r"|\"?notificationType\"?\s*:\s*\"?Delivery",
    re.IGNORECASE,
)


def is_from_a_mail_system(mail: Message, *, by_name: bool = False) -> bool:
    """Tell whether a daemon wrote a mail: by its name, or by the sender that no person has."""
    if _DAEMON.search(header(mail, "From")):
        return True
    return not by_name and header(mail, "Return-Path").strip() in ("<>", "< >")


def read_words(mail: Message, parts: Iterable[Message]) -> tuple[str, str, str]:
    """
    Return action, status and the words that say it of a mail that came back; all empty for another.

    The first enhanced status (RFC 3463) counts, else the first SMTP code. Without both it is
    `5.0.0` where a recipient is named, in a header or in the words; else the status is empty, and
    a person has to judge. A mail that no mail system wrote says nothing, whatever stands in it,
    and so does one that no word of failure is in.
    """
    failed = header(mail, "X-Failed-Recipients")
    if not failed and not is_from_a_mail_system(mail):
        return "", "", ""
    subject = header(mail, "Subject")
    text = text_of(parts)
    is_late = _ONLY_LATE.search(f"{subject}\n{text}") is not None
    says_no = failed or is_late or _SAYS_NO.search(f"{subject}\n{text}")
    if _ARRIVED.search(text) or not says_no:
        return "", "", ""
    place = _STATUS.search(text) or _CODE.search(text)
    action = "delayed" if is_late else "failed"
    if place is None:
        is_named = failed or _ADDRESS.search(text)
        return action, "5.0.0" if is_named else "", _line_at(text, _SAYS_NO.search(text))
    said = place[1]
    return action, said if "." in said else f"{said[0]}.0.0", _line_at(text, place)


def text_of(parts: Iterable[Message]) -> str:
    """Return what a mail says to people, up to the copy of the mail that it returns."""
    for part in parts:
        if part.get_content_type() not in _TEXTS or part.is_multipart():
            continue
        text = _decoded(part)
        if part.get_content_type() == "text/html":
            text = re.sub(r"<[^>@]{1,500}>", " ", text)
        if text.strip():
            begin = _COPY.search(text, 1)
            return text[: begin.start()] if begin and begin.start() > 40 else text
    return ""


def _decoded(part: Message) -> str:
    raw = str(part.get_payload())[: 2 * LONGEST_TEXT].encode("utf-8", "surrogateescape")
    encoding = header(part, "Content-Transfer-Encoding").lower()
    if encoding == "quoted-printable":
        raw = quopri.decodestring(raw)
    elif encoding == "base64":
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        try:
            raw = binascii.a2b_base64(letters[: len(letters) // 4 * 4])
        except binascii.Error:
            return ""
    return raw.decode("utf-8", "replace").replace("\r\n", "\n")[:LONGEST_TEXT]


def _line_at(text: str, place: re.Match[str] | None) -> str:
    """Return the line where it is said."""
    if place is None:
        return ""
    begin = text.rfind("\n", 0, place.start()) + 1
    end = text.find("\n", place.end())
    return text[begin : end if end >= 0 else None].strip()
