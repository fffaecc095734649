"""Access tokens for a login (OAuth 2), from a program of the office's choice."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from domain.failures import PermanentFailure, TemporaryFailure

_TOKEN = re.compile(rb"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750, 2.1
LONGEST = 8_192  # octets of a token: a command that logs in has room for 12 288 (RFC 4954, 4)


class Token(NamedTuple):
    text: str
    is_new: bool  # straight from the program: if it is refused, asking again will not help


class Tokens:
    """
    Asks the program for a token, and keeps it until it is refused or `seconds` have passed.

    The program runs without a shell. What it prints is the token; neither that nor what it says
    in failing is ever repeated.
    """

    def __init__(self, command: Sequence[str], *, seconds: float, timeout: float = 30) -> None:
        self._command = tuple(command)
        self._seconds = seconds
        self._timeout = timeout
        self._text = ""
        self._expires = 0.0  # by the loop's clock
        self._lock: asyncio.Lock | None = None

    async def get(self) -> Token:
        """Return a token; raises TemporaryFailure, or PermanentFailure where a person must look."""
        self._lock = self._lock or asyncio.Lock()
        async with self._lock:  # or each connection would ask for one of its own
            now = asyncio.get_running_loop().time()
            if self._text and now < self._expires:
                return Token(self._text, is_new=False)
            self._text = await self._ask()
            self._expires = now + self._seconds
            return Token(self._text, is_new=True)

    def forget(self, token: Token) -> None:
        """Drop a token that was refused, unless another has taken its place."""
        if self._text == token.text:
            self._text = ""

    def start_anew(self) -> None:
        """Belong to another event loop from now on."""
        self._lock, self._text = None, ""

    async def _ask(self) -> str:
        status, output = await self._run()
        if status != 0:
            raise TemporaryFailure(f"smtp.token_command failed with exit status {status}")
        if len(output) > LONGEST or not _TOKEN.fullmatch(output.strip()):
            raise PermanentFailure("smtp.token_command printed something that is not one token")
        return output.strip().decode("ascii")

    async def _run(self) -> tuple[int, bytes]:
        """Run the program in its own session, so that what it started ends with it."""
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb", buffering=0) as end:
            try:
                program = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=writing,
                    stderr=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as failure:
                text = f"smtp.token_command cannot be run: {failure.strerror}"
                raise PermanentFailure(text) from None
            finally:
                os.close(writing)
            try:
                async with asyncio.timeout(self._timeout):
                    output = await _read(end)
                    return (0 if len(output) > LONGEST else await program.wait()), output
            except TimeoutError:
                text = f"smtp.token_command has not ended within {self._timeout:g} seconds"
                raise TemporaryFailure(text) from None
            finally:
                await _end(program)


async def _read(end: io.FileIO) -> bytes:
    """Read all that is printed, or more than a token can be."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, end)
    try:
        output = b""
        while len(output) <= LONGEST and (more := await reader.read(LONGEST)):
            output += more
        return output
    finally:
        transport.close()


async def _end(program: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    await program.wait()
