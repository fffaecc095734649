"""A message's envelope: the commands MAIL and RCPT, by what the server announces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from domain.failures import PermanentFailure
from mail.port import MailOutcome, OutgoingMessage, Result

_LINE_END = re.compile(rb"\r\n|\r|\n")
_FINAL_DOT = b".\r\n"
_LONE_CR = re.compile(rb"\r(?!\n)")
_LONE_CR_OR_DOT = re.compile(rb"\r(?!\n(?!\.))")  # or a line that begins with a dot


@dataclass(frozen=True, slots=True)
class WireMessage:
    """A message with its body made: what one mail transaction needs."""

    message: OutgoingMessage
    body: bytes  # dots doubled, with the final dot
    size: int  # octets, dots not doubled and without the final one (RFC 1870, 3)
    is_ascii: bool


def pack(message: OutgoingMessage, content: bytes) -> WireMessage:
    if _is_as_it_goes(content):
        return WireMessage(message, content + _FINAL_DOT, len(content), content.isascii())
    content = to_crlf(content)
    return WireMessage(message, to_wire(content), len(content), content.isascii())


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].casefold()


def to_crlf(content: bytes) -> bytes:
    """
    Make every line end CRLF, the last one too.

    A lone CR or LF is one of them: some servers read it as a line end, and `LF . LF` would end the
    message early and begin another (SMTP smuggling).
    """
    if content.count(b"\n") != content.count(b"\r") or _LONE_CR.search(content):
        content = _LINE_END.sub(b"\r\n", content)
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def to_wire(content: bytes) -> bytes:
    """Double dots at line starts and end with the final dot (RFC 5321, 4.5.2)."""
    if _is_as_it_goes(content):
        return content + _FINAL_DOT
    content = to_crlf(content)
    content = content.replace(b"\r\n.", b"\r\n..")
    return (b"." if content.startswith(b".") else b"") + content + _FINAL_DOT


def _is_as_it_goes(content: bytes) -> bool:
    """Tell in one go whether there is nothing to mend and no dot to double: the usual case."""
    return (
        not content.startswith((b".", b"\n"))
        and content.endswith(b"\r\n")
        and content.count(b"\n") == content.count(b"\r")
        and not _LONE_CR_OR_DOT.search(content)
    )


LONGEST_ENVELOPE_ID = 100  # characters (RFC 3461, 4.4)
_NOT_XTEXT = re.compile(r"[^!-*,-<>-~]")
# Control characters would begin a command of somebody else's choice; <, > and a space would end
# the address and begin a parameter.
_UNFIT = re.compile(r"[\x00-\x20<>\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Extensions:
    """What a server announced after EHLO that we make use of."""

    pipelining: bool = False  # RFC 2920
    has_size: bool = False  # RFC 1870
    largest: int = 0  # octets; 0: no limit named
    dsn: bool = False  # RFC 3461
    utf8: bool = False  # RFC 6531
    eight_bit: bool = False  # RFC 6152

    @classmethod
    def announced(cls, extensions: Mapping[str, str]) -> Self:
        """Read aiosmtplib's mapping of extensions, whose names are in lower case."""
        size = extensions.get("size", "").strip()
        return cls(
            pipelining="pipelining" in extensions,
            has_size="size" in extensions,
            largest=int(size) if size.isascii() and size.isdigit() else 0,
            dsn="dsn" in extensions,
            utf8="smtputf8" in extensions,
            eight_bit="8bitmime" in extensions,
        )


def why_not(wire_message: WireMessage, extensions: Extensions) -> MailOutcome | None:
    """Return the refusal that is certain before a word is said, if there is one."""
    message = wire_message.message
    if extensions.largest and wire_message.size > extensions.largest:
        error = f"552 5.3.4 {wire_message.size} bytes; the relay takes {extensions.largest}"
        return MailOutcome(message.key, Result.FAILED, error, too_large=True)
    if _needs_utf8(wire_message) and not extensions.utf8:
        error = "553 5.6.7 the address has other letters than ASCII, and the relay lacks SMTPUTF8"
        return MailOutcome(message.key, Result.FAILED, error)
    return None


def to_commands(wire_message: WireMessage, extensions: Extensions) -> tuple[bytes, bytes]:
    """
    Return MAIL and RCPT, each with its line end.

    Bounces are asked for with the headers only, for failures and delays; they then name the
    Message-ID as the envelope's id. `check_addresses` has refused what cannot stand here.
    """
    message = wire_message.message
    mail = [f"MAIL FROM:<{message.envelope_from}>"]
    rcpt = [f"RCPT TO:<{message.recipient}>"]
    if extensions.has_size:
        mail.append(f"SIZE={wire_message.size}")
    if extensions.eight_bit and not wire_message.is_ascii:
        mail.append("BODY=8BITMIME")
    if extensions.utf8 and _needs_utf8(wire_message):
        mail.append("SMTPUTF8")
    if extensions.dsn:
        envelope_id = to_xtext(message.message_id.strip("<>"))
        mail.append("RET=HDRS")
        if 0 < len(envelope_id) <= LONGEST_ENVELOPE_ID:
            mail.append(f"ENVID={envelope_id}")
        rcpt.append(f"NOTIFY=FAILURE,DELAY ORCPT={_original(message.recipient)}")
    return _line(mail), _line(rcpt)


def check_addresses(envelope_from: str, recipient: str) -> None:
    """Raise PermanentFailure for what an envelope cannot carry; never repeats the address."""
    for address in (envelope_from, recipient):
        if _UNFIT.search(address) or "@" not in address:
            raise PermanentFailure("the address holds characters that no envelope can carry")


def to_xtext(text: str) -> str:
    """Write ASCII as RFC 3461 (4) has it: `+`, `=` and what does not show as `+` and two digits."""
    return _NOT_XTEXT.sub(_to_digits, text)


def _to_digits(found: re.Match[str]) -> str:
    return f"+{ord(found[0]):02X}" if found[0].isascii() else ""


def _original(recipient: str) -> str:
    """Name the original recipient (RFC 3461, 4.2; with other letters RFC 6533, 3)."""
    if recipient.isascii():
        return f"rfc822;{to_xtext(recipient)}"
    escaped = "".join(
        char if "!" <= char <= "~" and char not in "+=\\" else f"\\x{{{ord(char):X}}}"
        for char in recipient
    )
    return f"utf-8;{escaped}"


def _needs_utf8(wire_message: WireMessage) -> bool:
    return not (
        wire_message.message.recipient.isascii() and wire_message.message.envelope_from.isascii()
    )


def _line(words: list[str]) -> bytes:
    return " ".join(words).encode() + b"\r\n"
