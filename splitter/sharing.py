"""Work shared out among several children, its results in the order of the work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Protocol, TypeVar


class Share(Protocol):
    def close(self) -> None: ...


S = TypeVar("S", bound=Share)
P = TypeVar("P")
R = TypeVar("R")


def shared_out(shares: Sequence[S], pieces: Iterable[P], work: Callable[[S, P], R]) -> Iterator[R]:
    """Yield what comes of each piece; a piece is worked off with whichever share is idle."""
    idle: SimpleQueue[S] = SimpleQueue()
    for share in shares:
        idle.put(share)

    def work_off(piece: P) -> R:
        share = idle.get()
        try:
            return work(share, piece)
        finally:
            idle.put(share)

    try:
        with ThreadPoolExecutor(len(shares)) as pool:
            yield from pool.map(work_off, pieces)
    finally:
        for share in shares:
            share.close()


def processors() -> int:
    return len(os.sched_getaffinity(0))
