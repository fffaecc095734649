"""The stream of replies from a mail server, and of what goes to it, over a connection made."""

from __future__ import annotations

import asyncio
import re
import socket
from collections import deque
from typing import NamedTuple

from domain.causes import say_cause
from mail.message.mime import one_line

_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"']*@[^\s<>()\[\]:;,\"']+")
_ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
_SIZE = re.compile(r"\bsize\b|too (large|big)|too much mail", re.IGNORECASE)
LONGEST = 300  # characters of a reply that are kept


class Reply(NamedTuple):
    """One answer: the code of RFC 5321 (4.2) and its text."""

    code: int
    text: str

    @property
    def is_yes(self) -> bool:
        return 200 <= self.code < 300

    @property
    def is_closing(self) -> bool:
        """421: the server hangs up, whatever the command was (RFC 5321, 3.8)."""
        return self.code == 421

    @property
    def is_expected(self) -> bool:
        return 200 <= self.code < 300 or 400 <= self.code < 600

    @property
    def is_later(self) -> bool:
        return 400 <= self.code < 500

    @property
    def is_never(self) -> bool:
        return 500 <= self.code < 600

    @property
    def status(self) -> str:
        """Return the enhanced status (RFC 3463), such as `5.1.1`, or nothing."""
        found = _ENHANCED.match(self.text)
        return ".".join(found.groups()) if found else ""

    @property
    def is_about_size(self) -> bool:
        """
        Tell "this message is too large" from other refusals (RFC 1870, 6; RFC 3463: X.3.4, X.2.3).

        552 says it too, but 552 5.2.2 is a full mailbox; 554 says it in words only.
        """
        if not self.is_never:
            return False
        if self.status in ("5.3.4", "5.2.3"):
            return True
        is_vague = self.status in ("", "5.0.0")
        is_full = "quota" in self.text.casefold()
        return is_vague and not is_full and (self.code == 552 or bool(_SIZE.search(self.text)))

    def without(self, address: str) -> str:
        """Write code, enhanced status (RFC 3463) and text, the customer's address left out."""
        text = self.text.encode("utf-8", "replace").decode()
        text = _ADDRESS.sub("(address)", text)
        local_part = address.rpartition("@")[0]
        if local_part:
            word = rf"(?<![\w.]){re.escape(local_part)}(?![\w.])"
            text = re.sub(word, "(address)", text, flags=re.IGNORECASE)
        return f"{self.code} {one_line(text)}"[:LONGEST].rstrip()


BLOCK = 65_536  # octets of a body handed to the system at a time
LONGEST_REPLY = 65_536  # octets; a server that says more is not listened to


class Lost(Exception):
    """The connection is gone, or nothing came in time: no further reply will be read."""


class Channel(asyncio.Protocol):
    """
    Takes over a connection whose login is done, and reads replies in the order of the commands.

    Several commands may be under way at a time (RFC 2920), which aiosmtplib's own protocol does
    not allow. Whoever writes commands counts the replies.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._unread = b""  # a line that has not yet ended
        self._lines: list[bytes] = []  # of a reply that has not yet ended
        self._length = 0  # octets of that reply
        self._replies: deque[Reply] = deque()
        self._loss = ""
        self._is_paused = False
        self._waiter: asyncio.Future[None] | None = None
        transport.set_write_buffer_limits(high=1, low=0)  # paused while anything has not left us
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        return not self._loss and not self._transport.is_closing()

    def close(self) -> None:
        self._lose("closed")
        self._transport.abort()

    def write(self, commands: bytes) -> None:
        if not self.is_open:
            raise Lost(self._loss or "closing")
        self._transport.write(commands)

    async def write_body(self, body: bytes, commands: bytes, timeout: float) -> bool:
        """
        Write a body and the commands after it, in blocks; `timeout` is for each (180 s, RFC 5321).

        Returns False where a reply came before the last block was written: the server refused it
        unheard. Raises Lost where the connection went before the last block was begun: without
        its final dot the server cannot have taken the message.
        """
        rest = memoryview(body)
        while len(rest) > BLOCK and not self._replies:
            self.write(bytes(rest[:BLOCK]))
            rest = rest[BLOCK:]
            while self._is_paused and not self._replies:
                await self._wait(timeout)
        if self._replies:
            return False
        self.write(b"".join((rest, commands)))
        return True

    async def reply(self, timeout: float) -> Reply:
        """Return the next reply; raises Lost."""
        while not self._replies:
            await self._wait(timeout)
        return self._replies.popleft()

    async def _wait(self, timeout: float) -> None:
        """Wait until something happens; what came before a loss is read before the loss is told."""
        if self._loss:
            raise Lost(self._loss)
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                await self._waiter
        except TimeoutError:
            raise Lost(f"no answer in {timeout:g} seconds") from None
        finally:
            self._waiter = None

    # -- what asyncio calls ----------------------------------------------------------------------

    def data_received(self, received: bytes) -> None:
        *lines, self._unread = (self._unread + received).split(b"\n")
        for line in lines:
            self._lines.append(line[4:].rstrip(b"\r"))
            self._length += len(line)
            if line[3:4] != b"-":
                text = b"\n".join(self._lines).decode("utf-8", "replace")
                self._replies.append(Reply(_code(line), text))
                self._lines, self._length = [], 0
        if self._length + len(self._unread) > LONGEST_REPLY:
            self._lose("a reply without end")
            self._transport.abort()
        self._wake()

    def eof_received(self) -> bool:
        self._lose("hung up")
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self._read_last_words()
        self._lose(say_cause(error) if error else "hung up")

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._wake()

    def _read_last_words(self) -> None:
        """
        Read a refusal that came before a reset, which a failed write would otherwise hide.

        Only where there is no encryption: the layer of TLS is gone by now.
        """
        plain = self._transport.get_extra_info("sslcontext") is None
        connected = self._transport.get_extra_info("socket")
        if not plain or connected is None:
            return
        try:
            with connected.dup() as same:
                while received := same.recv(BLOCK, socket.MSG_DONTWAIT):
                    self.data_received(received)
        except OSError:
            return  # nothing more was said

    def _lose(self, how: str) -> None:
        self._loss = self._loss or how
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _code(line: bytes) -> int:
    return int(line[:3]) if line[:3].isdigit() and len(line[:3]) == 3 else -1
