"""A helper's duty to whoever leads the sending: to tell how it gets on, and to stop."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import suppress
from dataclasses import replace
from threading import Event

from mail.reports import LONGEST, Report
from mail.tallying import SendCounts


class Duty:
    """The helper's end of the socket between the two; see mail.helper for the other one."""

    def __init__(self, leader: socket.socket) -> None:
        self._leader = leader
        self._report = Report()
        self._grace = 0.0
        self._has_begun = Event()
        self._must_stop = Event()

    def watch(self) -> None:
        """
        Wait until the leader asks us to stop or is gone; to be run in a thread.

        Who has claimed nothing yet is not waited for. What hangs then is interrupted after the
        time of grace, as Ctrl-C would: nobody is left who could do it.
        """
        with suppress(OSError):
            while self._leader.recv(LONGEST):
                pass
        self._must_stop.set()
        if not self._has_begun.is_set():
            os._exit(0)
        time.sleep(self._grace)
        os.kill(os.getpid(), signal.SIGTERM)

    def begin(self, grace: float) -> None:
        """Say that from now on rows may be claimed; `grace` in seconds."""
        self._grace = grace
        self._has_begun.set()

    def must_stop(self) -> bool:
        return self._must_stop.is_set()

    def tell(self, counts: SendCounts) -> None:
        """Tell how it stands; progress that the leader has no time for goes by."""
        self._report = replace(self._report, counts=counts)
        self._send(socket.MSG_DONTWAIT)

    def end(self, done: Report | None = None, *, trouble: str = "") -> None:
        """Say the last word: what was done, or why it was not."""
        self._report = replace(done or self._report, is_last=True, trouble=trouble)
        self._send()

    def _send(self, flags: int = 0) -> None:
        with suppress(OSError):  # nobody hears it
            self._leader.send(self._report.to_message(), flags | socket.MSG_NOSIGNAL)
