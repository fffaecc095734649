"""What can go wrong, named by what the caller should do about it."""

from __future__ import annotations

import struct
import zlib
from typing import Any

# What pypdf lets escape, beside its own, where a file is not as it should be.
DAMAGED_PDF = (
    ValueError, TypeError, AttributeError, LookupError,
    ArithmeticError, AssertionError, NotImplementedError, RecursionError, EOFError, OSError,
    struct.error, zlib.error,
)  # fmt: skip


class TemporaryFailure(Exception):
    """Surely not done; the same again may work later."""


class PermanentFailure(Exception):
    """Surely not done, and trying again will not help; a person must look."""


class OutcomeUnknown(Exception):
    """May have been done: look it up, never just ask again."""


class Refused(Exception):
    """
    A guard or a blocking check said no, and nothing was changed (exit status 3).

    `code` is for programs (`wrong-day`, `period-closed`, or a check's name), the message is one
    sentence for a person: what, where, and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[Refused], tuple[str, str]]:
        return type(self), (self.code, self.message)


class Misuse(Exception):
    """The arguments or the settings are wrong (exit status 2); one sentence says which and how."""

    def __init__(self, message: str, code: str = "misuse") -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[Misuse], tuple[str, str]]:
        return type(self), (self.message, self.code)


class AwaitingApproval(Exception):
    """Everything is ready and a person has not yet said yes (exit status 4)."""


class NobodyMailed(Exception):
    """
    Mails were due and not one of them left, for no reason of their own (exit status 4).

    What came before stands, the mails wait, and the same command sends them later.
    """

    def __init__(self, message: str, figures: dict[str, Any]) -> None:
        super().__init__(message)
        self.message = message
        self.figures = figures

    def __reduce__(self) -> tuple[type[NobodyMailed], tuple[str, dict[str, Any]]]:
        return type(self), (self.message, self.figures)
