"""On what terms an office reminds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rules.reminders import ReminderPlan
from rules.shields import Shield

BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Reminding:
    """
    The office's plan at a moment; `records` is false where it only wants to know.

    Without a `shield` our own failures keep no past-due mail from anybody.
    """

    plan: ReminderPlan
    now: datetime
    who: str
    message_domain: str
    records: bool = True
    batch: int = BATCH  # mails recorded in one transaction
    shield: Shield | None = None
