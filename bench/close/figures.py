"""What is measured of whole closes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepTime:
    """
    One step; `least` is the bare work in the same run, None where there is nothing like it.

    `own_megabytes` is the most that the close's own process held, and `other_megabytes` the
    largest of those that it had started.
    """

    name: str
    seconds: float
    least: float | None
    own_megabytes: float
    other_megabytes: float


@dataclass(frozen=True, slots=True)
class Closed:
    """One close of one city; `before` are the seconds until its first step began."""

    accounts: int
    engine: str
    bills: int
    mails: int
    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float
    before: float
    steps: list[StepTime]

    def seconds_of(self, name: str) -> float:
        return next((step.seconds for step in self.steps if step.name == name), 0.0)

    @property
    def in_steps(self) -> float:
        return sum(step.seconds for step in self.steps)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of one thing, in the ways in which it was done."""

    name: str
    seconds: list[float]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything of one bench."""

    closes: list[Closed]
    starts: list[Times]  # CPU seconds, three times each
    history: list[Times]  # without and with a year
    processes: list[Times]  # by one process and by two
