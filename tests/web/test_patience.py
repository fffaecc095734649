"""Slow clients: who begins a request and does not go on keeps nobody else out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from web.guarding import Guard
from web.patience import PatientProtocol, TooSlow, _within

PLACES, HURRIED = 4, 0.5


class Hurried(PatientProtocol):
    head_seconds = HURRIED


@pytest.fixture
def place():
    """A small server with few places and little patience."""
    app = Starlette(routes=[Route("/", lambda _request: PlainTextResponse("here"))])
    config = uvicorn.Config(
        app, http=Hurried, limit_concurrency=PLACES + 1, log_config=None, timeout_keep_alive=5
    )
    server, listening = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    yield listening.getsockname()
    server.should_exit = True
    thread.join()


def asked(place, request=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
    client = socket.create_connection(place, 30)
    client.sendall(request)
    return client


@pytest.mark.parametrize("beginning", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_who_says_nothing_or_half_of_it_is_shown_out(place, beginning):
    with contextlib.ExitStack() as clients:
        slow = [clients.enter_context(asked(place, beginning)) for _ in range(PLACES)]
        ends = [client.recv(64) for client in slow]
        served = clients.enter_context(asked(place)).recv(64)

    assert [b""] * PLACES == ends
    assert served.startswith(b"HTTP/1.1 200")


def test_who_stays_for_a_second_request_and_sends_half_of_it_is_shown_out_too(place):
    with asked(place) as client:
        first = client.recv(4096)
        client.sendall(b"GET / HT")
        began = time.monotonic()
        second = client.recv(64)

    assert (True, b"") == (first.startswith(b"HTTP/1.1 200"), second)
    assert time.monotonic() - began < 5, "that was the idle connection's end, not the slow one's"


SCOPE = {"type": "http", "method": "POST", "path": "/unsubscribe/x", "headers": []}


async def reads_all(_scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})
    await receive()


async def never(*_message):
    await asyncio.sleep(3600)


def guarded(receive, send):
    asyncio.run(Guard(reads_all, lambda _path: 100, seconds=0.05)(SCOPE, receive, send))


def test_a_body_that_does_not_come_ends_the_request():
    sent = []

    async def send(message):
        sent.append(message.get("status"))

    guarded(never, send)

    assert [408, None] == sent


def test_an_answer_that_nobody_takes_ends_the_request():
    begun = []

    async def send(message):
        begun.append(message["type"])
        await never()

    guarded(a_body, send)

    assert ["http.response.start"] == begun


async def a_body():
    return {"type": "http.request", "body": b"a=1", "more_body": False}


def test_who_only_stays_connected_after_the_answer_is_left_alone():
    came = []

    async def receive():
        came.append(1)
        if len(came) > 1:
            await asyncio.sleep(0.2)
            return {"type": "http.disconnect"}
        return await a_body()

    async def send(_message):
        return None

    guarded(receive, send)

    assert 2 == len(came)


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_what_is_awaited_in_time_is_answered(steps):
    async def act():
        for _ in range(steps):
            await asyncio.sleep(0.001)
        return "done"

    assert "done" == asyncio.run(_within(60, act))


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_failure_of_what_is_awaited_comes_through(steps):
    async def act():
        for _ in range(steps):
            await asyncio.sleep(0.001)
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        asyncio.run(_within(60, act))


def test_what_is_awaited_too_long_is_ended_and_tidies_up():
    ended = []

    async def act():
        try:
            await asyncio.sleep(0)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("tidy")

    with pytest.raises(TooSlow):
        asyncio.run(_within(0.05, act))
    assert ["tidy"] == ended


def test_who_is_told_to_end_while_waiting_ends():
    ended = []

    async def act():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("told")
            raise

    async def both():
        waiting = asyncio.create_task(_within(60, act))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(both())
    assert ["told"] == ended
