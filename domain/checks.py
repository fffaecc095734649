"""A check: an expectation about the data of a close."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    BLOCKING = "blocking"  # the close does not go on
    WARNING = "warning"  # a person is told


class CheckStatus(StrEnum):
    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What became of one check: how many rows failed it, and whose they are."""

    check: str
    severity: Severity
    status: CheckStatus
    failed: int
    accounts: tuple[str, ...]


NEVER_WAIVED = frozenset({"unreadable-row", "account-duplicate", "sensitive-data"})
