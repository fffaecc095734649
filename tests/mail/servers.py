"""A scripted mail server: the recipient's local part chooses what goes wrong."""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult


@dataclass
class MailServer:
    """
    A real SMTP server in a thread, and what it took.

    `grey` 450 at the first try · `gone` 550 · `full` 452 · `droprcpt` hangs up at RCPT · `bye421`
    says 421 at RCPT · `dropdot` hangs up after the dot, message not kept · `lost250` keeps it and
    hangs up before the answer · `slowdot` answers the dot after a second · `late5` 554 and `late4`
    451 after the dot.
    """

    certificate: tuple[Path, Path] | None = None
    login: tuple[str, str] | None = None
    largest: int = 1_000_000
    connections_allowed: int = 1_000
    messages_a_connection: int = 1_000_000
    delay: float = 0.0
    log: Path | None = None
    refuses_sender: str = ""
    refuses_everybody: str = ""  # at RCPT
    pipelines: bool = False
    wraps: bool = False  # encrypted from the first octet
    tokens: set[str] = field(default_factory=set)  # that log in
    token_method: str = "XOAUTH2"
    logins: list[tuple[str, str]] = field(default_factory=list)  # all that were tried
    port: int = 0
    accepted: list[tuple[str, str, bytes]] = field(default_factory=list)  # from, to, content
    greetings: int = 0
    open_connections: int = 0
    was_encrypted: list[bool] = field(default_factory=list)
    _tries: Counter[str] = field(default_factory=Counter)

    @property
    def recipients(self) -> list[str]:
        return [recipient for _, recipient, _ in self.accepted]

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        announced = ["250-PIPELINING"] if self.pipelines else []
        if self.tokens:
            announced.append(f"250-AUTH {self.token_method}")
        return [responses[0], *announced, *responses[1:]]

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.refuses_sender:
            return self.refuses_sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        kind = address.partition("@")[0].partition("-")[0]
        self._tries[address] += 1
        if self.refuses_everybody:
            return self.refuses_everybody
        if kind == "grey" and self._tries[address] == 1:
            return f"450 4.2.0 <{address}>: greylisted"
        if kind == "gone":
            return f"550 5.1.1 <{address}>: no such user {address.partition('@')[0]}"
        if kind == "full":
            return "452 4.2.2 Mailbox full"
        if kind == "droprcpt":
            server.transport.abort()
        if kind == "bye421":
            await server.push("421 4.7.0 Too busy")
            server.transport.close()
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        session.messages = getattr(session, "messages", 0) + 1
        recipient = envelope.rcpt_tos[0]
        kind = recipient.partition("@")[0].partition("-")[0]
        if session.messages > self.messages_a_connection:
            return "421 4.7.0 Too many messages"
        if kind == "dropdot":
            server.transport.abort()
            return "250 Ok"
        if kind in ("late5", "late4"):
            return "554 5.7.1 Rejected" if kind == "late5" else "451 4.3.0 Later"
        await asyncio.sleep(self.delay)
        self.accepted.append((envelope.mail_from, recipient, envelope.original_content))
        self.was_encrypted.append(session.ssl is not None)
        if self.log is not None:
            with self.log.open("a") as log:
                log.write(f"{recipient}\n")
        if kind == "lost250":
            server.transport.abort()
        if kind == "slowdot":
            await asyncio.sleep(1)
        return "250 2.0.0 Ok"

    def make(self) -> SMTP:
        options: dict[str, Any] = {"data_size_limit": self.largest, "hostname": "mail.test"}
        if self.certificate is not None and not self.wraps:
            options |= {"tls_context": self.tls()}
        if self.login is not None:
            options |= {
                "auth_required": True,
                "auth_require_tls": self.certificate is not None,
                "authenticator": self._authenticate,
            }
        return _Counting(self, options)

    def tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.certificate is not None:
            context.load_cert_chain(*self.certificate)
        return context

    def _authenticate(self, server: Any, session: Any, envelope: Any, how: str, data: Any) -> Any:
        given = (data.login.decode(), data.password.decode())
        self.logins.append(given)
        return AuthResult(success=given == self.login, handled=False)


class _Counting(SMTP):
    """Counts connections, and refuses those beyond the limit."""

    def __init__(self, owner: MailServer, options: dict[str, Any]) -> None:
        super().__init__(owner, **options)
        self._owner = owner
        self._is_counted = False

    async def smtp_AUTH(self, arg: str) -> None:
        """Log in by token; the methods that aiosmtpd knows are its own."""
        method, _, first = (arg or "").partition(" ")
        if method != self._owner.token_method or not self._owner.tokens:
            await super().smtp_AUTH(arg)
            return
        text = base64.b64decode(first).decode()
        user = re.search(r"(?:user=|n,a=)([^\x01,]*)", text)
        token = re.search(r"auth=Bearer ([^\x01]*)", text)
        assert user and token and text.endswith("\x01\x01"), text
        self._owner.logins.append((user[1], token[1]))
        if token[1] in self._owner.tokens:
            await self.push("235 2.7.0 Welcome")
            return
        await self.push("334 eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=")
        answer = await self._reader.readline()
        assert answer.strip() == (b"" if method == "XOAUTH2" else b"AQ==")
        await self.push("535 5.7.8 Invalid token")

    def connection_made(self, transport: Any) -> None:
        if not self._is_counted:  # called again after STARTTLS
            self._is_counted = True
            self._owner.greetings += 1
            self._owner.open_connections += 1
            if self._owner.open_connections > self._owner.connections_allowed:
                transport.write(b"421 4.7.0 Too many connections\r\n")
                transport.close()
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_counted:
            self._is_counted = False
            self._owner.open_connections -= 1
        super().connection_lost(error)


@contextmanager
def running(server: MailServer) -> Iterator[MailServer]:
    """Run a server on a free port until the test is done with it."""
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(
        loop.create_server(
            server.make,
            "127.0.0.1",
            server.port,
            backlog=256,
            ssl=server.tls() if server.wraps else None,
        )
    )
    server.port = listening.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(listening.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
