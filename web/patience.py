"""Patience with connections: whoever begins a request and does not go on is shown out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, ClassVar

from starlette.types import Message, Receive, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0
PIECE_SECONDS = 60.0  # for a piece of a body to come, and for a piece of an answer to be taken


class TooSlow(Exception):
    """A client that keeps a place for too long and sends or takes nothing."""


class PatientProtocol(HttpToolsProtocol):
    """
    HTTP/1.1 whose request lines and headers have to come within `head_seconds`.

    uvicorn waits for ever for a first request, so that a thousand connections of which nothing
    comes would shut everybody else out.
    """

    head_seconds: ClassVar[float] = HEAD_SECONDS
    _waits: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin_to_wait()

    def data_received(self, data: bytes) -> None:
        self._begin_to_wait()
        super().data_received(data)
        if not self._is_idle():
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_idle(self) -> bool:
        """Tell whether no request is under way whose headers have all come."""
        return self.cycle is None or self.cycle.response_complete

    def _begin_to_wait(self) -> None:
        if self._waits is None and self._is_idle():
            self._waits = self.loop.call_later(self.head_seconds, self._show_out)

    def _stop_waiting(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None

    def _show_out(self) -> None:
        self._waits = None
        if not self.transport.is_closing():
            self.transport.close()


def patient_receive(receive: Receive, seconds: float) -> Receive:
    """Return the same, raising TooSlow where the next piece of a body does not come in time."""
    is_complete = False

    async def received() -> Message:
        nonlocal is_complete
        if is_complete:  # what is waited for then is the end of the connection
            return await receive()
        message: Message = await _within(seconds, receive)
        is_complete = not message.get("more_body", False)
        return message

    return received


def patient_send(send: Send, seconds: float) -> Send:
    """Return the same, raising TooSlow where a client does not take what it asked for."""

    async def sent(message: Message) -> None:
        await _within(seconds, lambda: send(message))

    return sent


async def _within(seconds: float, act: Callable[[], Any]) -> Any:
    """Wait for an act so long; one that need not wait is done without setting an alarm."""
    steps = act().__await__()
    try:
        waits_for = next(steps)
    except StopIteration as done:
        return done.value
    try:
        async with asyncio.timeout(seconds):
            return await _Begun(steps, waits_for)
    except TimeoutError:
        raise TooSlow from None


class _Begun:
    """What was begun to be awaited: its steps, and what the first of them waits for."""

    def __init__(self, steps: Generator[Any, Any, Any], waits_for: Any) -> None:
        self._steps = steps
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        """Hand on what the steps wait for, and to them what comes, a failure too."""
        steps, waits_for = self._steps, self._waits_for
        while True:
            step: Callable[[], Any]
            try:
                came = yield waits_for
                step = partial(steps.send, came)
            except GeneratorExit:
                steps.close()
                raise
            except BaseException as failure:  # the task is ended, or its time is over
                step = partial(steps.throw, failure)
            try:
                waits_for = step()
            except StopIteration as done:
                return done.value
