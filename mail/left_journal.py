"""A journal that a worker left behind, and what it tells."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from mail.journal import entry, open_locked, this_boot
from mail.port import Outcome, Result


@dataclass(frozen=True, slots=True)
class Record:
    """What a journal says of the batch that was under way."""

    owner: str = ""
    is_of_this_boot: bool = False
    announced: frozenset[str] = frozenset()
    begun: frozenset[str] = frozenset()
    outcomes: dict[str, tuple[Result, str]] = field(default_factory=dict)

    def outcome_of(self, key: str) -> Outcome | None:
        found = self.outcomes.get(entry(key))
        return None if found is None else Outcome(key, *found)

    def may_have_begun(self, key: str) -> bool:
        """Tell whether a message may have gone; after a power cut all that were announced may."""
        return entry(key) in (self.begun if self.is_of_this_boot else self.announced)


class LeftJournal:
    """A journal whose owner is gone, locked while it is worked in."""

    def __init__(self, path: Path) -> None:
        """Raise FileNotFoundError, or BlockingIOError where its owner lives."""
        self._path = path
        self._file = open_locked(path, os.O_RDWR)
        with os.fdopen(os.dup(self._file), "rb") as file:
            self.record = _read(file.read())

    def delete(self) -> None:
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        os.close(self._file)


def _read(content: bytes) -> Record:
    """Read the lines that are whole; one that a power cut or a full disk spoiled says nothing."""
    head, *lines = content.decode("utf-8", "replace").split("\n")[:-1] or [""]
    _, boot, owner = [*head.split(" ", 2), "", ""][:3]
    announced: set[str] = set()
    begun: set[str] = set()
    outcomes = {}
    for line in lines:
        event, _, rest = line.partition(" ")
        name, _, error = rest.partition(" ")
        if event == "announced":
            announced.update(rest.split())
        elif event == "begun":
            begun.add(name)
        else:
            try:
                outcomes[name] = (Result(event), str(json.loads(error)))
            except ValueError:
                continue
    same_boot = bool(boot) and boot == this_boot()
    return Record(owner, same_boot, frozenset(announced), frozenset(begun), outcomes)
