"""A problem: something a person must look at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One thing found wrong in the input, with where it stands.

    `code` is the name of the check it belongs to (`unreadable-row`). `row` counts the file's lines
    as an editor does, the heading being row 1. `message` is one sentence that never repeats what
    looks like a card or bank number, and holds no personal data beyond the account number.
    """

    code: str
    message: str
    account: str = ""
    file: str = ""
    row: int = 0
    column: str = ""
