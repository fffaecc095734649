"""The steps of what a page has begun: written down as they move, read by whoever watches."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from database.books import Database
from database.definitions.desk import desk_step
from database.tables import run_step
from domain.steps import Step

EVERY_PERCENT = 5  # so a step writes at most twenty rows between its begin and its end
LONGEST_SENTENCE = 500
_TRIES = 60  # of a second each; the close itself may hold SQLite's only right to write


class StepState(StrEnum):
    TO_DO = "to do"
    GOES_ON = "going on"
    STOPPED = "stopped here"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class StepProgress:
    """How a step of a close stands; `sentence` is what came of it."""

    step: str
    state: StepState = StepState.TO_DO
    percent: int = 0
    sentence: str = ""

    @property
    def says(self) -> str:
        """Write `going on, 40 %`, or `done: 400 bills of 400 pages`."""
        if self.state is StepState.GOES_ON and self.percent:
            return f"{self.state}, {self.percent} %"
        return f"{self.state}: {self.sentence}" if self.sentence else self.state.value


@dataclass(frozen=True, slots=True)
class SaidStep:
    """One row: the number by which a watcher goes on after it, and how the step stood."""

    number: int
    standing: StepProgress


@contextmanager
def written_down(database: Database, key: str) -> Iterator[StepWriter]:
    """Give a reporter that writes the steps of a piece of work into the books as they move."""
    writer = StepWriter(database, key)
    try:
        yield writer
    finally:
        writer.close()


class StepWriter:
    """
    Writes each step as it begins, moves on and ends, from a thread of its own.

    A step may say something while its own transaction is open: it must never wait for a second
    one, so what it says is handed over and written when the books can be written in.
    """

    def __init__(self, database: Database, key: str) -> None:
        self._database, self._key = database, key
        self._said: queue.Queue[StepProgress | None] = queue.Queue()
        self._shown = 0
        self._number = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def begin(self, step: str) -> None:
        self._shown = 0
        self._said.put(StepProgress(step, StepState.GOES_ON))

    def move(self, step: str, done: int, total: int) -> None:
        percent = 100 * done // total if total else 0
        if percent - self._shown >= EVERY_PERCENT:
            self._shown = percent
            self._said.put(StepProgress(step, StepState.GOES_ON, percent))

    def end(self, step: str, sentence: str) -> None:
        self._said.put(StepProgress(step, StepState.DONE, 100, sentence[:LONGEST_SENTENCE]))

    def close(self) -> None:
        """Wait until all that was said is written, or cannot be."""
        self._said.put(None)
        self._closing.set()
        self._thread.join(timeout=_TRIES)

    def _write(self) -> None:
        while (said := self._said.get()) is not None:
            for _ in range(_TRIES):
                try:
                    self._insert(said)
                    break
                except OperationalError:  # somebody else writes, or the server is away
                    self._closing.wait(1)

    def _insert(self, said: StepProgress) -> None:
        sentence = said.sentence if said.state is StepState.DONE else None
        with self._database.writing() as books:
            books.execute(
                desk_step.insert().values(
                    work=self._key,
                    number=self._number + 1,
                    step=said.step,
                    percent=said.percent,
                    sentence=sentence,
                )
            )
        self._number += 1


def said_since(books: Connection, key: str, number: int) -> list[SaidStep]:
    """Return what was said of a piece of work after a number, in order."""
    rows = desk_step.c
    query = (
        sa.select(rows.number, rows.step, rows.percent, rows.sentence)
        .where(rows.work == key, rows.number > number)
        .order_by(rows.number)
    )
    return [
        SaidStep(row.number, _standing(row.step, row.percent, row.sentence))
        for row in books.execute(query)
    ]


def _standing(step: str, percent: int, sentence: str | None) -> StepProgress:
    state = StepState.GOES_ON if sentence is None else StepState.DONE
    return StepProgress(step, state, percent, sentence or "")


def list_steps(
    database: Database, period: str, key: str, *, going_on: bool
) -> tuple[tuple[StepProgress, ...], int]:
    """
    Return every step of a close as the newest work has it, and the number of the last word.

    Where no page has begun it (`key` is empty) the steps are those that a command has finished. A
    step that goes on though nobody works any more is where it stopped.
    """
    with database.reading() as books:
        said = said_since(books, key, 0) if key else []
        finished = {} if said else _finished(books, period)
    found = finished | {one.standing.step: one.standing for one in said}
    steps = (
        found.get(step.value, StepProgress(step.value))
        for step in Step
        if step is not Step.READ or step.value in found  # `check` alone reads and does not split
    )
    settle: Callable[[StepProgress], StepProgress] = _as_is if going_on else _stopped
    return tuple(map(settle, steps)), said[-1].number if said else 0


def _finished(books: Connection, period: str) -> dict[str, StepProgress]:
    """Return the steps of a period that have ended, with what came of them."""
    query = sa.select(run_step.c.step, run_step.c.summary).where(
        run_step.c.period == period, run_step.c.finished_at.is_not(None)
    )
    return {
        row.step: _standing(row.step, 100, json.loads(row.summary or "{}").get("sentence", ""))
        for row in books.execute(query)
    }


def _as_is(standing: StepProgress) -> StepProgress:
    return standing


def _stopped(standing: StepProgress) -> StepProgress:
    if standing.state is not StepState.GOES_ON:
        return standing
    return StepProgress(standing.step, StepState.STOPPED)
