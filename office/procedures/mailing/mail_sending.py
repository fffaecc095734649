"""Sending an office's mails: by this process, and where much is due by others beside it."""

from __future__ import annotations

import hashlib
import json
import logging
import socket
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from database.owners import this_process
from domain.deliveries import MessageKind
from domain.failures import Misuse
from mail.letters.notices import NOTICES
from mail.outbox.deliveries import count_due, sendable
from mail.outbox.parallel_sending import (
    GRACE_SECONDS,
    Progress,
    SenderReport,
    SendingProcess,
    send_together,
)
from mail.outbox.sending import OutcomeTally, Render, SendCounts, send_due
from mail.port import Mailer
from office.clock import Clock
from office.settings.mail import SmtpSettings
from office.settings.settings import Settings, open_settings
from splitter.workers.parent import processors, start_program

if TYPE_CHECKING:
    from office.equipment.office import Office

PROGRAM = "command_line.commands.mail"  # run by name: who reads the clock stands there
MOST_UNASKED = 4  # more senders at once than that are the office's own wish
# A sender takes 0.6 s of CPU until it sends; in that time one process sends as many.
MAILS_FOR_ONE_MORE = 1_000


@dataclass(frozen=True, slots=True)
class Start:
    """What a sender is told; it has its settings from where the leader has them."""

    home: str
    program: str  # by which a person reaches this office, as mails name it
    settings: str  # what they must come to
    kinds: tuple[MessageKind, ...]
    connections: int
    due: str  # the moment that decides what is due, where a time is rehearsed
    as_of: str
    started: float  # of the rehearsed clock; monotonic seconds, the same in all processes
    grace: float  # seconds for what is under way when it is asked to stop

    def to_message(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, message: bytes) -> Start:
        found: dict[str, Any] = json.loads(message)
        kinds = tuple(MessageKind(kind) for kind in found.pop("kinds"))
        return cls(kinds=kinds, **found)


def most_processes(chosen: SmtpSettings) -> int:
    """
    Return how many processes may send at a time, this one included.

    A limit a minute is the relay's: it holds for all mails together, so one process keeps it, and
    more would send no faster. Each needs a connection of those that the relay was promised.
    """
    if not chosen.url or chosen.messages_per_minute or chosen.per_domain_per_minute:
        return 1
    return min(chosen.processes or min(processors(), MOST_UNASKED), chosen.connections)


def worth(most: int, due: int) -> int:
    """Return how many processes of so many it pays to have for the mails that are due."""
    return max(1, min(most, due // MAILS_FOR_ONE_MORE))


def shares(connections: int, processes: int) -> list[int]:
    """Divide the connections among the processes, the leader's share first."""
    least, rest = divmod(connections, processes)
    return [least + (number < rest) for number in range(processes)]


def starts_of(
    office: Office, kinds: Collection[MessageKind], due: datetime, connections: Sequence[int]
) -> list[Start]:
    """Return what senders are told, one for each share of the connections."""
    as_of = office.clock.as_of
    return [
        Start(
            str(office.home), sys.argv[0], fingerprint(office.settings), tuple(kinds), share,
            "" if as_of is None else due.isoformat(),
            "" if as_of is None else as_of.isoformat(), office.clock.started, GRACE_SECONDS,
        )
        for share in connections
    ]  # fmt: skip


def same_settings(start: Start) -> Settings:
    """Read the leader's settings where it has them from; raises Misuse where they have changed."""
    settings = open_settings(Path(start.home))
    if fingerprint(settings) != start.settings:
        raise Misuse("the settings have changed since the sending began")
    return settings


def clock_of(start: Start, wall: Callable[[], datetime]) -> Clock:
    """Return the leader's clock; `wall` reads the machine's."""
    as_of = datetime.fromisoformat(start.as_of) if start.as_of else None
    return Clock(wall, as_of, start.started)


def fingerprint(settings: Settings) -> str:
    """Tell settings apart; of secrets only whether they are there, except in a URL."""
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()


def start_sender(start: Start) -> SendingProcess:
    """
    Start one, and tell it over a socket, which no other process sees, what it is to do.

    It hears of our end, however it comes, by the socket too. Raises OSError where the machine has
    no room for another process.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.send(start.to_message())
    with theirs:
        process = start_program(PROGRAM, theirs)
    return SendingProcess(process, ours)


JOURNALS = "outbox"  # a folder of the home
LOG = logging.getLogger(__name__)


def send_mails(
    office: Office,
    kinds: Collection[MessageKind],
    due: Callable[[], datetime],
    progress: Progress,
) -> SendCounts:
    """Send what is due of some kinds, with as many processes as are allowed and worth it."""
    processes = _processes(office, kinds, due())
    if processes == 1:
        return send_alone(office, office.mailer, kinds, due, progress).counts
    from office.equipment.mail import to_server_mailer as to_mailer

    office.mailer.close()  # its idle connections count among those that the relay was promised
    own, *others = shares(office.settings.smtp.connections, processes)
    with closing(to_mailer(office.home, office.settings.smtp, connections=own)) as mailer:
        senders = _start(starts_of(office, kinds, due(), others))
        send = partial(send_alone, office, mailer, kinds, due)
        again = sendable(resend_in_doubt=office.settings.ebill.resend_in_doubt)
        counts = send_together(send, senders, progress, again)
    for sender in senders:
        if sender.trouble:
            LOG.warning("a process that helps to send: %s", sender.trouble)
    return counts


def send_alone(
    office: Office,
    mailer: Mailer,
    kinds: Collection[MessageKind],
    due: Callable[[], datetime],
    progress: Progress,
    stop: Callable[[], bool] | None = None,
) -> SenderReport:
    """Send what is due of some kinds in this process; see mail.sending."""
    renderers: dict[MessageKind, Render] = {
        MessageKind.BILL: office.bill_renderer,
        **dict.fromkeys(NOTICES, office.notice_renderer),
    }
    tally = OutcomeTally()
    counts = send_due(
        office.database,
        mailer,
        {kind: render for kind, render in renderers.items() if kind in kinds},
        journals=office.folder(JOURNALS),
        clock=due,
        owner=this_process(),
        stop=stop,
        progress=progress,
        resend_in_doubt=office.settings.ebill.resend_in_doubt,
        tally=tally,
        many_refusals=office.settings.smtp.refusals_in_a_row,
    )
    return SenderReport(counts, dict(tally.left))


def _start(starts: Iterable[Start]) -> list[SendingProcess]:
    """Start senders, as many as the machine has room for: what is due is sent without them too."""
    senders: list[SendingProcess] = []
    for start in starts:
        try:
            senders.append(start_sender(start))
        except OSError as failure:
            LOG.warning("no process to help to send could be started: %s", failure.strerror)
    return senders


def _processes(office: Office, kinds: Collection[MessageKind], now: datetime) -> int:
    most = 1 if office.rehearses else most_processes(office.settings.smtp)
    if most == 1:
        return 1
    in_doubt = office.settings.ebill.resend_in_doubt
    counted = most * MAILS_FOR_ONE_MORE
    due = count_due(office.database, now, kinds, resend_in_doubt=in_doubt, most=counted)
    return worth(most, due)
