"""The process that opens a bulk file once and forks workers, which find it open."""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from splitter.workers.messages import to_line

CPU_SECONDS = 4 * 3600  # the backstop of a child whose parent died
_LONGEST_MESSAGE = 1 << 16


def main() -> None:
    """Answer requests on the given socket until it is closed."""
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        start = json.loads(requests.recv(_LONGEST_MESSAGE))
        _limit(start["memory_bytes"])
        process_ids: set[int] = set()
        try:
            _serve(start, requests, process_ids)
        finally:
            for process_id in process_ids:
                _end(process_id)


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _serve(start: dict[str, Any], requests: socket.socket, process_ids: set[int]) -> None:
    # imported here, when the limits hold
    from domain.failures import Refused
    from splitter.pdf.opening import open_source
    from splitter.tags.reading import is_tagged
    from splitter.text.patterns import compile_patterns
    from splitter.workers.messages import bulk_from_message
    from splitter.workers.page_worker import PageWorker

    path = Path(start["path"])
    try:
        source, pages = open_source(path)
    except Refused as refusal:
        requests.send(to_line({"refused": [refusal.code, refusal.message]}))
        return
    patterns = compile_patterns(bulk_from_message(start["bulk"]), ocr=start["ocr"])
    page_worker = PageWorker(path, source, pages, patterns)
    gc.collect()
    gc.freeze()  # what the workers share with this process shall stay shared
    requests.send(to_line({"pages": len(pages), "is_tagged": is_tagged(source)}))
    while message := requests.recv(_LONGEST_MESSAGE):
        request = json.loads(message)
        if request["do"] == "fork":
            try:
                if request["copies"]:
                    page_worker.prepare_copies()
            except Refused as refusal:
                requests.send(to_line({"refused": [refusal.code, refusal.message]}))
                continue
            _fork(requests, process_ids, page_worker)
        else:
            process_ids.discard(request["worker"])
            _end(request["worker"])
            requests.send(b"{}")


def _fork(requests: socket.socket, process_ids: set[int], page_worker: Any) -> None:
    ours, theirs = socket.socketpair()
    process_id = os.fork()
    if not process_id:
        try:
            requests.close()
            ours.close()
            page_worker.serve(theirs)
        finally:
            os._exit(0)
    process_ids.add(process_id)
    theirs.close()
    socket.send_fds(requests, [to_line({"worker": process_id})], [ours.fileno()])
    ours.close()


def _end(process_id: int) -> None:
    os.kill(process_id, signal.SIGKILL)
    os.waitpid(process_id, 0)


if __name__ == "__main__":
    main()
