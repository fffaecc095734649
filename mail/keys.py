"""The names of a delivery: its key, its Message-ID, a file's name."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote

from domain.failures import Misuse

_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_UNSAFE = re.compile(r"[^A-Za-z0-9.\-]+")


def delivery_key(kind: str, period: str, form: str, account: str, mailbox: str) -> str:
    """
    Name a delivery by what it is about: `bill/2026-10/utility-bill/01.1037.1/ann@example.org`.

    Made of business facts alone, so that recording it twice is recording it once. A slash inside
    a part is written `%2F`: no two deliveries share a key.
    """
    parts = (kind, period, form, account, mailbox)
    return "/".join(map(to_part, parts))


def to_part(text: str) -> str:
    """Write a part of a key, in which no slash stands."""
    return text.replace("%", "%25").replace("/", "%2F")


def about_of(key: str) -> str:
    """Return what a delivery is about, as its key has it: a period, a due date, a payment."""
    return unquote(key.split("/")[1])


def message_id(key: str, domain: str) -> str:
    """
    Return the Message-ID (RFC 5322, 3.6.4) of a delivery, the same at every attempt.

    A receiving system that sees a message twice recognizes it by this. Of the mailbox only a hash
    shows. Raises Misuse for what is no domain.
    """
    if not _DOMAIN.fullmatch(domain) or len(domain) > 60:
        raise Misuse("the domain of Message-IDs must be a plain domain of at most 60 characters")
    kind, period, *_ = key.split("/")
    return f"<{safe(kind)}.{safe(period)}.{_digest(key)[:32]}@{domain}>"


def file_stem(key: str) -> str:
    """Name a delivery's file after kind, run and account; the mailbox shows as a hash only."""
    kind, period, *_, account, _mailbox = key.split("/")
    return f"{safe(kind)}-{safe(period)}-{safe(account)}-{_digest(key)[:10]}"


def boundary(key: str) -> str:
    """Return a MIME boundary that neither base64 nor quoted-printable can hold (RFC 2045)."""
    return f"=_{_digest(key)[32:56]}"


def safe(part: str) -> str:
    """Keep letters, digits, dots and dashes: fit for file names and the left of a Message-ID."""
    return re.sub(r"\.{2,}", ".", _UNSAFE.sub("-", part)).strip(".-") or "x"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
