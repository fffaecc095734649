"""The mail relay: where it is, and how a connection to it is opened."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import aiosmtplib

from domain.failures import Misuse, PermanentFailure, TemporaryFailure
from mail.connection import LOST, Connection
from mail.replies import Reply

_SCHEMES = {"smtp": ("", 25), "smtp+starttls": ("starttls", 587), "smtps": ("tls", 465)}


@dataclass(frozen=True, slots=True)
class Relay:
    """Where the relay is and how to speak with it; times in seconds."""

    host: str
    port: int
    encryption: str  # "", "starttls" or "tls"
    username: str
    password: str = field(repr=False)
    ehlo_name: str
    tls: ssl.SSLContext | None  # one for all connections: making one costs ten deliveries
    connect_timeout: float
    reply_timeout: float  # RFC 5321 (4.5.3.2) says 300
    final_timeout: float  # and 600 after the final dot: giving up earlier makes duplicates


def to_relay(
    url: str,
    *,
    username: str = "",
    password: str = "",
    ehlo_name: str = "localhost",
    connect_timeout: float = 30,
    reply_timeout: float = 300,
    final_timeout: float = 600,
) -> Relay:
    """
    Read `smtp://host:port`, `smtp+starttls://host` or `smtps://host`.

    User and password may be in it. The certificate is verified wherever a network lies
    between: on the same machine it is not, as nobody issues certificates for it. Raises
    Misuse, and never repeats the URL, which may hold the password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Misuse("smtp.url is not a URL; write smtp://mail.example.org:25") from None
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.path not in ("", "/"):
        raise Misuse("smtp.url must be smtp://, smtp+starttls:// or smtps:// and a host")
    encryption, usual_port = _SCHEMES[parts.scheme]
    return Relay(
        host=parts.hostname,
        port=port or usual_port,
        encryption=encryption,
        username=username or unquote(parts.username or ""),
        password=password or unquote(parts.password or ""),
        ehlo_name=ehlo_name,
        tls=_tls(parts.hostname) if encryption else None,
        connect_timeout=connect_timeout,
        reply_timeout=reply_timeout,
        final_timeout=final_timeout,
    )


async def connect(relay: Relay) -> Connection:
    """Open a connection; raises TemporaryFailure, or PermanentFailure where a person must look."""
    client = aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        use_tls=relay.encryption == "tls",
        start_tls=relay.encryption == "starttls",
        local_hostname=relay.ehlo_name,
        timeout=relay.connect_timeout,
        tls_context=relay.tls,
    )
    try:
        await client.connect()
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
        if relay.username:
            await _log_in(client, relay)
    except LOST as failure:
        client.close()
        raise _connect_failure(failure) from None
    except BaseException:
        client.close()
        raise
    return Connection(client, reply_timeout=relay.reply_timeout, final_timeout=relay.final_timeout)


async def _log_in(client: aiosmtplib.SMTP, relay: Relay) -> None:
    """
    Log in by one method (RFC 4954), the password itself only inside encryption if that may be.

    One, because servers hang up after a wrong password: trying the next method would turn their
    clear no into a lost connection.
    """
    methods = {
        "PLAIN": client.auth_plain,
        "LOGIN": client.auth_login,
        "CRAM-MD5": client.auth_crammd5,
    }
    offered = [name for name in methods if name.lower() in client.server_auth_methods]
    if not offered:
        raise aiosmtplib.SMTPNotSupported("no way to log in that we know")
    chosen = offered[0] if relay.encryption else offered[-1]
    await methods[chosen](relay.username, relay.password)


def _connect_failure(failure: BaseException) -> TemporaryFailure | PermanentFailure:
    """Tell what time mends from what a person must: passwords, certificates, a missing STARTTLS."""
    cause = failure.__cause__ or failure
    if isinstance(failure, aiosmtplib.SMTPResponseException):
        reply = Reply(failure.code, failure.message)
        kind = PermanentFailure if reply.code >= 500 else TemporaryFailure
        return kind(f"the relay refuses us: {reply.without('')}")
    if isinstance(cause, ssl.SSLCertVerificationError):
        return PermanentFailure(f"the relay's certificate is not valid: {cause.verify_message}")
    if isinstance(failure, OSError):  # aiosmtplib's connection errors and time-outs are OSErrors
        return TemporaryFailure(f"no connection to the relay: {type(cause).__name__}")
    return PermanentFailure(f"the relay lacks what the settings ask for: {failure}")


def _tls(host: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if _is_loopback(host):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
