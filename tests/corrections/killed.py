"""Commands in processes of their own that are killed at a chosen moment."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.flows.desk import Desk
from tests.forked import forks, load_before_forks

load_before_forks("tests.scenarios.warmed_up", closes=True)


def kill_at(desk: Desk, when: str, number: int, *arguments: Any) -> int:
    """
    Run a command that is killed before its so manyth commit, or rename of a file in the home.

    Returns the exit code; below zero it is the signal that killed it.
    """
    process = forks(closes=True).Process(target=_run, args=(desk, when, number, arguments))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _run(desk: Desk, when: str, number: int, arguments: tuple[Any, ...]) -> None:
    countdown = _Countdown(number, str(desk.home))
    if when == "commit":
        event.listen(Engine, "commit", lambda _books: countdown.count())
    else:
        sys.addaudithook(countdown.on_audit)
    sys.exit(desk(*arguments).status)


@dataclass
class _Countdown:
    left: int
    home: str

    def on_audit(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "os.rename" and str(arguments[1]).startswith(self.home):
            self.count()

    def count(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
