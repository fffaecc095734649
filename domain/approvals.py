"""A person's yes or no to a close, and what it was about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.checklist import ChecklistLine

IN_PREFECT = " (Prefect UI)"  # who answered there gave a name; the server knows no users
LONGEST_NAME = 60


class Decision(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Decided:
    """
    What one person decided about one request.

    `origin` is the machine's user where nothing proves who it was ("uid 1000"); else "". Of a yes
    `checklist` is what stood beside the close when it was said.
    """

    decision: Decision
    who: str
    at: datetime
    reason: str = ""
    waived: tuple[str, ...] = ()
    origin: str = ""
    checklist: tuple[ChecklistLine, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """
    What was asked of people: the run, the figures shown, and the digest of what binds them.

    `flow_run` is the Prefect run that waits for the answer, if one does.
    """

    period: str
    number: int
    digest: str
    figures: str
    asked_at: datetime
    asked_by: str
    flow_run: str | None
    decisions: tuple[Decided, ...] = ()
