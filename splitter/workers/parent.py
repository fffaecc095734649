"""The parent's end of the child processes: they are asked, waited for, and ended when they hang."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any, Protocol, Self, TypeVar

from domain.failures import Refused
from splitter.reading.tesseract import MOST_PICTURES, READING_SECONDS
from splitter.text.patterns import Patterns
from splitter.workers.messages import bulk_to_message, to_line


class Closing(ABC):
    """Whatever holds processes or files until it is closed."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None: ...


PAGE_SECONDS = 60.0
OCR_SECONDS = READING_SECONDS * MOST_PICTURES
START_SECONDS = 300.0  # a file of 100,000 pages on a busy machine
MEMORY_BYTES = 1024**3  # and four times the file; what inflates to more is no bill
_LONGEST_ANSWER = 1 << 16
TOO_LONG = "it took too long"
BROKE_DOWN = "the process that reads it broke down, as for a page that unpacks to very much"


class ChildFailed(Exception):
    """The child hung, crashed or ran out of memory; the message says which."""

    @property
    def took_too_long(self) -> bool:
        return str(self) == TOO_LONG


class WorkerPool(Closing):
    """
    A process that has opened a bulk file, and the workers that it forks on demand.

    Opening is done once, whatever the number of workers, and never in this process: it may have
    threads, which a fork does not survive, and a hostile file shall end nothing but a child.
    Raises Refused (pdf-unreadable) for a file that is not sound.
    """

    def __init__(
        self, path: Path, patterns: Patterns, *, page_seconds: float = PAGE_SECONDS
    ) -> None:
        self._path = path
        self.patterns = patterns
        self._page_seconds = page_seconds + (OCR_SECONDS if patterns.ocr else 0)
        self._turn = Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = _started(theirs)
        self.pages, self.is_tagged = self._opened(patterns)

    def close(self) -> None:
        """End the process; it ends its workers first."""
        self._socket.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def name(self) -> str:
        return self._path.name

    def start_worker(self, *, copies: bool = False) -> WorkerProcess:
        """Return a new worker, one that also copies if asked; raises ChildFailed without one."""
        with self._turn:
            answer, descriptors = self._ask({"do": "fork", "copies": copies})
        if "refused" in answer:
            raise Refused(*answer["refused"])
        if len(descriptors) != 1:
            raise ChildFailed("no process could be started")
        return WorkerProcess(self, int(answer["worker"]), descriptors[0], self._page_seconds)

    def dismiss(self, number: int) -> None:
        """End a worker, whatever it is doing."""
        with self._turn, contextlib.suppress(ChildFailed):
            self._ask({"do": "dismiss", "worker": number})

    def _opened(self, patterns: Patterns) -> tuple[int, bool]:
        size = self._path.stat().st_size if self._path.is_file() else 0
        start = {
            "path": str(self._path.absolute()),
            "bulk": bulk_to_message(patterns.bulk),
            "ocr": patterns.ocr,
            "memory_bytes": MEMORY_BYTES + 4 * size,
        }
        try:
            answer, _ = self._ask(start)
        except ChildFailed as failure:
            self.close()
            why = f"{self._path.name} cannot be opened ({failure}); please export it again."
            raise Refused("pdf-unreadable", why) from None
        if "refused" in answer:
            self.close()
            raise Refused(*answer["refused"])
        return int(answer["pages"]), bool(answer["is_tagged"])

    def _ask(self, message: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        try:
            self._socket.send(to_line(message))
            if not does_answer(self._socket, START_SECONDS):
                raise ChildFailed(TOO_LONG)
            line, descriptors, _, _ = socket.recv_fds(self._socket, _LONGEST_ANSWER, 1)
        except OSError:
            line, descriptors = b"", []
        if not line:
            raise ChildFailed("the process that reads it broke down")
        answer: dict[str, Any] = json.loads(line)
        return answer, descriptors


class WorkerProcess:
    """One child that reads pages and files bills; see splitter.worker for what it understands."""

    def __init__(self, pool: WorkerPool, number: int, descriptor: int, page_seconds: float) -> None:
        self._pool = pool
        self._number = number
        self._socket = socket.socket(fileno=descriptor)
        self._page_seconds = page_seconds
        self._received = b""

    def close(self) -> None:
        self._socket.close()
        self._pool.dismiss(self._number)

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message that has no answer."""
        try:
            self._socket.sendall(to_line(message))
        except OSError:
            raise ChildFailed(BROKE_DOWN) from None

    def ask(self, message: dict[str, Any], pieces: int, extra_seconds: float = 0) -> Iterator[Any]:
        """Send a request for so many pieces; yield what comes of each, in order."""
        self.tell(message)
        while pieces:
            answers = self._receive(self._page_seconds + extra_seconds)
            pieces -= len(answers)
            yield from answers

    def _receive(self, seconds: float) -> list[Any]:
        until = time.monotonic() + seconds
        blocks = [self._received]
        while b"\n" not in blocks[-1]:
            ready = does_answer(self._socket, max(0, until - time.monotonic()))
            block = self._socket.recv(1 << 18) if ready else b""
            if not block:
                raise ChildFailed(BROKE_DOWN if ready else TOO_LONG)
            blocks.append(block)
        line, _, self._received = b"".join(blocks).partition(b"\n")
        answer: Any = json.loads(line)
        if isinstance(answer, dict):
            raise Refused(*answer["refused"]) if "refused" in answer else OSError(*answer["system"])
        assert isinstance(answer, list)
        return answer


def does_answer(connection: socket.socket, seconds: float) -> bool:
    """Wait for an answer; poll() takes any descriptor, select() none beyond 1,023."""
    waiting = select.poll()
    waiting.register(connection, select.POLLIN)
    return bool(waiting.poll(seconds * 1000))


def _started(theirs: socket.socket) -> subprocess.Popen[bytes]:
    return start_program("splitter.workers.fork_server", theirs)


def start_program(module: str, theirs: socket.socket) -> subprocess.Popen[bytes]:
    """
    Start one of our modules as a process that is told everything over its end of a socket.

    By its program, not by a fork: this process has threads. It has our environment and our
    modules, and no other file of ours. Raises OSError where there is no room for another process.
    """
    paths = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        env=os.environ | {"PYTHONPATH": paths},
    )


class Closeable(Protocol):
    def close(self) -> None: ...


S = TypeVar("S", bound=Closeable)
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
