"""Bounces in a folder of an IMAP server (RFC 3501), over TLS."""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from domain.causes import say_cause
from domain.failures import Misuse, PermanentFailure, TemporaryFailure
from mail.bounces.inbox import LARGEST, ReturnedMail

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


REPLY_SECONDS = 60.0  # silence of the server
COMMAND_SECONDS = 180.0  # one command in all, however slowly it trickles in
_LOST = (imaplib.IMAP4.error, OSError, EOFError)


class ImapInbox:
    """
    Reads the unseen mails of one folder and flags them as seen when they are dealt with.

    Reading does not flag (BODY.PEEK). The certificate is verified always, as the password goes
    over the connection. Every command has a time limit: a server that falls silent, or that
    answers a letter a minute, does not hold up the night's work.
    """

    def __init__(self, place: ImapFolder, *, command_seconds: float = COMMAND_SECONDS) -> None:
        self._place = place
        self._command_seconds = command_seconds
        self._connection: imaplib.IMAP4_SSL | None = None

    def unread(self) -> Iterator[ReturnedMail]:
        answer = self._command("SEARCH", None, "UNSEEN")
        for number in _first_bytes(answer).split():
            mail = self._fetch(number.decode("ascii", "replace"))
            if mail is not None:
                yield mail

    def mark_read(self, mail: ReturnedMail) -> None:
        self._command("STORE", mail.name, "+FLAGS.SILENT", r"(\Seen)")

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(*_LOST), _limited(connection, self._command_seconds):
                connection.logout()

    def _fetch(self, number: str) -> ReturnedMail | None:
        wanted = f"(INTERNALDATE BODY.PEEK[]<0.{LARGEST}>)"
        for part in self._command("FETCH", number, wanted):
            if isinstance(part, tuple) and len(part) == 2:
                head, content = part
                return ReturnedMail(number, content[:LARGEST], _internal_date(head))
        return None  # removed meanwhile

    def _command(self, *words: Any) -> list[Any]:
        connection = self._connection or self._open()
        try:
            with _limited(connection, self._command_seconds):
                kind, answer = connection.uid(*words)
        except _LOST as failure:
            self._connection = None
            raise TemporaryFailure(
                f"the IMAP server failed at {words[0]}: {say_cause(failure)}"
            ) from None
        if kind != "OK":
            raise TemporaryFailure(f"the IMAP server refused {words[0]}")
        return list(answer)

    def _open(self) -> imaplib.IMAP4_SSL:
        place = self._place
        try:
            connection = _Connection(place, self._command_seconds)
        except ssl.SSLCertVerificationError as failure:
            raise PermanentFailure(
                f"the IMAP server's certificate is not valid: {failure.verify_message}"
            ) from None
        except _LOST as failure:
            raise TemporaryFailure(
                f"no connection to the IMAP server: {say_cause(failure)}"
            ) from None
        self._enter(connection)
        self._connection = connection
        return connection

    def _enter(self, connection: imaplib.IMAP4_SSL) -> None:
        place = self._place
        try:
            with _limited(connection, self._command_seconds):
                connection.login(place.username, place.password)
                quoted = place.folder.replace("\\", "\\\\").replace('"', '\\"')
                kind, _ = connection.select(f'"{quoted}"')
        except imaplib.IMAP4.abort as failure:
            raise TemporaryFailure(f"the IMAP server hung up: {say_cause(failure)}") from None
        except imaplib.IMAP4.error:  # its text may repeat what was sent
            raise PermanentFailure(
                "the IMAP server refuses bounces.username and bounces.password"
            ) from None
        except (OSError, EOFError) as failure:
            raise TemporaryFailure(f"the IMAP server failed: {say_cause(failure)}") from None
        if kind != "OK":
            raise PermanentFailure(f"the IMAP server has no folder {place.folder}")


class _Connection(imaplib.IMAP4_SSL):
    """A connection whose greeting has a time limit too."""

    def __init__(self, place: ImapFolder, seconds: float) -> None:
        self._watch = _watch(self, seconds)
        try:
            super().__init__(
                place.host,
                place.port,
                ssl_context=ssl.create_default_context(),
                timeout=REPLY_SECONDS,
            )
        finally:
            self._watch.cancel()

    def open(self, host: str = "", port: int | None = 993, timeout: float | None = None) -> None:
        super().open(host, port, timeout)
        self._watch.start()


@contextlib.contextmanager
def _limited(connection: imaplib.IMAP4_SSL, seconds: float) -> Iterator[None]:
    """Cut the connection when the time is up; whoever waits for it is told by an OSError."""
    watch = _watch(connection, seconds)
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _watch(connection: imaplib.IMAP4_SSL, seconds: float) -> threading.Timer:
    watch = threading.Timer(seconds, _cut, [connection])
    watch.daemon = True
    return watch


def _cut(connection: imaplib.IMAP4_SSL) -> None:
    """Shut the socket alone: the objects around it are in use by the thread that waits."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _first_bytes(answer: list[Any]) -> bytes:
    return next((part for part in answer if isinstance(part, bytes)), b"")


def _internal_date(head: bytes) -> datetime:
    """Return when the mail arrived; a server that does not say so leaves the earliest moment."""
    found = imaplib.Internaldate2tuple(head)
    if found is None:
        return datetime.fromtimestamp(0, UTC)
    return datetime.fromtimestamp(time.mktime(found), UTC)
