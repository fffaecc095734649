"""A client that asks for one page again and again: one after the other, or so many a second."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Pages:
    """What so many pages took: CPU of the server, and how long each was waited for."""

    pages: int
    cpu_ms: float  # a page
    middle_ms: float
    p99_ms: float
    size: int  # bytes of a page
    failed: int = 0  # not answered with the page: the server had too much to do


class NotThePage(Exception):
    """Another answer than the page that was asked for."""


def one_by_one(port: int, server: int, cookies: Sequence[str], pages: int) -> Pages:
    """Ask over one connection, each page after the one before."""
    return asyncio.run(_one_by_one(port, server, cookies, pages))


def so_many_a_second(
    port: int, server: int, cookies: Sequence[str], pages: int, rate: float
) -> Pages:
    """Ask at set moments, whether the answers before are there or not: waiting counts."""
    return asyncio.run(_open(port, server, cookies, pages, rate))


async def _one_by_one(port: int, server: int, cookies: Sequence[str], pages: int) -> Pages:
    connection = await asyncio.open_connection("127.0.0.1", port)
    waits, size = [], 0
    begun = cpu_of(server)
    for at in range(pages):
        asked = time.perf_counter()
        size = await _ask(connection, cookies[at % len(cookies)])
        waits.append(time.perf_counter() - asked)
    connection[1].close()
    return _figures(pages, cpu_of(server) - begun, waits, size)


async def _open(port: int, server: int, cookies: Sequence[str], pages: int, rate: float) -> Pages:
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
    for one in opened:
        await _ask(one, cookies[0])  # idle ones would be shut after some seconds
        free.put_nowait(one)
    waits: list[float] = []
    sizes: list[int] = []
    begun, start = cpu_of(server), time.perf_counter()

    async def ask(at: int) -> None:
        due = start + at / rate
        connection = await free.get()
        with suppress(NotThePage):  # counted by what is missing in the end
            sizes.append(await _ask(connection, cookies[at % len(cookies)]))
        waits.append(time.perf_counter() - due)
        free.put_nowait(connection)

    asked = []
    for at in range(pages):
        await asyncio.sleep(max(0.0, start + at / rate - time.perf_counter()))
        asked.append(asyncio.create_task(ask(at)))
    await asyncio.gather(*asked)
    used = cpu_of(server) - begun
    for _, writer in opened:
        writer.close()
    return replace(_figures(pages, used, waits, max(sizes, default=0)), failed=pages - len(sizes))


async def _ask(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], cookie: str) -> int:
    reader, writer = connection
    head = f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: portal={cookie}\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    fields = answer.lower()
    size = int(fields.split(b"content-length:")[1].split(b"\r\n")[0])
    body = await reader.readexactly(size)
    if b" 200 " not in answer[:16] or b"Canyon St" not in body:
        raise NotThePage(f"not the home page: {answer[:200]!r}")
    return size


def _figures(pages: int, used: float, waits: list[float], size: int) -> Pages:
    order = sorted(1000 * wait for wait in waits)
    return Pages(
        pages, 1000 * used / pages, order[len(order) // 2], order[int(len(order) * 0.99)], size
    )


def cpu_of(process: int) -> float:
    """Return the seconds of CPU of a process and of those that it began."""
    used = _own(process)
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    for one in children:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            used += _own(int(one))
    return used


def _own(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
