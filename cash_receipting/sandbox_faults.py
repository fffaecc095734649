"""The faults of the sandbox service, and how often each is still to strike."""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Faults:
    """
    What goes wrong; numbers say how many more times.

    `error_before` and `error_after` are answers of 500 before and after the booking,
    `lose_answers` books and hangs up, `silent` hangs up at once, `down` says 503 and when to come
    back. `conflicts` answers 409 to a key that is known.
    """

    down: bool = False
    silent: bool = False
    slow_seconds: float = 0.0
    error_before: int = 0
    error_after: int = 0
    lose_answers: int = 0
    rejects: tuple[str, ...] = ()
    forgets_keys: bool = False
    conflicts: bool = False

    @classmethod
    def parse(cls, written: Any) -> Faults:
        """Read faults from JSON; raises TypeError or ValueError with what is wrong."""
        if not isinstance(written, dict):
            raise TypeError("faults are an object")
        values = dict(written)
        for name, value in values.items():
            known = cls.__dataclass_fields__.get(name)
            if known is None:
                raise ValueError(f"there is no fault {name}")
            if isinstance(known.default, tuple):
                values[name] = tuple(str(one) for one in value)
            elif isinstance(known.default, float):
                values[name] = float(value)
            elif type(value) is not type(known.default):
                raise TypeError(f"{name} is no {type(known.default).__name__}")
        return cls(**values)


class FaultPlan:
    """The faults as they stand, used by the threads of the service, and its requests counted."""

    def __init__(self, faults: Faults) -> None:
        self._turn = threading.Lock()
        self.faults = faults
        self.requests = 0

    def take(self, name: str) -> bool:
        """Let a numbered fault strike once, if it still does."""
        with self._turn:
            left = getattr(self.faults, name)
            if left > 0:
                self.faults = dataclasses.replace(self.faults, **{name: left - 1})
            return bool(left > 0)

    def count(self) -> None:
        with self._turn:
            self.requests += 1

    def replace(self, faults: Faults) -> None:
        with self._turn:
            self.faults = faults

    def to_json(self) -> dict[str, Any]:
        with self._turn:
            return dataclasses.asdict(self.faults) | {"requests": self.requests}
