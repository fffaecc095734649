"""What we need from a billing system between two closes: what moved there, and its ear."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.feeds import AccountChange, Acknowledgement, Choice, FeedMovement
from domain.money import ZERO, Money
from domain.problems import Problem


@dataclass(frozen=True, slots=True)
class Announced:
    """How many movements a feed file says it holds, and their sum; checked like control totals."""

    movements: int | None = None
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class FeedFile:
    """
    One file of the feed, read and converted; rows that could not be read are `problems` instead.

    `written_at` is a local moment of the utility without a zone, None where the file does not say;
    `sequence` its number, None where files are not numbered, so that none can be missed.
    """

    name: str
    sha256: str
    utility: str = ""
    sequence: int | None = None
    written_at: datetime | None = None
    announced: Announced = field(default_factory=Announced)
    movements: tuple[FeedMovement, ...] = ()
    changes: tuple[AccountChange, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    problems: tuple[Problem, ...] = ()
    unused: tuple[str, ...] = ()  # headings and files that are none of ours

    @property
    def amount(self) -> Money:
        return Money.total(one.amount for one in self.movements) if self.movements else ZERO


class FeedSource(Protocol):
    """
    Where files of the feed come from, and where customers' choices go.

    Methods raise TemporaryFailure where the billing system is not reached or nothing can be
    written, and OutcomeUnknown where a choice may have been taken: it is told again under the same
    number, which the billing system takes once.
    """

    name: str

    def new_files(self, after: int | None) -> Iterator[FeedFile]:
        """
        Yield what has come, oldest first; `after` is the newest number that was taken in.

        What was taken in before may come again. Raises Misuse for a file that cannot be read as
        a whole; what stands after it comes the next time.
        """
        ...

    def mark_taken_in(self, file: FeedFile) -> None:
        """Put away a file that is in the books, where the source keeps them."""
        ...

    def tell(self, choices: list[Choice]) -> list[Acknowledgement]:
        """Hand choices over; return what the billing system says of some of them at once."""
        ...

    def ask(self, choices: list[Choice]) -> list[Acknowledgement]:
        """Return what became of choices that were told, of those of which it is known."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
