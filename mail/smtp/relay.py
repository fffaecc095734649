"""The mail relay: where it is, and how to speak with it."""

from __future__ import annotations

import asyncio
import io
import ipaddress
import os
import re
import signal
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from domain.failures import Misuse, PermanentFailure, TemporaryFailure
from mail.smtp.connection import Patience

_TOKEN = re.compile(rb"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750, 2.1
LONGEST = 8_192  # octets of a token: a command that logs in has room for 12 288 (RFC 4954, 4)


class Token(NamedTuple):
    text: str
    is_new: bool  # straight from the program: if it is refused, asking again will not help


class Tokens:
    """
    Asks the program for a token, and keeps it until it is refused or `seconds` have passed.

    The program runs without a shell. What it prints is the token; neither that nor what it says
    in failing is ever repeated.
    """

    def __init__(self, command: Sequence[str], *, seconds: float, timeout: float = 30) -> None:
        self._command = tuple(command)
        self._seconds = seconds
        self._timeout = timeout
        self._text = ""
        self._expires = 0.0  # by the loop's clock
        self._lock: asyncio.Lock | None = None

    async def get(self) -> Token:
        """Return a token; raises TemporaryFailure, or PermanentFailure where a person must look."""
        self._lock = self._lock or asyncio.Lock()
        async with self._lock:  # or each connection would ask for one of its own
            now = asyncio.get_running_loop().time()
            if self._text and now < self._expires:
                return Token(self._text, is_new=False)
            self._text = await self._ask()
            self._expires = now + self._seconds
            return Token(self._text, is_new=True)

    def forget(self, token: Token) -> None:
        """Drop a token that was refused, unless another has taken its place."""
        if self._text == token.text:
            self._text = ""

    def start_anew(self) -> None:
        """Belong to another event loop from now on."""
        self._lock, self._text = None, ""

    async def _ask(self) -> str:
        status, output = await self._run()
        if status != 0:
            raise TemporaryFailure(f"smtp.token_command failed with exit status {status}")
        if len(output) > LONGEST or not _TOKEN.fullmatch(output.strip()):
            raise PermanentFailure("smtp.token_command printed something that is not one token")
        return output.strip().decode("ascii")

    async def _run(self) -> tuple[int, bytes]:
        """Run the program in its own session, so that what it started ends with it."""
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb", buffering=0) as end:
            try:
                program = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=writing,
                    stderr=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as failure:
                text = f"smtp.token_command cannot be run: {failure.strerror}"
                raise PermanentFailure(text) from None
            finally:
                os.close(writing)
            try:
                async with asyncio.timeout(self._timeout):
                    output = await _read(end)
                    return (0 if len(output) > LONGEST else await program.wait()), output
            except TimeoutError:
                text = f"smtp.token_command has not ended within {self._timeout:g} seconds"
                raise TemporaryFailure(text) from None
            finally:
                await _end(program)


async def _read(end: io.FileIO) -> bytes:
    """Read all that is printed, or more than a token can be."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, end)
    try:
        output = b""
        while len(output) <= LONGEST and (more := await reader.read(LONGEST)):
            output += more
        return output
    finally:
        transport.close()


async def _end(program: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    await program.wait()


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
