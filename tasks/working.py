"""The only right to work on a run, for the flows."""

from __future__ import annotations

from contextlib import AbstractContextManager

from office import locking
from office.wiring import office


def working_on(run: str) -> AbstractContextManager[None]:
    """Hold a run's lock while its steps go on; a second close is told who has it (Refused)."""
    return locking.working_on(office(), run)
