"""A child process that reads pages: what hangs or crashes in here ends nothing but itself."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import IO, Any

CPU_SECONDS = 4 * 3600  # the backstop of a child whose parent died


def main() -> None:
    """Answer requests on standard input until it ends."""
    requests, answers = _own_streams()
    start = json.loads(requests.readline())
    _limit(start["memory_bytes"])
    _serve(start, requests, answers)


def _own_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Keep standard output for answers alone: libraries like to print."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sys.stdin.buffer, answers


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _serve(start: dict[str, Any], requests: IO[bytes], answers: IO[bytes]) -> None:
    # imported here, when the limits hold
    from splitter.inspecting import inspect_copy
    from splitter.messages import bulk_from_message, facts_to_message, send
    from splitter.page_reading import DocumentText
    from splitter.patterns import compile_patterns

    patterns = compile_patterns(bulk_from_message(start["bulk"]))
    document = DocumentText(Path(start["path"]), patterns) if start["path"] else None
    send(answers, {"pages": document.pages if document else 0})
    for line in requests:
        request = json.loads(line)
        if "size" in request:
            send(answers, inspect_copy(requests.read(request["size"]), patterns))
            continue
        assert document is not None
        for page in range(request["first"], request["last"]):
            send(answers, facts_to_message(document.facts(page)[0]))


if __name__ == "__main__":
    main()
