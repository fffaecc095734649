"""The groups of a schedule that a clerk may choose between (rules 59, 73)."""

from __future__ import annotations

from enum import StrEnum


class ScheduleGroup(StrEnum):
    """Where a payment stands that is about to be scheduled; each is in one group."""

    ON_TIME = "on-time"  # on its own day
    IMMEDIATE = "immediate"  # its day has come or is past: charged today
    SHORT_NOTICE = "short-notice"  # a bank draft of a changed amount, told too late


GROUP_MEANINGS = {
    ScheduleGroup.ON_TIME: "drawn on their day",
    ScheduleGroup.IMMEDIATE: "charged today",
    ScheduleGroup.SHORT_NOTICE: "bank drafts of a changed amount with too few days' notice",
}
