"""The parent's end of a reading child: it is asked, waited for, and ended when it hangs."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from splitter.messages import bulk_to_message, send
from splitter.patterns import Patterns

PAGE_SECONDS = 60.0
START_SECONDS = 120.0  # a large file on a busy machine
MEMORY_BYTES = 2 * 1024**3


class ChildFailed(Exception):
    """The child hung, crashed or ran out of memory; the message says which."""


class Child:
    """One reading child and its open document (or none, to inspect copies)."""

    def __init__(
        self, path: Path | None, patterns: Patterns, *, page_seconds: float = PAGE_SECONDS
    ) -> None:
        self._page_seconds = page_seconds
        self._received = b""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "splitter.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)},
        )
        size = path.stat().st_size if path else 0
        self._send(
            {
                "path": str(path.resolve()) if path else None,
                "bulk": bulk_to_message(patterns.bulk),
                "memory_bytes": MEMORY_BYTES + 4 * size,
            }
        )
        self.pages: int = self._receive(START_SECONDS)["pages"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue
        self._process.wait()

    def read(self, first: int, last: int) -> Iterator[dict[str, Any]]:
        """Yield the facts of pages first to last - 1, one at a time."""
        self._send({"first": first, "last": last})
        for _ in range(first, last):
            yield self._receive(self._page_seconds)

    def inspect(self, copy: bytes, pages: int) -> dict[str, Any]:
        """Return what a copy says and holds; its time limit grows with its pages."""
        self._send({"size": len(copy)}, copy)
        return self._receive(self._page_seconds + pages)

    def _send(self, message: dict[str, Any], attached: bytes = b"") -> None:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            send(stdin, message)
            stdin.write(attached)
            stdin.flush()
        except BrokenPipeError:
            self.close()
            raise ChildFailed("the reading process ended") from None

    def _receive(self, seconds: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        until = time.monotonic() + seconds
        while b"\n" not in self._received:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
            block = os.read(descriptor, 1 << 16) if ready else b""
            if not block:
                self.close()
                raise ChildFailed("the reading process ended" if ready else "it took too long")
            self._received += block
        line, _, self._received = self._received.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message
