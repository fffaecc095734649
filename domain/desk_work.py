"""What the office's pages set going: a close, a schedule, a mass mail; how it stands."""

from __future__ import annotations

from enum import StrEnum


class WorkKind(StrEnum):
    REHEARSAL = "rehearsal"
    CLOSE = "close"
    SCHEDULE_REHEARSAL = "schedule-rehearsal"
    SCHEDULE = "schedule"
    MASS_MAIL = "mass-mail"


CLOSES = (WorkKind.REHEARSAL, WorkKind.CLOSE)
SCHEDULES = (WorkKind.SCHEDULE_REHEARSAL, WorkKind.SCHEDULE)


class WorkState(StrEnum):
    """How a piece of work stands; one whose process is gone has stopped."""

    BEGUN = "begun"
    DONE = "done"
    WAITING = "waiting"  # everything is ready, and a person has not said yes
    REFUSED = "refused"  # by a guard or a check; nothing was changed
    FAILED = "failed"  # what was done stands; beginning again goes on
