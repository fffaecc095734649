"""The office's checklist beside a close: what must be so before a person says yes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChecklistItem(StrEnum):
    """What every office looks after before it closes; `own` are sentences of its settings."""

    PAYMENTS_IN = "payments-in"
    FEED_CURRENT = "feed-current"
    BACKUP_MADE = "backup-made"
    NOBODY_AT_WORK = "nobody-at-work"
    OWN = "own"


class ChecklistMark(StrEnum):
    DONE = "done"  # looked up in the books
    OPEN = "open"  # looked up, and it is not so
    ASKED = "asked"  # only a person can know: a yes says that it is so


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    """One line: how it stands, in a sentence, and what to do where it is open."""

    item: ChecklistItem
    mark: ChecklistMark
    says: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        return {
            "item": self.item.value,
            "status": self.mark.value,
            "says": self.says,
            "remedy": self.remedy,
        }


def to_line(written: dict[str, str]) -> ChecklistLine:
    """Read a line as `to_json` wrote it."""
    mark = ChecklistMark(written["status"])
    return ChecklistLine(ChecklistItem(written["item"]), mark, written["says"], written["remedy"])
