"""A mail server of few words that keeps the protocol's rules, and breaks them where a test says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

USUAL = ("SIZE 100000000", "8BITMIME", "DSN", "SMTPUTF8")


@dataclass
class Fault:
    """
    What goes wrong at a command: `CONNECT`, `EHLO`, `AUTH`, `MAIL`, `RCPT`, `DATA`, `.`, `BODY` or
    `RSET`.

    `BODY` is the arrival of the body's first octets. `only`: at arguments that hold this (at the
    dot and the body: at recipients that do). `keeps`: a message is kept although the answer to
    its dot is lost.
    """

    command: str
    reply: str = ""  # instead of yes
    drops: bool = False  # the connection, after the reply if there is one
    hangs: bool = False  # nothing is read or said any more, after the reply if there is one
    seconds: float = 0  # before the reply
    only: str = ""
    times: int = 1_000_000
    keeps: bool = False


@dataclass
class Kept:
    """One message that the server answers for."""

    mail: str  # the argument of MAIL
    rcpt: str
    body: bytes  # as it came, with doubled dots

    @property
    def name(self) -> str:
        return self.rcpt.partition("<")[2].partition("@")[0]


@dataclass
class Scripted:
    """
    The server's script, and what it saw.

    `round_trips` counts how often it had answered everything that had come, `commands` holds what
    came, `is_eager` says 354 although no recipient was accepted (RFC 2920 allows it), `chokes`
    announces pipelining and cannot do it.
    """

    faults: list[Fault] = field(default_factory=list)
    pipelines: bool = True
    extensions: tuple[str, ...] = USUAL
    is_eager: bool = False
    chokes: bool = False
    messages_a_connection: int = 1_000_000
    port: int = 0
    kept: list[Kept] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    round_trips: int = 0

    @property
    def names(self) -> list[str]:
        return sorted(kept.name for kept in self.kept)

    def fault(self, command: str, argument: str) -> Fault | None:
        for fault in self.faults:
            if fault.command == command and fault.only in argument and fault.times:
                fault.times -= 1
                return fault
        return None


class _Session(asyncio.Protocol):
    def __init__(self, script: Scripted) -> None:
        self._script = script
        self._unread = b""
        self._body: bytearray | None = None  # after a line end that is not part of it
        self._searched = 0
        self._mail = self._rcpt = ""
        self._taken = 0
        self._is_deaf = False
        self._said = 0
        self._in_a_row = 0  # commands that came at once

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._script.connections += 1
        self._say("CONNECT", "", "220 scripted.test ESMTP")

    def data_received(self, data: bytes) -> None:
        if self._body is not None and self._say("BODY", self._rcpt, ""):
            return
        self._unread += data
        self._work()

    def _work(self) -> None:
        before = self._said
        self._in_a_row = 0
        while not self._is_deaf and not self._transport.is_closing():
            if self._body is not None:
                self._body += self._unread
                self._unread = b""
                end = self._body.find(b"\r\n.\r\n", self._searched)
                self._searched = max(0, len(self._body) - 4)
                if end < 0:
                    break
                self._unread = bytes(self._body[end + 5 :])
                self._end(bytes(self._body[2 : end + 2]))
            elif b"\r\n" in self._unread:
                line, _, self._unread = self._unread.partition(b"\r\n")
                self._obey(line.decode())
            else:
                break
        self._script.round_trips += self._said > before and not self._unread

    def _obey(self, line: str) -> None:
        command, _, argument = line.partition(" ")
        command = command.upper()
        self._script.commands.append(line)
        self._in_a_row += 1
        if command == "EHLO":
            announced = (*self._script.extensions, *(["PIPELINING"] * self._script.pipelines))
            lines = ("scripted.test", *announced)
            last = len(lines) - 1
            yes = "\r\n".join(
                f"250{' ' if number == last else '-'}{line}" for number, line in enumerate(lines)
            )
            self._say("EHLO", argument, yes)
        elif command == "AUTH":
            self._say("AUTH", argument, "235 2.7.0 Welcome")
        elif command == "HELO":
            self._say("", "", "250 scripted.test")
        elif self._in_a_row > 1 and self._script.chokes and command != "MAIL":
            self._say("", "", "503 5.5.1 one after the other")
        elif command == "MAIL" and self._mail:
            self._say("", "", "503 5.5.1 nested MAIL command")
        elif command == "MAIL" and not self._say("MAIL", argument, "250 2.1.0 Ok"):
            self._mail = argument
        elif command == "RCPT" and not self._mail:
            self._say("", "", "503 5.5.1 need MAIL command")
        elif command == "RCPT" and not self._say("RCPT", argument, "250 2.1.5 Ok"):
            self._rcpt = argument
        elif command == "DATA":
            self._begin()
        elif command == "RSET":
            self._mail = self._rcpt = ""
            self._say("RSET", "", "250 2.0.0 Ok")
        elif command == "QUIT":
            self._say("QUIT", "", "221 2.0.0 Bye")
            self._transport.close()

    def _begin(self) -> None:
        if not self._rcpt and not (self._script.is_eager and self._mail):
            self._say("", "", "554 5.5.1 no valid recipients")
        elif not self._say("DATA", self._rcpt, "354 go on"):
            self._body, self._searched = bytearray(b"\r\n"), 0

    def _end(self, body: bytes) -> None:
        self._body = None
        message = Kept(self._mail, self._rcpt, body)
        self._mail = self._rcpt = ""
        if not message.rcpt:
            self._say("", "", "554 5.5.1 no valid recipients")
            return
        if self._taken >= self._script.messages_a_connection:
            self._say("", "", "421 4.7.0 too many messages")
            self._transport.close()
            return
        fault = self._say(".", message.rcpt, "250 2.0.0 Ok")
        if fault is None or fault.keeps:
            self._taken += 1
            self._script.kept.append(message)

    def _say(self, command: str, argument: str, yes: str) -> Fault | None:
        """Answer, and return the fault that took the place of the yes (a mere delay is none)."""
        fault = self._script.fault(command, argument)
        if fault is None or fault.seconds:
            self._is_deaf = fault is not None
            later = fault.seconds if fault else 0
            if later:
                asyncio.get_running_loop().call_later(later, self._go_on, fault.reply or yes)
            else:
                self._write(yes)
            return fault if fault and fault.reply else None
        self._write(fault.reply)
        if fault.drops:
            self._transport.close() if fault.reply else self._transport.abort()
        if fault.hangs:
            self._is_deaf = True
            self._transport.pause_reading()
        return fault

    def _write(self, reply: str) -> None:
        if reply:
            self._said += 1
            self._transport.write(reply.encode() + b"\r\n")

    def _go_on(self, reply: str) -> None:
        self._is_deaf = False
        self._write(reply)
        self._work()


@contextmanager
def speaking(script: Scripted) -> Iterator[Scripted]:
    """Run a scripted server on a free port until the test is done with it."""
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(
        loop.create_server(lambda: _Session(script), "127.0.0.1", script.port)
    )
    script.port = listening.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        loop.call_soon_threadsafe(listening.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
