"""What we need from a billing system: one export a period."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from billing_system.records import Cosigner, Enrollment, PaymentMethod, PortalLink, PortalUser
from domain.accounts import Account
from domain.movements import Movements
from domain.periods import BulkFile, ControlTotals, Period, Utility
from domain.problems import Problem

Report = Callable[[Problem], None]


class ExportFiles(Protocol):
    """The files of one export, wherever they lie."""

    def open(self, file: str) -> AbstractContextManager[IO[bytes]]:
        """Open one file for reading, from its beginning."""
        ...

    def fingerprints(self) -> dict[str, str]:
        """
        Return the SHA-256 of each file that an export is made of, in the order of their names.

        They are computed anew at each call, so that a file changed meanwhile is noticed. What is
        never read (a Thumbs.db, a note) does not count.
        """
        ...


@dataclass(frozen=True, slots=True)
class Export:
    """
    A billing export, read and converted; rows that could not be read are `problems` instead.

    Movements are many, so they are streamed, some at a time: `movements(report)` reads them from
    the file each time it is called and reports what is wrong with them on the way; `problems`
    holds everything else that is wrong.
    """

    name: str
    fingerprints: Mapping[str, str]
    utility: Utility
    period: Period
    control_totals: ControlTotals
    bulk_files: tuple[BulkFile, ...]
    accounts: tuple[Account, ...]
    portal_users: tuple[PortalUser, ...]
    portal_links: tuple[PortalLink, ...]
    cosigners: tuple[Cosigner, ...]
    payment_methods: tuple[PaymentMethod, ...]
    enrollments: tuple[Enrollment, ...]
    problems: tuple[Problem, ...]
    movements: Callable[[Report], Iterator[Movements]]
    files: ExportFiles

    @property
    def sha256(self) -> str:
        """One hash over the files' names and contents: a folder and its .zip have the same."""
        lines = (f"{sha256}  {file}\n" for file, sha256 in sorted(self.fingerprints.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


class BillingSystem(Protocol):
    """Computes the bills; we read its exports."""

    def read_export(self, source: Path) -> Export:
        """
        Read the export at a path.

        Raises Misuse where the export as a whole is wrong (no such path, a missing file, a broken
        bundle.toml) and Refused for files in an encoding nobody can read. Wrong rows are problems.
        """
        ...
