"""States as a table of moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True)
class Transitions(Generic[S]):
    """Where a thing starts and which event moves it from which state to which."""

    name: str
    start: S
    moves: Mapping[tuple[S, str], S]

    def after(self, state: S, event: str) -> S:
        """Return the state after an event; a move that is not in the table is our mistake."""
        try:
            return self.moves[state, event]
        except KeyError:
            raise ValueError(f"a {self.name} that is {state} cannot be {event}") from None
