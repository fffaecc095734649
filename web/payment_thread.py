"""Finding out what became of customers' payments: somebody may wait before the page."""

from __future__ import annotations

import logging
import threading

from office.equipment.office import Office
from office.procedures.checkout import follow_up

LOG = logging.getLogger("billclose.web")
LOOK_SECONDS = 60.0


class PaymentThread:
    """
    Looks up payments by hand without an answer, each minute, and wakes the mail that tells.

    The books say which are due: whoever else looks them up takes others.
    """

    def __init__(self, office: Office, mail_waits: threading.Event) -> None:
        self.office = office
        self._mail_waits = mail_waits
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look_until_ended, name="payments by hand")

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ends.set()
        self._thread.join()

    def _look_until_ended(self) -> None:
        while not self._ends.wait(LOOK_SECONDS):
            try:
                if follow_up(self.office):
                    self._mail_waits.set()
            except Exception as failure:  # books that are away, too: whoever ends looks no more
                LOG.warning("payments by hand wait: %s", type(failure).__name__)
