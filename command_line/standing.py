"""How far the period had come that a command was about, where it failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from office.equipment.office import Office

_STANDING = "billclose_standing"  # the attribute by which a failure says of what period it is


@dataclass(frozen=True, slots=True)
class Standing:
    """
    How far a period had come when something failed, by the books.

    `is_of_close`: it was its close that failed, and not another command about it. `next` is what
    goes on with it; empty: the same command again.
    """

    period: str
    closed: bool
    closed_before: bool
    done: tuple[str, ...]
    next: str
    is_of_close: bool = True


@contextmanager
def of_period(office: Office, period: str, *, is_of_close: bool = True) -> Iterator[None]:
    """Let whatever fails meanwhile be told with how far the period had come."""
    before = _standing(office, period, False, is_of_close)
    try:
        yield
    except BaseException as failure:
        if standing_of(failure) is None:
            was_closed = before is not None and before.closed
            standing = _standing(office, period, was_closed, is_of_close)
            setattr(failure, _STANDING, standing or before)
        raise


def standing_of(failure: BaseException) -> Standing | None:
    return getattr(failure, _STANDING, None)


def _standing(
    office: Office, period: str, closed_before: bool, is_of_close: bool
) -> Standing | None:
    """Read how far a period is; None where the books cannot be read."""
    from sqlalchemy.exc import SQLAlchemyError

    from database.runs import find_run, list_finished_steps

    try:
        known = find_run(office.database, period)
        done = list_finished_steps(office.database, period) if known else ()
    except SQLAlchemyError:
        return None
    closed = known is not None and known.is_closed
    again = f"{office.command} close {period}" if is_of_close else ""
    return Standing(period, closed, closed_before, done, again, is_of_close)
