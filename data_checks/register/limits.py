"""The limits of the register review: what we start with, and what an office sets for a class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.money import Money

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a check: its start value, and what it may be; `is_money`: dollars."""

    start: float
    least: float
    most: float
    says: str
    is_money: bool = False

    def parse(self, written: str) -> float:
        """Read a limit as a person writes it; raises ValueError with what it may be."""
        try:
            value = float(Money.parse(written).cents) if self.is_money else float(written)
        except ValueError:
            raise ValueError(self._may_be(written)) from None
        if not self.least <= value <= self.most:
            raise ValueError(self._may_be(written))
        return value

    def write(self, value: float) -> str:
        """Write a limit as a person reads it."""
        return str(Money(round(value))) if self.is_money else f"{value:g}"

    def _may_be(self, written: str) -> str:
        return f"{written!r} is not from {self.write(self.least)} to {self.write(self.most)}"


def ratio(start: float, says: str) -> Limit:
    return Limit(start, 1.0, 1000.0, says)


def share(start: float, says: str) -> Limit:
    return Limit(start, 0.0, 1.0, says)


def number(start: float, says: str) -> Limit:
    return Limit(start, 0.0, 1_000_000.0, says)


def dollars(start: float, says: str) -> Limit:
    """Return a limit in dollars, kept as cents; it is compared with figures, not booked."""
    return Limit(start, 0.0, 1e11, says, is_money=True)


@dataclass(frozen=True, slots=True)
class LimitSet:
    """A limit that an office has set, for a service or one of its rate codes; '' is all."""

    check: str
    name: str
    value: str
    service: str = ""
    rate_code: str = ""
    source: str = "settings"  # or who set it


class Limits:
    """Every limit in force: class beats service beats all, and later beats earlier."""

    def __init__(
        self, known: Mapping[str, Mapping[str, Limit]], changes: Iterable[LimitSet] = ()
    ) -> None:
        self._known = known
        self._changed: dict[tuple[str, str], dict[tuple[str, str], float]] = {}
        for change in changes:
            limit = known.get(change.check, {}).get(change.name)
            if limit is not None:
                where = self._changed.setdefault((change.check, change.name), {})
                where[change.service, change.rate_code] = limit.parse(change.value)

    def of(self, check: str, name: str, service: str = "", rate_code: str = "") -> float:
        """Return the limit that is in force for a service and rate code."""
        changed = self._changed.get((check, name), {})
        for where in ((service, rate_code), (service, ""), ("", "")):
            if where in changed:
                return changed[where]
        return self._known[check][name].start

    def per(self, check: str, name: str, frame: pd.DataFrame) -> float | Any:
        """Return the limit for each row of a frame; one number where no class has its own."""
        changed = self._changed.get((check, name), {})
        if not any(service for service, _ in changed):
            return self.of(check, name)
        classes = frame[["service", "rate"]].drop_duplicates()
        by_class = {
            (service, rate): self.of(check, name, service, rate)
            for service, rate in classes.itertuples(index=False)
        }
        pairs = zip(frame["service"], frame["rate"], strict=True)
        import pandas as pd

        return pd.Series([by_class[pair] for pair in pairs], index=frame.index, dtype="f8")
