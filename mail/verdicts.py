"""What a server's answers to one message mean."""

from __future__ import annotations

from collections.abc import Sequence

from domain.failures import PermanentFailure, TemporaryFailure
from mail.port import Outcome, OutgoingMessage, Result
from mail.replies import Reply


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
        raise kind(f"the relay refuses the sender: {mail.without(message.envelope_from)}")
    answer = next((reply for reply in replies[:2] if not reply.is_yes), replies[-1])
    is_out_of_step = answer.is_yes or (pipelined and answer.code == 503)
    if is_out_of_step:
        text = answer.without(message.recipient)
        raise RelayClosing(f"out of step: {text}", at_recipient=True)
    return answer


def to_outcome(message: OutgoingMessage, reply: Reply) -> Outcome:
    if reply.is_yes:
        return Outcome(message.key, Result.SENT)
    result = Result.DEFERRED if reply.is_later else Result.FAILED
    error = reply.without(message.recipient)
    return Outcome(message.key, result, error, too_large=reply.is_about_size)
