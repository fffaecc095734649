"""What the processes of a close hold while it runs: which step needs the most."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from domain.steps import Step

EVERY = 0.1  # seconds; what is held for less may be missed, and stands in the largest of all
PAGE = os.sysconf("SC_PAGESIZE")


@dataclass(frozen=True, slots=True)
class Held:
    """What the close's own process and the largest of its others held at a moment, in MB."""

    moment: float
    own: float
    other: float


class Watcher:
    """Looks at a process and all that it has started, until it is told to stop."""

    def __init__(self, leader: int) -> None:
        self.held: list[Held] = []
        self._leader = leader
        self._ended = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(EVERY):
            others = max(map(_megabytes, _below(self._leader)), default=0.0)
            self.held.append(Held(time.monotonic(), _megabytes(self._leader), others))


def by_step(held: Sequence[Held], lines: Iterable[tuple[float, bytes]]) -> dict[str, Held]:
    """Return the most that was held in each step; `lines` tell that steps have ended, and when."""
    found: dict[str, Held] = {}
    since = 0.0
    for moment, line in lines:
        told = line.decode(errors="replace").strip().removeprefix("✓ ")
        step = next((step for step in Step if told.startswith(step.value)), None)
        if step is None:
            continue
        during = [one for one in held if since <= one.moment <= moment]
        own = max((one.own for one in during), default=0.0)
        found[step.value] = Held(moment, own, max((one.other for one in during), default=0.0))
        since = moment
    return found


def _below(leader: int) -> Iterator[int]:
    """Yield the processes that a process has started, and theirs."""
    for file in Path(f"/proc/{leader}/task").glob("*/children"):
        with suppress(OSError):  # who has just ended holds nothing
            for child in map(int, file.read_text().split()):
                yield child
                yield from _below(child)


def _megabytes(process: int) -> float:
    with suppress(OSError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE / 2**20
    return 0.0
