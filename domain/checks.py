"""A check: an expectation about the data of a close."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from domain.money import Money


class Severity(StrEnum):
    BLOCKING = "blocking"  # the close does not go on
    WARNING = "warning"  # a person is told
    FOLDED = "folded"  # good to know: shown before the yes, and no exception


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


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """One finding as a person reads it before the yes; `account` is '' for a total."""

    account: str
    name: str  # the customer's, for the clerk's eyes: never for logs or Prefect's artifacts
    detail: str
    stake: Money | None = None  # the money at stake, where the check can tell it
    service: str = ""
    months: tuple[float, ...] = ()  # use of the months before and of this one, oldest first
    line: int = 0  # its place among the check's findings


@dataclass(frozen=True, slots=True)
class CheckFindings:
    """What a check found, with its first findings and what to do about it."""

    check: str
    severity: Severity
    status: CheckStatus
    failed: int
    known: int  # muted by the office, and not counted in `failed`
    says: str
    remedy: str
    first: tuple[FoundAccount, ...]

    @property
    def more(self) -> int:
        """How many findings are not among the first."""
        return max(self.failed - len(self.first), 0)


@dataclass(frozen=True, slots=True)
class FoundByChecks:
    """What the checks found: what a person does before the yes, apart from what is good to know."""

    must_do: tuple[CheckFindings, ...] = ()
    good_to_know: tuple[CheckFindings, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.must_do or self.good_to_know)

    def without_names(self) -> FoundByChecks:
        """Leave out the customers' names: account numbers are enough for who keeps it."""
        return FoundByChecks(
            tuple(_without_names(found) for found in self.must_do),
            tuple(_without_names(found) for found in self.good_to_know),
        )


def _without_names(found: CheckFindings) -> CheckFindings:
    return replace(found, first=tuple(replace(one, name="") for one in found.first))


NOTHING_FOUND = FoundByChecks()
NEVER_WAIVED = frozenset({"unreadable-row", "account-duplicate", "sensitive-data"})
