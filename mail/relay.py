"""The mail relay: where it is, and how to speak with it."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from domain.failures import Misuse
from mail.connection import Patience
from mail.oauth import Tokens

_SCHEMES = {"smtp": ("", 25), "smtp+starttls": ("starttls", 587), "smtps": ("tls", 465)}


@dataclass(frozen=True, slots=True)
class Relay:
    """Where the relay is, who we are there, and what it may be asked; times in seconds."""

    host: str
    port: int
    encryption: str  # "", "starttls" or "tls"
    username: str = ""
    password: str = field(default="", repr=False)
    tokens: Tokens | None = None  # instead of a password (OAuth 2)
    ehlo_name: str = "localhost"
    tls: ssl.SSLContext | None = None  # one for all connections: making one costs ten deliveries
    pipelining: bool = True
    messages_per_connection: int = 0  # 0: as many as the relay takes
    connect_timeout: float = 30
    patience: Patience = field(default_factory=Patience)

    @property
    def is_private(self) -> bool:
        """Tell whether nobody on the way can read what is said."""
        return bool(self.encryption) or is_loopback(self.host)


def to_relay(
    url: str,
    *,
    username: str = "",
    password: str = "",
    tokens: Tokens | None = None,
    ca_file: Path | None = None,
    ehlo_name: str = "localhost",
    pipelining: bool = True,
    messages_per_connection: int = 0,
    connect_timeout: float = 30,
    patience: Patience | None = None,
) -> Relay:
    """
    Read `smtp://host:port`, `smtp+starttls://host` or `smtps://host`.

    User and password may be in it. The certificate is verified wherever a network lies
    between: on the same machine it is not, as nobody issues certificates for it. With a
    `ca_file` it always is, by the authorities in that file alone. Raises Misuse, and never
    repeats the URL, which may hold the password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Misuse("smtp.url is not a URL; write smtp://mail.example.org:25") from None
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.path not in ("", "/"):
        raise Misuse("smtp.url must be smtp://, smtp+starttls:// or smtps:// and a host")
    encryption, usual_port = _SCHEMES[parts.scheme]
    relay = Relay(
        host=parts.hostname,
        port=port or usual_port,
        encryption=encryption,
        username=username or unquote(parts.username or ""),
        password=password or unquote(parts.password or ""),
        tokens=tokens,
        ehlo_name=ehlo_name,
        tls=_tls(parts.hostname, ca_file) if encryption else None,
        pipelining=pipelining,
        messages_per_connection=messages_per_connection,
        connect_timeout=connect_timeout,
        patience=patience or Patience(),
    )
    _check(relay, ca_file)
    return relay


def _check(relay: Relay, ca_file: Path | None) -> None:
    """Refuse settings that contradict each other, before a secret leaves by the wrong way."""
    if relay.tokens is not None and not relay.username:
        raise Misuse("smtp.token_command needs smtp.username; set it to the mailbox of the login")
    if relay.tokens is not None and relay.password:
        raise Misuse("smtp.password and smtp.token_command are both set; remove one of them")
    if relay.tokens is not None and not relay.is_private:
        raise Misuse("smtp.token_command needs encryption; write smtp+starttls:// or smtps://")
    if ca_file is not None and not relay.encryption:
        raise Misuse("smtp.ca_file has no use without smtp+starttls:// or smtps:// in smtp.url")


def _tls(host: str, ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise Misuse(f"smtp.ca_file {ca_file} cannot be read as PEM certificates") from None
    if is_loopback(host) and ca_file is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
