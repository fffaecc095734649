"""Do the servers answer: a look at the mail server, and at the time that web servers tell."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from domain.failures import TemporaryFailure
from mail.relay import Relay, to_relay
from office.health_condition import Condition, or_well, trouble, unwatched
from office.health_looking import Looking

LONGEST_GREETING = 8_192  # octets
READY = b"220"
_DATE = re.compile(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")


def ask_mail_server(looking: Looking, seconds: float) -> list[Condition]:
    """Say whether the mail server greets us; nobody logs in, and no mail is begun."""
    url = looking.here.settings.smtp.url
    if not url or looking.here.rehearses:
        return unwatched("mail-server-down", "Mails go into a folder.")
    try:
        greet(_relay(looking), seconds)
    except TemporaryFailure as failure:
        remedy = (
            "Ask IT to look after the mail server; what waits is sent by itself afterwards, or at "
            f"once by: {looking.here.command} mail send"
        )
        detail = f"The mail server does not answer: {failure}."
        return [trouble("mail-server-down", "", looking.now, detail, remedy, looking.grace)]
    return or_well("mail-server-down", (), "The mail server answers.")


def _relay(looking: Looking) -> Relay:
    chosen = looking.here.settings.smtp
    ca_file = looking.here.home / chosen.ca_file if chosen.ca_file else None
    return to_relay(chosen.url, ca_file=ca_file)


def greet(relay: Relay, seconds: float) -> str:
    """Return the server's greeting (RFC 5321, 3.1); raises TemporaryFailure with the reason."""
    try:
        with closing(_connect(relay, seconds)) as line:
            greeting = _read_reply(line)
            line.sendall(b"QUIT\r\n")
    except ssl.SSLCertVerificationError:
        raise TemporaryFailure("its certificate is not accepted") from None
    except TimeoutError:
        raise TemporaryFailure(f"no answer in {seconds:g} seconds") from None
    except OSError as failure:
        why = (failure.strerror or type(failure).__name__).lower()
        raise TemporaryFailure(f"no connection: {why}") from None
    if not greeting.startswith(READY):
        raise TemporaryFailure(f"it says {greeting[:3].decode('ascii', 'replace') or 'nothing'}")
    return greeting.decode("ascii", "replace")


def _connect(relay: Relay, seconds: float) -> socket.socket:
    line = socket.create_connection((relay.host, relay.port), seconds)
    if relay.encryption != "tls" or relay.tls is None:
        return line
    return relay.tls.wrap_socket(line, server_hostname=relay.host)


def _read_reply(line: socket.socket) -> bytes:
    """Read a reply to its last line; one that is cut off counts as far as it came."""
    reply = b""
    while len(reply) < LONGEST_GREETING:
        received = line.recv(1_024)
        reply += received
        last = reply.split(b"\r\n")[-2:-1]
        if not received or (last and last[0][3:4] != b"-"):
            break
    return reply


def mail_server_offset(looking: Looking, seconds: float) -> dict[str, timedelta]:
    """Compare with the mail server's clock, where its greeting tells the time."""
    if not looking.here.settings.smtp.url or looking.here.rehearses:
        return {}
    wall = looking.here.clock.wall
    try:
        found = _DATE.search(greet(_relay(looking), seconds))
        return {"the mail server": wall() - parsedate_to_datetime(found[0])} if found else {}
    except (TemporaryFailure, ValueError):
        return {}


def web_offset(looking: Looking, url: str, seconds: float) -> dict[str, timedelta]:
    """Compare with a web server's clock (the Date of its answer, whatever that is; RFC 9110)."""
    parts = urlsplit(url)
    kind: Callable[..., http.client.HTTPConnection] = (
        http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    )
    wall = looking.here.clock.wall
    try:
        with closing(kind(parts.hostname or "", parts.port, timeout=seconds)) as line:
            before = wall()
            line.request("HEAD", parts.path or "/")
            told = line.getresponse().headers["Date"]
            after = wall()
        theirs = parsedate_to_datetime(told).astimezone(UTC) if told else None
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    ours = _middle(before, after)
    return {parts.hostname or "": ours - theirs} if theirs else {}


def _middle(before: datetime, after: datetime) -> datetime:
    return before + (after - before) / 2
