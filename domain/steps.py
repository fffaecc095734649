"""The steps of a close, by the names that a clerk sees, in the office's order."""

from __future__ import annotations

from enum import StrEnum


class Step(StrEnum):
    IMPORT = "import billing export"
    GUARD = "guard calendar"
    SPLIT = "split bulk bills"
    READ = "read bulk bills"
    CHECK = "check bills and balances"
    APPROVE = "await approval"
    PUBLISH = "publish bills"
    SCHEDULE = "schedule autopay"
    SEND = "send paperless bills"
    PRINT = "write print batch"
    REPORT = "report run"

    @property
    def position(self) -> int:
        return list(type(self)).index(self)
