"""Money in whole cents."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# [0-9], not \d: \d also takes digits of other scripts.
_WRITTEN = re.compile(
    r"(?P<open>\()?\s*(?P<sign>-)?\s*\$?\s*(?P<sign2>-)?"
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<cents>[0-9]{1,2}))?\s*(?P<close>\))?"
)


@dataclass(frozen=True, order=True, slots=True)
class Money:
    """An amount of US dollars as integer cents; never a float."""

    cents: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.cents, bool) or not isinstance(self.cents, int):
            raise TypeError(f"cents must be int, got {type(self.cents).__name__}")

    @classmethod
    def parse(cls, text: str) -> Money:
        """
        Read an amount as billing systems write it: `27.35`, `$1,027.35`, `-31.47`, `($31.47)`.

        Raises ValueError for anything else, a third decimal and misplaced commas included:
        a guessed amount is worse than a refused row.
        """
        written = text.strip()
        match = _WRITTEN.fullmatch(written)
        if match is None or bool(match["open"]) != bool(match["close"]):
            raise ValueError("not an amount of money, such as 27.35")
        signs = sum(bool(match[part]) for part in ("open", "sign", "sign2"))
        if signs > 1:
            raise ValueError("not an amount of money, such as 27.35")
        cents = int(match["whole"].replace(",", "")) * 100
        cents += int((match["cents"] or "").ljust(2, "0"))
        return cls(-cents if signs else cents)

    @classmethod
    def total(cls, amounts: Iterable[Money]) -> Money:
        """Add amounts up; nothing adds up to zero."""
        return cls(sum(amount.cents for amount in amounts))

    def __add__(self, other: Money) -> Money:
        return Money(self.cents + other.cents)

    def __sub__(self, other: Money) -> Money:
        return Money(self.cents - other.cents)

    def __neg__(self) -> Money:
        return Money(-self.cents)

    def __bool__(self) -> bool:
        return self.cents != 0

    def __str__(self) -> str:
        """Write it as programs read it: `1027.35`, `-31.47`."""
        sign = "-" if self.cents < 0 else ""
        return f"{sign}{abs(self.cents) // 100}.{abs(self.cents) % 100:02d}"

    def dollars(self) -> str:
        """Write it as people read it: `$1,027.35`, `-$31.47`."""
        sign = "-" if self.cents < 0 else ""
        return f"{sign}${abs(self.cents) // 100:,}.{abs(self.cents) % 100:02d}"


ZERO = Money(0)
