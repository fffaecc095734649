"""One connection to a mail relay, over which messages go one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from mail.port import MailOutcome, OutgoingMessage, Result
from mail.smtp.envelope import Extensions, WireMessage, to_commands
from mail.smtp.replies import Channel, Lost, Reply

LOGIN_FIRST = 530  # RFC 4954 (6): log in first; RFC 3207 (4): encrypt first
WANTS_LOGIN = (
    "the mail server wants a login (smtp.username) or encryption (smtp+starttls:// in smtp.url)"
)


class RelayClosing(TemporaryFailure):
    """
    The server hung up or fell silent before it had the message: another connection may do.

    `at_recipient`: it had taken the sender, so that the message may be to blame.
    """

    def __init__(self, text: str, *, at_recipient: bool = False) -> None:
        super().__init__(text)
        self.at_recipient = at_recipient


def judge(message: OutgoingMessage, replies: Sequence[Reply], *, pipelined: bool) -> Reply:
    """
    Return which of the answers to MAIL, RCPT and DATA counts: 354, or the refusal.

    A refused sender means us and everybody, unless it was for this message's size or letters:
    that raises TemporaryFailure or PermanentFailure. 503 to commands that were in order raises
    RelayClosing: the server announces pipelining and cannot do it.
    """
    mail = replies[0]
    is_about_us = not (mail.is_yes or mail.is_about_size or mail.status == "5.6.7")
    if is_about_us:
        kind = TemporaryFailure if mail.is_later else PermanentFailure
        if mail.code == LOGIN_FIRST:
            raise kind(f"{WANTS_LOGIN}: {mail.without(message.envelope_from)}")
        raise kind(f"the relay refuses the sender: {mail.without(message.envelope_from)}")
    answer = next((reply for reply in replies[:2] if not reply.is_yes), replies[-1])
    is_out_of_step = answer.is_yes or (pipelined and answer.code == 503)
    if is_out_of_step:
        text = answer.without(message.recipient)
        raise RelayClosing(f"out of step: {text}", at_recipient=True)
    return answer


def to_outcome(message: OutgoingMessage, reply: Reply) -> MailOutcome:
    if reply.is_yes:
        return MailOutcome(message.key, Result.SENT)
    result = Result.DEFERRED if reply.is_later else Result.FAILED
    error = reply.without(message.recipient)
    return MailOutcome(message.key, result, error, too_large=reply.is_about_size)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server, in seconds; RFC 5321 (4.5.3.2) names the usual values."""

    reply: float = 300  # greeting, EHLO, MAIL, RCPT
    login: float = 60  # some answer a wrong password late, so that guessing takes long, or never
    data: float = 120  # for the 354
    block: float = 180  # until the network has taken a block of the body
    final: float = 600  # after the final dot: giving up earlier makes duplicates


class Connection:
    """
    An open connection; `deliver` may be called until it raises.

    Where the server announces PIPELINING (RFC 2920) and `pipelines` is not denied, the next
    message's envelope goes out with this one's body: one round trip a message. That message is
    then `announced` and must be the next to be delivered here, or go over another connection.

    A connection on which a reply was lost, or on which a wait was cut short, is never used again:
    its replies would be taken for those of the next customer's message.
    """

    def __init__(
        self, channel: Channel, extensions: Extensions, patience: Patience, *, pipelines: bool
    ) -> None:
        self.extensions = extensions
        self.pipelines = pipelines and extensions.pipelining
        self.delivered = 0  # messages answered for on this connection
        self.announced: WireMessage | None = None
        self._channel = channel
        self._patience = patience
        self._waits_for_body = False  # a 354 is to be answered by a lone dot
        self._owed = 0  # replies to a lone dot and to RSET, not yet read

    @property
    def is_open(self) -> bool:
        return self._channel.is_open

    def close(self) -> None:
        self._channel.close()

    async def quit(self) -> None:
        with suppress(Lost):
            self._channel.write(b"QUIT\r\n")
            for _ in range(self._owed + 1):
                await self._channel.reply(2)
        self.close()

    async def deliver(
        self,
        wire_message: WireMessage,
        take_next: Callable[[], WireMessage | None],
        about_to_hand_over: Callable[[str], None],
    ) -> MailOutcome:
        """
        Send one message and return its outcome.

        `take_next` gives the message to announce. Raises RelayClosing (surely not taken; the
        connection is of no more use), TemporaryFailure or PermanentFailure where the relay
        refuses us and not the message, OutcomeUnknown when the answer to the final dot was lost.
        """
        try:
            reply = await self._ask(wire_message)
            if reply.code == 354:
                reply = await self._hand_over(wire_message, take_next, about_to_hand_over)
            else:
                self._withdraw(take_next)
        except BaseException:
            self.close()
            raise
        self.delivered += 1
        return to_outcome(wire_message.message, reply)

    async def _ask(self, wire_message: WireMessage) -> Reply:
        """
        Go through MAIL, RCPT and DATA; return 354, or the refusal of this message.

        A refusal stands even where the server hangs up right after it.
        """
        commands = () if self.announced is wire_message else self._commands(wire_message)
        await self._read_owed()
        if self.pipelines and commands:
            self._write(b"".join(commands))
        self.announced = None
        replies: list[Reply] = []
        try:
            for step, patience in enumerate(self._phases):
                if not self.pipelines:
                    self._write(commands[step])
                replies.append(await self._reply(patience))
                if not self.pipelines and not replies[-1].is_yes:
                    break
        except RelayClosing as failure:
            if all(reply.is_yes for reply in replies):
                failure.at_recipient = len(replies) > 0
                raise
            self.close()
        answer = judge(wire_message.message, replies, pipelined=self.pipelines)
        self._waits_for_body = answer is not replies[-1] and replies[-1].code == 354
        return answer

    @property
    def _phases(self) -> tuple[float, float, float]:
        return self._patience.reply, self._patience.reply, self._patience.data

    async def _hand_over(
        self,
        wire_message: WireMessage,
        take_next: Callable[[], WireMessage | None],
        about_to_hand_over: Callable[[str], None],
    ) -> Reply:
        """Write the body. Once its final dot is out, a lost connection leaves it open."""
        about_to_hand_over(wire_message.message.key)
        envelope = self._announce(take_next)
        try:
            is_whole = await self._channel.write_body(
                wire_message.body, envelope, self._patience.block
            )
        except Lost as lost:
            raise RelayClosing(f"connection lost: {lost}", at_recipient=True) from None
        try:
            reply = await self._channel.reply(self._patience.final)
        except Lost as lost:
            raise OutcomeUnknown(f"no answer after the message: {lost}") from None
        if not is_whole:
            self.close()  # the server has part of a body and will take what follows for the rest
        if reply.is_closing:
            raise RelayClosing(reply.without(""), at_recipient=True)
        if not reply.is_expected or (reply.is_yes and not is_whole):
            raise OutcomeUnknown(f"unexpected: {reply.without('')}")
        return reply

    def _withdraw(self, take_next: Callable[[], WireMessage | None]) -> None:
        """
        Clear the envelope: else the next customer's MAIL is refused as nested.

        A 354 that came although nobody was accepted gets a lone dot first (RFC 2920, 3.1). The
        replies are read later: what we know of this message stands whatever becomes of them.
        """
        if not self.is_open:
            return
        lone_dot = b".\r\n" if self._waits_for_body else b""
        self._owed = 2 if self._waits_for_body else 1
        self._waits_for_body = False
        try:
            self._channel.write(lone_dot + b"RSET\r\n" + self._announce(take_next))
        except Lost:
            self.close()

    def _announce(self, take_next: Callable[[], WireMessage | None]) -> bytes:
        self.announced = take_next() if self.pipelines else None
        if self.announced is None:
            return b""
        return b"".join(self._commands(self.announced))

    def _commands(self, wire_message: WireMessage) -> tuple[bytes, ...]:
        return (*to_commands(wire_message, self.extensions), b"DATA\r\n")

    async def _read_owed(self) -> None:
        while self._owed:
            reply = await self._reply(self._patience.reply)
            self._owed -= 1
            if not self._owed and not reply.is_yes:
                raise RelayClosing(f"out of step: {reply.without('')}")

    async def _reply(self, patience: float) -> Reply:
        try:
            reply = await self._channel.reply(patience)
        except Lost as lost:
            raise RelayClosing(f"connection lost: {lost}") from None
        if reply.is_closing or not (reply.is_expected or reply.code == 354):
            raise RelayClosing(reply.without(""))
        return reply

    def _write(self, commands: bytes) -> None:
        try:
            self._channel.write(commands)
        except Lost as lost:
            raise RelayClosing(f"connection lost: {lost}") from None
