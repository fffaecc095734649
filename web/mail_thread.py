"""Sending the portal's mails at once: whoever registers looks into the mailbox now."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from office.equipment.office import Office
from office.procedures.mailing.portal_mail import send_portal_mails

LOG = logging.getLogger("billclose.web")
LOOK_SECONDS = 60.0  # what could not leave is tried again then


class MailThread:
    """
    Sends what waits whenever it is woken; what it cannot send stays queued for the next look.

    The mails are in the books: whoever else sends mail takes them as well, each once.
    """

    def __init__(self, office: Office) -> None:
        self.waits = threading.Event()
        self.office = office
        self._ends = False
        self._thread = threading.Thread(target=self._send_until_ended, name="portal mail")

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ends = True
        self.waits.set()
        self._thread.join()

    def _send_until_ended(self) -> None:
        while not self._ends:
            self.waits.wait(LOOK_SECONDS)
            self.waits.clear()
            if self._ends:
                return
            try:
                send_portal_mails(self.office)
            except Exception as failure:  # books that are away, too: whoever ends looks no more
                LOG.warning("the portal's mail waits: %s", type(failure).__name__)


@contextlib.asynccontextmanager
async def sending_mail(app: Starlette) -> AsyncIterator[None]:
    """Run the threads of mail and of payments by hand while the application is served."""
    threads = (app.state.mail_thread, app.state.payment_thread)
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            await run_in_threadpool(thread.end)
