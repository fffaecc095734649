"""Closes in processes of their own that are stopped at a chosen moment."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

import command_line.working
from command_line.progress import StepLines
from tests.flows.desk import Answer, Desk
from tests.forked import forks, load_before_forks

Stop = Callable[[], None]
load_before_forks("tests.scenarios.warmed_up", closes=True)
before_a_release = partial(pytest.param, marks=pytest.mark.release)
LISTS = ("scheduled-payments", "autopay-unscheduled", "paper")


@dataclass(frozen=True)
class Moment:
    """
    When a process is stopped.

    `begin`, `end` and `half` of a step; `rename`: when the so manyth file of a folder of the home
    gets its name; `commit`: before the so manyth transaction is committed.
    """

    when: str
    where: str = ""
    number: int = 1

    def __str__(self) -> str:
        number = f" {self.number}" if self.when in ("rename", "commit") else ""
        return f"{self.when}{number} {self.where}".strip()


@dataclass
class Started:
    """A close under way: it answers, or dies."""

    process: BaseProcess
    answers: Connection
    gate: Connection

    def wait(self) -> int:
        """Wait for its end; a negative number is the signal that killed it."""
        self.process.join()
        assert self.process.exitcode is not None
        return self.process.exitcode

    def answer(self) -> Answer:
        answer: Answer = self.answers.recv()
        self.process.join()
        return answer

    def go_on(self) -> None:
        self.gate.send("go on")


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt() -> None:
    """Do what Ctrl-C does: tell everybody in the terminal's group."""
    os.killpg(0, signal.SIGINT)


def start(desk: Desk, arguments: list[Any], moment: Moment, stop: Stop | None = None) -> Started:
    """Start a close that is stopped at a moment; without `stop` it waits to be told to go on."""
    context = forks(closes=True)
    ours, theirs = context.Pipe(duplex=False)
    gate, key = context.Pipe(duplex=False)
    process = context.Process(target=_close, args=(desk, arguments, moment, stop, theirs, gate))
    process.start()
    theirs.close()
    return Started(process, ours, key)


def result(desk: Desk) -> dict[str, Any]:
    """What a close leaves behind: whatever a second one might do twice, or not at all."""
    files = {
        str(path.relative_to(desk.home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("bills", "print")
        for path in (desk.home / folder).rglob("*")
        if path.is_file()
    }
    return {
        "files": files,
        "mails": sorted(path.name for path in (desk.home / "mail").glob("*.eml")),
        "deliveries": desk.query(
            "SELECT key, address, status, message_id FROM delivery ORDER BY 1"
        ),
        "balances": desk.query("SELECT * FROM balance_due ORDER BY account_key"),
        "pages": desk.query("SELECT * FROM page ORDER BY period, bulk, page"),
        "closes": desk.query("SELECT detail FROM audit WHERE action = 'close'"),
        "reports": [path.name for path in (desk.home / "reports").glob("[!.]*")],
        "bills": desk.rows("bills"),
        **{what: desk.rows(what) for what in LISTS},
    }


def _close(
    desk: Desk,
    arguments: list[Any],
    moment: Moment,
    stop: Stop | None,
    answers: Connection,
    gate: Connection,
) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    _Interrupted.at(moment, stop or partial(gate.recv))
    answers.send(desk.close(*arguments))


class _Interrupted(StepLines):
    """The usual lines of a close, and a stop."""

    moment = Moment("never")
    stop: Stop = staticmethod(kill)

    @classmethod
    def at(cls, moment: Moment, stop: Stop) -> None:
        cls.moment, cls.stop = moment, staticmethod(stop)
        command_line.working.StepLines = cls  # type: ignore[misc]
        if moment.when == "rename":
            sys.addaudithook(_Countdown(moment.number, stop, moment.where).on_audit)
        if moment.when == "commit":
            event.listen(Engine, "commit", _Countdown(moment.number, stop).on_commit)

    def begin(self, step: str) -> None:
        super().begin(step)
        self._reach("begin", step)

    def move(self, step: str, done: int, total: int) -> None:
        super().move(step, done, total)
        if total / 2 <= done < total:
            self._reach("half", step)

    def end(self, step: str, sentence: str) -> None:
        super().end(step, sentence)
        self._reach("end", step)

    def _reach(self, when: str, step: str) -> None:
        if (when, step) == (self.moment.when, self.moment.where):
            type(self).stop()


@dataclass
class _Countdown:
    left: int
    stop: Stop
    folder: str = ""

    def on_commit(self, _connection: Any) -> None:
        self._count()

    def on_audit(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "os.rename" and f"/{self.folder}/" in str(arguments[1]):
            self._count()

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.stop()
