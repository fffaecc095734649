"""The procedure: several processes empty one outbox, led by this one."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from threading import Event

from domain.deliveries import DeliveryStatus
from mail.outbox.sending import SendCounts

LONGEST = 1 << 16  # octets of a message


@dataclass(frozen=True, slots=True)
class SenderReport:
    """
    What a process has done so far.

    `left` is what of the counts it gave back when it ended early. `is_last`: it sends no more, and
    all that it had claimed is told of in the books. `trouble` says why it could not do its work;
    it holds no personal data.
    """

    counts: SendCounts = field(default_factory=SendCounts)
    left: Mapping[DeliveryStatus, int] = field(default_factory=dict)
    is_last: bool = False
    trouble: str = ""

    def to_message(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, message: bytes) -> SenderReport:
        found = json.loads(message)
        counts = SendCounts(**found.pop("counts"))
        left = {DeliveryStatus(status): number for status, number in found.pop("left").items()}
        return cls(counts, left, **found)

    def taken_over(self, statuses: Collection[DeliveryStatus]) -> SenderReport:
        """Return the same without what was left in these statuses: somebody else tries it now."""
        left = {status: self.left.get(status, 0) for status in statuses}
        counts = replace(
            self.counts,
            deferred=self.counts.deferred - left.get(DeliveryStatus.DEFERRED, 0),
            in_doubt=self.counts.in_doubt - left.get(DeliveryStatus.IN_DOUBT, 0),
        )
        return replace(self, counts=counts, left={})


def together(own: Sequence[SenderReport], senders: Sequence[SenderReport]) -> SendCounts:
    """
    Add up what became of the deliveries that several processes tried.

    Why it ended early is said by whoever leads, and as of the last time it tried: what kept a
    sender from sending concerns nobody if the leader then sent it.
    """
    every = [report.counts for report in (*own, *senders)]
    sent = sum(one.sent for one in every)
    return SendCounts(
        sent=sent,
        failed=sum(one.failed for one in every),
        deferred=sum(one.deferred for one in every),
        in_doubt=sum(one.in_doubt for one in every),
        stopped_by=own[-1].counts.stopped_by if own else "",
        possible_duplicates=sum(one.possible_duplicates for one in every),
        mailed_nobody=sent == 0 and any(one.mailed_nobody for one in every),
    )


class LeaderSocket:
    """The sender's end of the socket between the two; see SendingProcess for the other one."""

    def __init__(self, leader: socket.socket) -> None:
        self._leader = leader
        self._report = SenderReport()
        self._grace = 0.0
        self._has_begun = Event()
        self._must_stop = Event()

    def watch(self) -> None:
        """
        Wait until the leader asks us to stop or is gone; to be run in a thread.

        Who has claimed nothing yet is not waited for. What hangs then is interrupted after the
        time of grace, as Ctrl-C would: nobody is left who could do it.
        """
        with suppress(OSError):
            while self._leader.recv(LONGEST):
                pass
        self._must_stop.set()
        if not self._has_begun.is_set():
            os._exit(0)
        time.sleep(self._grace)
        os.kill(os.getpid(), signal.SIGTERM)

    def begin(self, grace: float) -> None:
        """Say that from now on rows may be claimed; `grace` in seconds."""
        self._grace = grace
        self._has_begun.set()

    def must_stop(self) -> bool:
        return self._must_stop.is_set()

    def tell(self, counts: SendCounts) -> None:
        """Tell how it stands; progress that the leader has no time for goes by."""
        self._report = replace(self._report, counts=counts)
        self._send(socket.MSG_DONTWAIT)

    def end(self, done: SenderReport | None = None, *, trouble: str = "") -> None:
        """Say the last word: what was done, or why it was not."""
        self._report = replace(done or self._report, is_last=True, trouble=trouble)
        self._send()

    def _send(self, flags: int = 0) -> None:
        with suppress(OSError):  # nobody hears it
            self._leader.send(self._report.to_message(), flags | socket.MSG_NOSIGNAL)


GRACE_SECONDS = 5.0  # for what a sender is just handing over, once it is asked to stop
END_SECONDS = 60.0  # for it to give back what it holds; the books may be busy for half of that


class SendingProcess:
    """
    Sends what is due beside this process until nothing is left, or it is asked to stop.

    It reports over a socket (packets, each a whole message). Closing our direction of it asks it
    to stop, and so does our end, however it comes.
    """

    def __init__(self, process: subprocess.Popen[bytes], connection: socket.socket) -> None:
        self._process = process
        self._connection = connection
        self.report = SenderReport()
        self.has_reported = False
        self.is_over = False

    @property
    def trouble(self) -> str:
        """Say of one that has ended why it did not do its work; empty where it did."""
        if self.report.is_last:
            return self.report.trouble
        return "it broke down" if self._process.returncode else ""

    @property
    def has_left_some(self) -> bool:
        """Tell whether it ended while mails may be due that it might have sent."""
        is_done = self.report.is_last and not self.report.trouble
        return self.is_over and not (is_done and not self.report.counts.stopped_by)

    def fileno(self) -> int:
        return self._connection.fileno()

    def listen(self) -> None:
        """Take in what it has reported, without waiting for more."""
        with suppress(BlockingIOError):
            while not self.is_over:
                try:
                    message = self._connection.recv(LONGEST, socket.MSG_DONTWAIT)
                except ConnectionError:
                    message = b""
                if message:
                    self.report, self.has_reported = SenderReport.of(message), True
                self.is_over = not message

    def ask_to_stop(self) -> None:
        with suppress(OSError):  # it is gone
            self._connection.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """Wait for the end of one that was asked to stop; one that hangs is killed."""
        try:
            self._process.wait(timeout=GRACE_SECONDS + END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.listen()
        self._connection.close()


def wait_for_news(senders: Sequence[SendingProcess]) -> bool:
    """Wait until one of them has reported or ended; False: all have ended."""
    at_work = [sender for sender in senders if not sender.is_over]
    if not at_work:
        return False
    waiting = select.poll()  # takes any descriptor; select() none beyond 1,023
    for sender in at_work:
        waiting.register(sender, select.POLLIN)
    waiting.poll()
    for sender in at_work:
        sender.listen()
    return True


Progress = Callable[[SendCounts], None]


def send_together(
    send: Callable[[Progress], SenderReport],
    senders: Sequence[SendingProcess],
    progress: Progress,
    again: Collection[DeliveryStatus] = (DeliveryStatus.DEFERRED, DeliveryStatus.IN_DOUBT),
) -> SendCounts:
    """
    Send with senders that have started; `send` is what this process does itself.

    Each claims rows of its own, and each stops by itself where the relay fails it: a relay that
    allows fewer connections may refuse one and serve another. What was left undone (a sender was
    refused, broke down, was killed) this process does once all others have ended, and what keeps
    it from that is why the sending ended early; it finds what was left in the statuses of `again`.
    Whatever ends this ends the senders. The last progress that is shown is what is returned.
    """
    own: list[SenderReport] = []

    def show(now: SendCounts) -> None:
        for sender in senders:
            sender.listen()
        progress(together([*own, SenderReport(now)], [sender.report for sender in senders]))

    try:
        own.append(send(show))
        if not own[0].counts.stopped_by or _is_relay_working(senders):
            _dismiss_idle(senders)
            while wait_for_news(senders):
                show(SendCounts())
            if own[0].counts.stopped_by or any(sender.has_left_some for sender in senders):
                _end(senders)  # what a living process holds nobody takes over
                own[0] = own[0].taken_over(again)
                for sender in senders:
                    sender.report = sender.report.taken_over(again)
                own.append(send(show))
    finally:
        _end(senders)
    done = together(own, [sender.report for sender in senders])
    progress(done)  # a last report may have come in while nobody waited for news
    return done


def _dismiss_idle(senders: Sequence[SendingProcess]) -> None:
    """Wait for no sender that has not begun while nothing was left; if it just did, we go on."""
    for sender in senders:
        sender.listen()
        if not sender.has_reported:
            sender.ask_to_stop()


def _end(senders: Sequence[SendingProcess]) -> None:
    for sender in senders:
        sender.ask_to_stop()
    for sender in senders:
        sender.end()


def _is_relay_working(senders: Sequence[SendingProcess]) -> bool:
    """Tell whether another process has got something through, so that it is not the relay."""
    for sender in senders:
        sender.listen()
    return any(sender.report.counts.sent for sender in senders)
