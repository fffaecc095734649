"""One way to send mails, in a process of its own: it sends when told to, and says what it took."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path

from bench.mail.messages import KINDS, Mails
from bench.mail.outbox import Office
from bench.mail.peers import PEERS
from bench.measuring import peak_megabytes
from mail.port import OutgoingMessage, Result
from mail.smtp.mailer import SmtpMailer
from mail.smtp.relay import to_relay

FIRST_MAILS = 40  # of the outbox, until its speed is known


@dataclass(frozen=True, slots=True)
class Way:
    """How our mailer is used."""

    connections: int = 4
    pipelining: bool = True
    is_built: bool = True  # each mail made when it is about to go, as in production
    has_outbox: bool = False


OURS = {
    "billclose": Way(),
    "billclose, not pipelined": Way(pipelining=False),
    "billclose, prebuilt": Way(is_built=False),
    "billclose, prebuilt, one by one": Way(pipelining=False, is_built=False),
    "billclose, 16 connections": Way(connections=16),
    "billclose, whole outbox": Way(has_outbox=True),
}
CONNECTIONS = {name: way.connections for name, way in OURS.items()} | {
    name: peer.connections for name, peer in PEERS.items()
}


class Mailing:
    """Our mailer, without the outbox."""

    def __init__(self, way: Way, mails: Mails, port: int) -> None:
        self._way, self._mails, self._port = way, mails, port

    def prepare(self, _seconds: float) -> None:
        """Nothing: mails are made as they go, or were made before."""

    def send(self, seconds: float) -> int:
        end = time.monotonic() + seconds
        made = self._mails.outgoing() if self._way.is_built else self._mails.prebuilt()
        return send_all(self._way, self._port, takewhile(lambda _: time.monotonic() < end, made))


class Mailbag:
    """Our mailer behind the outbox, which gets as many mails as it is likely to send."""

    def __init__(self, way: Way, office: Office, port: int) -> None:
        self._way, self._office, self._port = way, office, port
        self._rate = 0.0

    def prepare(self, seconds: float) -> None:
        self._office.prepare(round(self._rate * seconds) or FIRST_MAILS)

    def send(self, _seconds: float) -> int:
        began = time.monotonic()
        mailer = to_mailer(self._way, self._port)
        sent = self._office.send(mailer)
        mailer.close()
        self._rate = sent / (time.monotonic() - began)
        return sent


class Peer:
    """Somebody else's client."""

    def __init__(self, send: Callable[[Mails, int, float], int], mails: Mails, port: int) -> None:
        self._send, self._mails, self._port = send, mails, port

    def prepare(self, _seconds: float) -> None:
        """Nothing, as above."""

    def send(self, seconds: float) -> int:
        return self._send(self._mails, self._port, seconds)


def to_mailer(way: Way, port: int) -> SmtpMailer:
    relay = to_relay(f"smtp://127.0.0.1:{port}", pipelining=way.pipelining)
    return SmtpMailer(relay, connections=way.connections)


def send_all(way: Way, port: int, messages: Iterable[OutgoingMessage]) -> int:
    """Send over connections opened and closed for it; every mail must be taken."""
    mailer, sent = to_mailer(way, port), 0
    for outcome in mailer.deliver(messages):
        if outcome.result is not Result.SENT:
            raise RuntimeError(f"a mail was not taken: {outcome.error}")
        sent += 1
    mailer.close()
    return sent


def to_job(name: str, mails: Mails, folder: Path, port: int) -> Mailing | Mailbag | Peer:
    if name in PEERS:
        return Peer(PEERS[name].send, mails, port)
    way = OURS[name]
    if way.has_outbox:
        return Mailbag(way, Office(mails.kind, folder), port)
    return Mailing(way, mails, port)


def main() -> None:
    """
    Do JOB with mails of KIND to a server at PORT, documents in FOLDER.

    For every number of seconds read, send for so long and answer with the mails sent, the seconds,
    the CPU seconds and the peak of memory in megabytes. With a COUNT send so many at once instead.
    """
    name, kind, port, folder, *count = sys.argv[1:]
    mails = Mails(KINDS[kind], Path(folder))
    if count:
        sent = send_all(OURS[name], int(port), islice(mails.outgoing(), int(count[0])))
        print(json.dumps([sent, peak_megabytes()]))
        return
    job = to_job(name, mails, Path(folder), int(port))
    print(json.dumps(len(mails.stock[0])), flush=True)
    for line in sys.stdin:
        job.prepare(float(line))
        cpu, wall = time.process_time(), time.monotonic()
        sent = job.send(float(line))
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        print(json.dumps([sent, wall, cpu, peak_megabytes()]), flush=True)


if __name__ == "__main__":
    main()
