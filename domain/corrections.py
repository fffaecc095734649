"""Bills made anew after their close, and closes taken back."""

from __future__ import annotations

from enum import StrEnum

PERIOD_UNDONE = "the close was taken back"  # why a payment is off the schedule
CORRECTED_TO_NONE = "nothing to draw after a correction"  # the same, of one bill
CORRECTED_FILE = "corrected-"  # how the bulk file begins that holds a corrected bill alone


class Replacing(StrEnum):
    """What took the place of a bill."""

    CORRECTION = "correction"  # one bill made anew
    UNDO = "undo"  # its period is not closed any more


def corrected_about(period: str, edition: int) -> str:
    """
    Name what the mail of a bill is about that takes the place of one its reader has or may have.

    There is one mail for each edition, period and mailbox, however often it is recorded.
    """
    return f"{period}/corrected-{edition}"


def again_about(period: str, edition: int) -> str:
    """Name what the mail of a later edition is about, to whom no earlier one was mailed."""
    return f"{period}/again-{edition}"


def is_corrected(about: str) -> bool:
    """Tell whether a bill's mail is marked as a corrected one."""
    return "/corrected-" in about


def correction_key(period: str, account_key: str, number: int) -> str:
    """Name the balance entry of a correction; a correction of a correction has a number."""
    key = f"correction/{period}/{account_key}"
    return key if number == 1 else f"{key}/{number}"
