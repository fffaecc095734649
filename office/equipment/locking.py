"""The only right to work on a run, held while its steps go on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError

from database.owners import this_process
from database.runs import release_lock, renew_lock, take_lock
from office.equipment.office import Office

RENEW_SECONDS = 20.0
LOGGER = logging.getLogger("prefect.billclose")


@contextmanager
def working_on(office: Office, period: str) -> Iterator[None]:
    """
    Hold a run's lock; a second close of the same period is told who has it (Refused).

    The lock is renewed while the work goes on, so that a machine that lost power does not keep
    it. It goes by the machine's clock: rehearsed business time may stand still or run backwards.
    """
    me = this_process()
    take_lock(office.database, period, office.who, me, office.clock.wall())
    ended = threading.Event()
    keeper = threading.Thread(target=_renew, args=(office, period, ended), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()
        release_lock(office.database, period, me)


def _renew(office: Office, period: str, ended: threading.Event) -> None:
    """Renew the lock until the work has ended, whatever one turn of it meets."""
    me = this_process()
    while not ended.wait(RENEW_SECONDS):
        try:
            renew_lock(office.database, period, me, office.clock.wall())
        except OperationalError as failure:  # an import of a large city may write for a minute
            LOGGER.warning("The lock of %s is renewed at the next turn: %s", period, failure.orig)
