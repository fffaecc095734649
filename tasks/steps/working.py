"""The only right to work on a run, or to collect, for the flows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from domain.failures import Refused
from office.equipment import locking
from office.equipment.office import current_office

COLLECTING = "collect-autopay"  # the lock's name where a run's stands otherwise
_OF_A_RUN = f"Period {COLLECTING} is being worked on"
_OF_MONEY = "Payments are being collected"


def working_on(period: str) -> AbstractContextManager[None]:
    """Hold a run's lock while its steps go on; a second close is told who has it (Refused)."""
    return locking.working_on(current_office(), period)


@contextmanager
def collecting() -> Iterator[None]:
    """Hold the right to collect; a second collector is told who has it (Refused)."""
    with ExitStack() as held:
        try:
            held.enter_context(locking.working_on(current_office(), COLLECTING))
        except Refused as refused:
            raise Refused(refused.code, refused.message.replace(_OF_A_RUN, _OF_MONEY)) from None
        yield
