"""Card and bank numbers in cells: never kept, and never repeated in a message."""

from __future__ import annotations

from collections.abc import Collection

from billing_system.columns import Column, Secrecy
from billing_system.sensitive import (
    holds_sensitive_number,
    is_sensitive_token,
    may_be_sensitive_token,
    may_hold_sensitive_number,
)

_SHOWN = 40  # characters of a value that a message repeats
_DIGITS = 4  # of a token that anybody may see: a method's last four


def is_sensitive(column: Column, cell: str) -> bool:
    """Say whether a cell holds what must not be kept."""
    match column.secrecy:
        case Secrecy.TEXT:
            return holds_sensitive_number(cell)
        case Secrecy.TOKEN:
            return is_sensitive_token(cell)
        case Secrecy.NONE:
            return False


def are_any_sensitive(secrecy: Secrecy, cells: Collection[str]) -> bool:
    """Look at all cells together, and at each by itself only where there are digits enough."""
    match secrecy:
        case Secrecy.TEXT:
            together = may_hold_sensitive_number("\n".join(cells))
            return together and any(map(holds_sensitive_number, cells))
        case Secrecy.TOKEN:
            together = may_be_sensitive_token("\n".join(cells))
            return together and any(map(is_sensitive_token, cells))
        case Secrecy.NONE:
            return False


def warn(heading: str) -> str:
    """Say of a column's cell that it is not taken in."""
    return (
        f"column {heading}: holds what looks like a card or bank number (not shown, not kept); "
        "take it out of the billing system"
    )


def show(column: Column, cell: str) -> str:
    """Repeat a value, shortened; never what may be a number that nobody may see."""
    written = cell.strip()
    if not written:
        return "the value"
    many_digits = column.secrecy is Secrecy.TOKEN and sum(map(str.isdigit, written)) > _DIGITS
    if many_digits or holds_sensitive_number(written):
        return "the value (not shown)"
    return f'"{written[:_SHOWN]}{"…" if len(written) > _SHOWN else ""}"'
