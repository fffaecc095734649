"""The event loop in which the tests of one thread ask their desks, one request after the other."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from threading import local
from typing import Any, TypeVar

Answer = TypeVar("Answer")
_kept = local()


def run(ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
    """
    Run it as `asyncio.run` does, in a loop that is kept: to make one takes a third of a request.

    A request that leaves something going on has its loop ended, and that with it.
    """
    if not hasattr(_kept, "runner"):
        _kept.runner = asyncio.Runner()
    runner: asyncio.Runner = _kept.runner
    try:
        return runner.run(ask(), context=contextvars.copy_context())
    finally:
        if asyncio.all_tasks(runner.get_loop()):
            del _kept.runner
            runner.close()
