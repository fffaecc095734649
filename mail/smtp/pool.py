"""How a connection to the relay is opened: greeting, encryption, login."""

from __future__ import annotations

import asyncio
import base64
import ssl
from dataclasses import dataclass, field

import aiosmtplib

from domain.causes import say_cause
from domain.failures import PermanentFailure, TemporaryFailure
from mail.smtp.connection import LOGIN_FIRST, WANTS_LOGIN, Connection
from mail.smtp.envelope import Extensions
from mail.smtp.relay import Relay, Token
from mail.smtp.replies import Channel, Reply

LOST = (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError)
_NO_EHLO = (500, 501, 502, 504)  # a server of before 1995 (RFC 5321, 3.2)


async def connect(relay: Relay, *, pipelines: bool = True) -> Connection:
    """
    Open a connection; raises TemporaryFailure, or PermanentFailure where a person must look.

    A token that was kept and is refused is asked for anew, once.
    """
    try:
        return await _connect(relay, pipelines)
    except _TokenRefused as refusal:
        if relay.tokens is None or refusal.token.is_new:
            raise
        relay.tokens.forget(refusal.token)
    return await _connect(relay, pipelines)


class _TokenRefused(PermanentFailure):
    """The login's token is no longer good, or never was."""

    def __init__(self, text: str, token: Token) -> None:
        super().__init__(text)
        self.token = token


async def _connect(relay: Relay, pipelines: bool) -> Connection:
    client = aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        use_tls=relay.encryption == "tls",
        start_tls=relay.encryption == "starttls",
        local_hostname=relay.ehlo_name,
        timeout=relay.patience.reply,
        tls_context=relay.tls,
    )
    try:
        await _greet(client, relay)
        if relay.username:
            await _log_in_in_time(client, relay)
        return _take_over(client, relay, pipelines)
    except LOST as failure:
        client.close()
        raise _connect_failure(failure) from None
    except BaseException:
        client.close()
        raise


async def _greet(client: aiosmtplib.SMTP, relay: Relay) -> None:
    """Reach the server in `connect_timeout`; its greeting may take as long as any reply."""
    greeting = asyncio.ensure_future(client.connect())
    try:
        await asyncio.wait((greeting,), timeout=relay.connect_timeout)
        if not greeting.done() and client.transport is None:
            raise TimeoutError
        await greeting
    finally:
        greeting.cancel()
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError as refusal:
            if refusal.code not in _NO_EHLO or relay.username or not client.is_connected:
                raise
            await client.helo()


def _take_over(client: aiosmtplib.SMTP, relay: Relay, pipelines: bool) -> Connection:
    transport = client.transport
    if not client.is_connected or not isinstance(transport, asyncio.Transport):
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    extensions = Extensions.announced(client.esmtp_extensions)
    return Connection(Channel(transport), extensions, relay.patience, pipelines=pipelines)


async def _log_in_in_time(client: aiosmtplib.SMTP, relay: Relay) -> None:
    """Log in; a server that says nothing to it is told from one that is not there."""
    try:
        await _log_in(client, relay)
    except aiosmtplib.SMTPTimeoutError:
        said = f"has not answered the login within {relay.patience.login:g} seconds"
    except aiosmtplib.SMTPServerDisconnected:
        said = "hung up at the login"
    else:
        return
    proof = "password" if relay.tokens is None else "token"
    raise TemporaryFailure(
        f"the mail server {said}: it may not take the name (smtp.username) or the {proof}"
    )


async def _log_in(client: aiosmtplib.SMTP, relay: Relay) -> None:
    """
    Log in by one method (RFC 4954), the password itself only where nobody can listen.

    One, because servers hang up after a wrong password: trying the next method would turn their
    clear no into a lost connection.
    """
    if relay.tokens is not None:
        await _log_in_by_token(client, relay, await relay.tokens.get())
        return
    methods = {
        "PLAIN": client.auth_plain,
        "LOGIN": client.auth_login,
        "CRAM-MD5": client.auth_crammd5,
    }
    offered = [name for name in methods if name.lower() in client.server_auth_methods]
    if not relay.is_private:
        offered = [name for name in offered if name == "CRAM-MD5"]
    if not offered:
        lacking = "a way to log in" if relay.is_private else "encryption, and the login needs it"
        raise aiosmtplib.SMTPNotSupported(f"{lacking}; see smtp.url")
    chosen = offered[0] if relay.encryption else offered[-1]
    await methods[chosen](relay.username, relay.password, timeout=relay.patience.login)


async def _log_in_by_token(client: aiosmtplib.SMTP, relay: Relay, token: Token) -> None:
    """Log in by XOAUTH2, or OAUTHBEARER (RFC 7628) where only that is offered."""
    try:
        if "xoauth2" in client.server_auth_methods:
            await client.auth_xoauth2(relay.username, token.text, timeout=relay.patience.login)
        elif "oauthbearer" in client.server_auth_methods:
            await _oauthbearer(client, relay, token.text)
        else:
            raise aiosmtplib.SMTPNotSupported("a login by token (XOAUTH2 or OAUTHBEARER)")
    except aiosmtplib.SMTPAuthenticationError as refusal:
        failure = _connect_failure(refusal, "token")
        if isinstance(failure, PermanentFailure):
            raise _TokenRefused(str(failure), token) from None
        raise failure from None


async def _oauthbearer(client: aiosmtplib.SMTP, relay: Relay, token: str) -> None:
    name = relay.username.replace("=", "=3D").replace(",", "=2C")
    parts = (f"n,a={name},", f"host={relay.host}", f"port={relay.port}", f"auth=Bearer {token}")
    first = base64.b64encode("\x01".join((*parts, "", "")).encode())
    patience = relay.patience.login
    reply = await client.execute_command(b"AUTH", b"OAUTHBEARER", first, timeout=patience)
    if reply.code == 334:  # the error in JSON; to be answered before the refusal comes
        reply = await client.execute_command(base64.b64encode(b"\x01"), timeout=patience)
    if reply.code != 235:
        raise aiosmtplib.SMTPAuthenticationError(reply.code, reply.message)


def _connect_failure(
    failure: BaseException, proof: str = "password"
) -> TemporaryFailure | PermanentFailure:
    """Tell what time mends from what a person must: passwords, certificates, a missing STARTTLS."""
    cause = failure.__cause__ or failure
    if isinstance(failure, aiosmtplib.SMTPResponseException):
        reply = Reply(failure.code, failure.message)
        kind = PermanentFailure if reply.is_never else TemporaryFailure
        return kind(f"{_say_refusal(failure, proof)}: {reply.without('')}")
    if isinstance(cause, ssl.SSLCertVerificationError):
        return PermanentFailure(f"the relay's certificate is not valid: {cause.verify_message}")
    if isinstance(failure, OSError):  # aiosmtplib's connection errors and time-outs are OSErrors
        return TemporaryFailure(f"no connection to the relay: {say_cause(failure)}")
    if isinstance(failure, ValueError):
        return PermanentFailure("the relay's name or the login cannot be sent as they stand")
    return PermanentFailure(f"the relay lacks what the settings ask for: {failure}")


def _say_refusal(refusal: aiosmtplib.SMTPResponseException, proof: str) -> str:
    """Say what the server would not do for us; never with what, as that is a secret."""
    if refusal.code == LOGIN_FIRST:
        return WANTS_LOGIN
    if not isinstance(refusal, aiosmtplib.SMTPAuthenticationError):
        return "the relay refuses us"
    if 400 <= refusal.code < 500:
        return "the mail server cannot check the login now"
    return f"the mail server refuses the name (smtp.username) or the {proof}"


PAUSES = (0.5, 2.0)  # seconds; a server may count the connection it just closed for a moment yet
MISTRUST = 2  # messages that went alone and not pipelined, until pipelining is given up


@dataclass
class ConnectionPool:
    """Opens connections, keeps idle ones, and learns whether pipelining works with this relay."""

    relay: Relay
    _idle: list[Connection] = field(default_factory=list)
    _mistrust: int = 0

    async def open(self, *, again: bool, plain: bool) -> Connection:
        """
        Return a connection; raises TemporaryFailure or PermanentFailure.

        `again`: one was lost a moment ago, so that the relay is worth some patience. `plain`:
        without pipelining.
        """
        while self._idle and not plain:
            if (connection := self._idle.pop()).is_open:
                return connection
        pipelines = self.relay.pipelining and not plain and self._mistrust < MISTRUST
        for pause in PAUSES if again else ():
            try:
                return await connect(self.relay, pipelines=pipelines)
            except TemporaryFailure:
                await asyncio.sleep(pause)
        return await connect(self.relay, pipelines=pipelines)

    def keep(self, connection: Connection) -> None:
        if connection.is_open and not connection.announced:
            self._idle.append(connection)
        else:
            connection.close()

    async def retire(self, connection: Connection) -> bool:
        """Close a connection that has carried as many messages as one may; True if it did."""
        if not self._is_last(connection, done=0):
            return False
        await connection.quit()
        return True

    def may_announce(self, connection: Connection) -> bool:
        """Tell whether another message may follow the one under way."""
        return not self._is_last(connection, done=1)

    def mistrust_pipelining(self) -> None:
        """Note that a message got through only after pipelining was switched off for it."""
        self._mistrust += 1

    async def quit(self) -> None:
        while self._idle:
            await self._idle.pop().quit()

    def _is_last(self, connection: Connection, *, done: int) -> bool:
        most = self.relay.messages_per_connection
        return 0 < most <= connection.delivered + done
