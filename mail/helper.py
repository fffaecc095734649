"""A process that helps to send, as the one that leads sees it."""

from __future__ import annotations

import select
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from mail.reports import LONGEST, Report

GRACE_SECONDS = 5.0  # for what a helper is just handing over, once it is asked to stop
END_SECONDS = 60.0  # for it to give back what it holds; the books may be busy for half of that


class Helper:
    """
    Sends what is due beside this process until nothing is left, or it is asked to stop.

    It reports over a socket (packets, each a whole message). Closing our direction of it asks it
    to stop, and so does our end, however it comes.
    """

    def __init__(self, process: subprocess.Popen[bytes], connection: socket.socket) -> None:
        self._process = process
        self._connection = connection
        self.report = Report()
        self.has_reported = False
        self.is_over = False

    @property
    def trouble(self) -> str:
        """Say of one that has ended why it did not do its work; empty where it did."""
        if self.report.is_last:
            return self.report.trouble
        return "it broke down" if self._process.returncode else ""

    @property
    def has_left_some(self) -> bool:
        """Tell whether it ended while mails may be due that it might have sent."""
        is_done = self.report.is_last and not self.report.trouble
        return self.is_over and not (is_done and not self.report.counts.stopped_by)

    def fileno(self) -> int:
        return self._connection.fileno()

    def listen(self) -> None:
        """Take in what it has reported, without waiting for more."""
        with suppress(BlockingIOError):
            while not self.is_over:
                try:
                    message = self._connection.recv(LONGEST, socket.MSG_DONTWAIT)
                except ConnectionError:
                    message = b""
                if message:
                    self.report, self.has_reported = Report.of(message), True
                self.is_over = not message

    def ask_to_stop(self) -> None:
        with suppress(OSError):  # it is gone
            self._connection.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """Wait for the end of one that was asked to stop; one that hangs is killed."""
        try:
            self._process.wait(timeout=GRACE_SECONDS + END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.listen()
        self._connection.close()


def wait_for_news(helpers: Sequence[Helper]) -> bool:
    """Wait until one of them has reported or ended; False: all have ended."""
    at_work = [helper for helper in helpers if not helper.is_over]
    if not at_work:
        return False
    waiting = select.poll()  # takes any descriptor; select() none beyond 1,023
    for helper in at_work:
        waiting.register(helper, select.POLLIN)
    waiting.poll()
    for helper in at_work:
        helper.listen()
    return True
