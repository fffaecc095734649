"""Is this machine fit: room on its disks, and a clock that agrees with others."""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from database.tables import delivery
from domain.causes import say_cause
from domain.deliveries import WAITING, MessageKind
from domain.failures import TemporaryFailure
from domain.troubles import DISKS
from domain.words import say_count
from mail.smtp.relay import Relay, to_relay
from office.health.conditions import Condition, Looking, or_well, trouble, unwatched

GIGABYTE = 1_000_000_000
FEWEST_FILES = 1_000
EASED = 1.2  # what was full is well again only with so much more room: no mails to and fro
Offsets = dict[str, timedelta]  # how far this machine's clock is ahead of whose


def full_disks(looking: Looking) -> list[Condition]:
    """Find the disks of the home, the bill store and temporary files that have little room."""
    return or_well("disk-nearly-full", _full(looking), "The disks have room.")


def _full(looking: Looking) -> Iterator[Condition]:
    least = looking.office.settings.health.disk_free_gb * GIGABYTE
    seen = set()
    for place, path in _places(looking).items():
        device = path.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        found = os.statvfs(path)
        free = found.f_bavail * found.f_frsize
        was_full = f"disk-nearly-full/{place}" in looking.known
        no_names = bool(found.f_files) and found.f_favail < FEWEST_FILES
        if no_names or free < least * (EASED if was_full else 1):
            left = "hardly a file" if no_names else f"{free / GIGABYTE:.1f} GB"
            yield trouble(
                "disk-nearly-full",
                place,
                looking.now,
                f"The disk of {DISKS[place]} has room for {left}.",
                "Ask IT for room on it; a close of many bills needs gigabytes, and stops without "
                "harm where they are missing.",
            )


def _places(looking: Looking) -> dict[str, Path]:
    office = looking.office
    places = {"home": office.home, "temp": Path(tempfile.gettempdir())}
    if "://" not in office.settings.bills.store:
        places["bills"] = office.home / office.settings.bills.store
    return {name: path for name, path in places.items() if path.exists()}


def database_offset(looking: Looking) -> Offsets:
    """Compare with the database server's clock; SQLite has none of its own."""
    if looking.office.database.is_sqlite:
        return {}
    wall = looking.office.clock.wall
    with looking.office.database.reading() as books:
        before = wall()
        theirs: datetime = books.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
        after = wall()
    return {"the database server": before + (after - before) / 2 - theirs}


def clock_off(looking: Looking, offsets: Offsets) -> list[Condition]:
    """
    Tell whether this machine's clock is off, against whoever could be asked.

    What is due, and on which day, is decided by it; not every machine is set by the network.
    """
    tolerance = timedelta(seconds=looking.office.settings.health.clock_seconds)
    off = {whose: ahead for whose, ahead in offsets.items() if abs(ahead) > tolerance}
    if not offsets:
        return unwatched("clock-off", "No other clock could be asked; see health.clock_url.")
    if not off:
        whose = ", ".join(offsets)
        return or_well("clock-off", (), f"The clock agrees with that of {whose}.")
    whose, ahead = max(off.items(), key=lambda one: abs(one[1]))
    side = "ahead of" if ahead > timedelta(0) else "behind"
    detail = f"This machine's clock is {_say(abs(ahead))} {side} that of {whose}."
    remedy = (
        "Ask IT which of the two is right, to set the other, and to keep it set; until then look "
        "twice at what is drawn and sent."
    )
    keep = "apt install systemd-timesyncd, which keeps it set on Debian"
    return [trouble("clock-off", "", looking.now, detail, remedy, looking.grace, keep)]


def _say(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    if seconds < 120:
        return say_count(seconds, "second")
    minutes = seconds // 60
    return say_count(minutes, "minute") if minutes < 120 else say_count(minutes // 60, "hour")


LONGEST_GREETING = 8_192  # octets
READY = b"220"
_DATE = re.compile(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")


def ask_mail_server(looking: Looking, seconds: float) -> list[Condition]:
    """Say whether the mail server greets us; nobody logs in, and no mail is begun."""
    url = looking.office.settings.smtp.url
    if not url or looking.office.rehearses:
        return unwatched("mail-server-down", "Mails go into a folder.")
    try:
        greet(_relay(looking), seconds)
    except TemporaryFailure as failure:
        remedy = "Ask IT to look after the mail server; what waits is sent by itself afterwards."
        detail = f"The mail server does not answer: {failure}."
        send = f"{looking.office.command} mail send"
        return [trouble("mail-server-down", "", looking.now, detail, remedy, looking.grace, send)]
    return or_well("mail-server-down", (), "The mail server answers.")


def stopped_mails(looking: Looking) -> list[Condition]:
    """
    Find mails that the last sending left because no mail could go, whatever the reason.

    A server that greets may still refuse the login, the sender or everybody. No attempt is counted
    then, so that one that has an error and no attempt was stopped with all others. Alerts are left
    out: the look that finds the server well again is what sends them.
    """
    is_stopped = (
        delivery.c.status.in_(WAITING), delivery.c.attempts == 0, delivery.c.error.is_not(None),
        delivery.c.kind != MessageKind.ALERT,
    )  # fmt: skip
    last = sa.select(delivery.c.error).where(*is_stopped).order_by(delivery.c.next_try_at.desc())
    with looking.office.database.reading() as books:
        error = books.scalar(last.limit(1))
        number = books.scalar(sa.select(sa.func.count()).where(*is_stopped)) or 0
    if not error:
        return []
    detail = f"{say_count(number, 'mail')} waited when the last sending was stopped: {error}."
    remedy = "Have put right what it names; what waits is sent by itself afterwards."
    send = f"{looking.office.command} mail send"
    return [trouble("mail-server-down", "", looking.now, detail, remedy, looking.grace, send)]


def _relay(looking: Looking) -> Relay:
    chosen = looking.office.settings.smtp
    ca_file = looking.office.home / chosen.ca_file if chosen.ca_file else None
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
        why = say_cause(failure)
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
    if not looking.office.settings.smtp.url or looking.office.rehearses:
        return {}
    wall = looking.office.clock.wall
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
    wall = looking.office.clock.wall
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
