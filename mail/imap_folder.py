"""Where an IMAP folder is, by its URL."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from domain.failures import Misuse

_PRINTABLE = re.compile(r"[ -~]+")


@dataclass(frozen=True, slots=True)
class ImapFolder:
    """Where the mailbox is."""

    host: str
    port: int
    folder: str
    username: str
    password: str = field(repr=False)


def to_imap_folder(url: str, *, username: str, password: str) -> ImapFolder:
    """Read `imaps://host[:port]/folder`; raises Misuse, and never repeats the URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or 993
    except ValueError:
        raise Misuse("bounces.source is not a URL; write imaps://mail.example.org/INBOX.") from None
    folder = unquote(parts.path).strip("/") or "INBOX"
    if parts.scheme != "imaps" or not parts.hostname or parts.username or parts.query:
        raise Misuse("bounces.source must be imaps://host/folder, without user and password in it.")
    if not _PRINTABLE.fullmatch(folder):
        raise Misuse("bounces.source: the folder's name must be of ASCII letters.")
    if not username or not password:
        raise Misuse("bounces.source is an IMAP folder: set bounces.username and bounces.password.")
    return ImapFolder(parts.hostname, port, folder, username, password)
