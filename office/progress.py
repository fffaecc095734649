"""What whoever waits for a long step gets to see."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Shows the steps of a run as they begin, move on and end."""

    def begin(self, step: str) -> None: ...

    def move(self, step: str, done: int, total: int) -> None: ...

    def end(self, step: str, sentence: str) -> None: ...


class Silent:
    """Shows nothing."""

    def begin(self, step: str) -> None:
        return

    def move(self, step: str, done: int, total: int) -> None:
        return

    def end(self, step: str, sentence: str) -> None:
        return
