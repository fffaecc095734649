"""What we need from a billing system: one export a period."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import IO, Protocol

from domain.accounts import Account, account_key
from domain.money import Money
from domain.movements import Movements
from domain.payments import MethodKind
from domain.periods import Boundary, BulkFile, ControlTotals, Period, Utility
from domain.problems import Problem


@dataclass(frozen=True, slots=True)
class ExportedPortalUser:
    """Somebody registered in the portal; `address` is as written."""

    address: str
    name: str

    @property
    def mailbox(self) -> str:
        """What makes two spellings one user: the case of letters does not count."""
        return self.address.casefold()


@dataclass(frozen=True, slots=True)
class PortalLink:
    """A portal user sees an account, and may have chosen paperless for it (rules 24-25)."""

    address: str
    account: str
    paperless: bool

    @property
    def mailbox(self) -> str:
        return self.address.casefold()

    @property
    def key(self) -> str:
        return account_key(self.account)


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A landlord or cosigner, and the portal user he is, if any (rule 29)."""

    cosigner_id: str
    name: str
    portal_user: str


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A saved payment method: the gateway's handle, never the number."""

    token: str
    portal_user: str
    kind: MethodKind
    last4: str


@dataclass(frozen=True, slots=True)
class Enrollment:
    """One row of autopay.csv; with its payment method it makes a mandate (rules 48-50)."""

    account: str
    portal_user: str
    method_token: str
    days_prior: int
    maximum: Money | None
    enrolled_on: date
    is_active: bool

    @property
    def key(self) -> str:
        return account_key(self.account)


class NoteKind(StrEnum):
    """What an export has that we do not use, or has not that we could use; or how it was read."""

    UNUSED_FILE = "unused-file"
    UNUSED_HEADING = "unused-heading"
    UNUSED_KEY = "unused-key"
    ABSENT_FILE = "absent-file"
    ABSENT_COLUMN = "absent-column"
    READ_AS = "read-as"  # in another encoding or layout than the usual one
    SCAR = "scar"  # what a spreadsheet does to account numbers


@dataclass(frozen=True, slots=True)
class Note:
    """Something about an export that stops nobody and that somebody should have read."""

    kind: NoteKind
    file: str
    name: str  # the heading, key, file or column
    message: str  # one sentence, no personal data


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
class BillingExport:
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
    written: Boundary | None  # None: the export does not say when it was written
    bulk_files: tuple[BulkFile, ...]
    accounts: tuple[Account, ...]
    portal_users: tuple[ExportedPortalUser, ...]
    portal_links: tuple[PortalLink, ...]
    cosigners: tuple[Cosigner, ...]
    payment_methods: tuple[PaymentMethod, ...]
    enrollments: tuple[Enrollment, ...]
    problems: tuple[Problem, ...]
    movements: Callable[[Report], Iterator[Movements]]
    files: ExportFiles
    notes: tuple[Note, ...] = ()

    @property
    def sha256(self) -> str:
        """One hash over the files' names and contents: a folder and its .zip have the same."""
        lines = (f"{sha256}  {file}\n" for file, sha256 in sorted(self.fingerprints.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


class BillingSystem(Protocol):
    """Computes the bills; we read its exports."""

    def read_export(self, source: Path) -> BillingExport:
        """
        Read the export at a path.

        Raises Misuse where the export as a whole is wrong (no such path, a missing file, a broken
        bundle.toml) and Refused for files in an encoding nobody can read. Wrong rows are problems.
        """
        ...
