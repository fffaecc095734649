"""Processes that help to send the mails: how many are worth it, and how they are started."""

from __future__ import annotations

import hashlib
import json
import socket
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.deliveries import MessageKind
from domain.failures import Misuse
from mail.helper import GRACE_SECONDS, Helper
from office.clock import Clock
from office.settings import Settings, read_settings
from office.settings_mail import SmtpSettings
from splitter.children import start_program
from splitter.sharing import processors

if TYPE_CHECKING:
    from office.wiring import Office

PROGRAM = "command_line.mail_helper"  # run by name: who reads the clock stands there
MOST_UNASKED = 4  # more senders at once than that are the office's own wish
# A helper takes 0.6 s of CPU until it sends; in that time one process sends as many.
MAILS_FOR_ONE_MORE = 1_000


@dataclass(frozen=True, slots=True)
class Start:
    """What a helper is told; it has its settings from where the leader has them."""

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
    here: Office, kinds: Collection[MessageKind], due: datetime, connections: Sequence[int]
) -> list[Start]:
    """Return what helpers are told, one for each share of the connections."""
    as_of = here.clock.as_of
    return [
        Start(
            str(here.home), sys.argv[0], fingerprint(here.settings), tuple(kinds), share,
            "" if as_of is None else due.isoformat(),
            "" if as_of is None else as_of.isoformat(), here.clock.started, GRACE_SECONDS,
        )
        for share in connections
    ]  # fmt: skip


def same_settings(start: Start) -> Settings:
    """Read the leader's settings where it has them from; raises Misuse where they have changed."""
    settings = read_settings(Path(start.home))
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


def start_helper(start: Start) -> Helper:
    """
    Start one, and tell it over a socket, which no other process sees, what it is to do.

    It hears of our end, however it comes, by the socket too. Raises OSError where the machine has
    no room for another process.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.send(start.to_message())
    with theirs:
        process = start_program(PROGRAM, theirs)
    return Helper(process, ours)
