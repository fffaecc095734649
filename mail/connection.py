"""One connection to a mail relay, over which messages go one after the other."""

from __future__ import annotations

import aiosmtplib

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from mail.port import Outcome, OutgoingMessage, Result
from mail.replies import Reply
from mail.wire import to_wire

LOST = (aiosmtplib.SMTPException, OSError, TimeoutError)


class RelayClosing(TemporaryFailure):
    """The server hung up or fell silent before it had the message: another connection may do."""


class Connection:
    """
    An open connection; `deliver` may be called until it raises.

    A connection on which a reply was lost, or on which a wait was cut short, is never used again:
    its replies would be taken for those of the next customer's message.
    """

    def __init__(
        self, client: aiosmtplib.SMTP, *, reply_timeout: float, final_timeout: float
    ) -> None:
        self._client = client
        self._reply_timeout = reply_timeout
        self._final_timeout = final_timeout
        self.delivered = 0  # messages answered for on this connection
        size = client.esmtp_extensions.get("size", "")
        self._largest = int(size) if size.isdigit() else 0  # octets (RFC 1870); 0: no limit named

    @property
    def is_open(self) -> bool:
        return self._client.is_connected

    def close(self) -> None:
        self._client.close()

    async def quit(self) -> None:
        try:
            await self._client.quit(timeout=2)
        except LOST:
            self.close()

    async def deliver(self, message: OutgoingMessage, content: bytes) -> Outcome:
        """
        Send one message and return its outcome.

        Raises RelayClosing (surely not taken; the connection is of no more use), TemporaryFailure
        or PermanentFailure where the relay refuses us and not the message, OutcomeUnknown when
        the answer to the final dot was lost.
        """
        if self._largest and len(content) > self._largest:
            text = f"552 5.3.4 {len(content)} bytes; the relay takes {self._largest}"
            return Outcome(message.key, Result.FAILED, text)
        try:
            outcome = await self._converse(message, content)
        except BaseException:
            self.close()
            raise
        self.delivered += 1
        return outcome

    async def _converse(self, message: OutgoingMessage, content: bytes) -> Outcome:
        size = [f"SIZE={len(content)}".encode()] if self._largest else []
        sender = f"FROM:<{message.envelope_from}>".encode("ascii")
        reply = await self._command(b"MAIL", sender, *size)
        if not reply.is_yes and reply.code != 552:
            raise _refusal("the relay refuses the sender", reply, message)
        if reply.is_yes:
            recipient = f"TO:<{message.recipient}>".encode("ascii")
            reply = await self._command(b"RCPT", recipient)
        if reply.is_yes:
            reply = await self._command(b"DATA")
            if reply.is_yes:
                raise RelayClosing(f"unexpected: {reply.without(message.recipient)}")
        if reply.code == 354:
            return _outcome(message, await self._hand_over(content))
        await self._reset()
        return _outcome(message, reply)

    async def _command(self, *words: bytes) -> Reply:
        try:
            reply = Reply(*await self._client.execute_command(*words, timeout=self._reply_timeout))
        except LOST as failure:
            raise RelayClosing(f"connection lost: {type(failure).__name__}") from None
        if reply.is_closing or not (reply.is_expected or reply.code == 354):
            raise RelayClosing(reply.without(""))
        return reply

    async def _hand_over(self, content: bytes) -> Reply:
        """Write the body. From here on a lost connection leaves it open whether it was taken."""
        protocol = self._client.protocol
        if protocol is None:
            raise RelayClosing("connection lost")
        try:
            protocol.write(to_wire(content))
        except aiosmtplib.SMTPServerDisconnected:
            raise RelayClosing("connection lost") from None
        try:
            reply = Reply(*await protocol.read_response(timeout=self._final_timeout))
        except LOST as failure:
            raise OutcomeUnknown(f"no answer after the message: {type(failure).__name__}") from None
        if reply.is_closing:
            raise RelayClosing(reply.without(""))
        if not reply.is_expected:
            raise OutcomeUnknown(f"unexpected: {reply.without('')}")
        return reply

    async def _reset(self) -> None:
        """Clear the envelope: else the next customer's MAIL is refused as nested."""
        try:
            reply = await self._client.execute_command(b"RSET", timeout=self._reply_timeout)
        except LOST:
            self.close()  # the refusal we already have stands
        else:
            if reply.code != 250:
                self.close()


def _outcome(message: OutgoingMessage, reply: Reply) -> Outcome:
    if reply.is_yes:
        return Outcome(message.key, Result.SENT)
    result = Result.DEFERRED if reply.is_later else Result.FAILED
    return Outcome(message.key, result, reply.without(message.recipient))


def _refusal(
    what: str, reply: Reply, message: OutgoingMessage
) -> TemporaryFailure | PermanentFailure:
    kind = TemporaryFailure if reply.is_later else PermanentFailure
    return kind(f"{what}: {reply.without(message.envelope_from)}")
