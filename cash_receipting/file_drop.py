"""Cash receipting by import files: a file a round into a folder, its answers read from there."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from cash_receipting.acknowledgements import read_answers
from cash_receipting.layout import Layout
from cash_receipting.outgoing import Outgoing
from cash_receipting.port import PostingRequest, Receipt, ServiceDown
from cash_receipting.tray import Tray
from domain.failures import PermanentFailure

FOLDER = 0o700


class FileDropReceipting:
    """
    Each posting belongs to exactly one file, and a file is written exactly once.

    What is posted lies in a tray until it is handed over; its receipt comes with the answer file.
    A key that is posted again is still in its first file, unless that answered that it refused it.
    """

    name = "cash receipting"
    keeps_keys = True
    longest_in_flight = timedelta(0)

    def __init__(self, folder: Path, tray: Path, layout: Layout) -> None:
        self._folder = folder
        self._layout = layout
        self._tray = Tray(tray)

    def post(self, request: PostingRequest) -> Receipt | None:
        """Put a posting in the tray; raises PermanentFailure where the layout cannot hold it."""
        line = self._layout.to_line(request)
        with self._using():
            item = self._tray.put(request, line)
        if (item.account, item.amount) != (request.account, request.amount):
            raise PermanentFailure("something else was handed over under this key")
        return item.to_receipt()

    def find(self, request: PostingRequest) -> Receipt | None:
        """Return the receipt that was answered; raises PermanentFailure for a refusal."""
        with self._using():
            read_answers(self._folder, self._tray)
            item = self._tray.find(request.key)
        if item is not None and item.refusal is not None:
            raise PermanentFailure(f"cash receipting refused it: {item.refusal or 'no reason'}")
        return item.to_receipt() if item is not None else None

    def hand_over(self) -> None:
        """Write what lies in the tray into the next file; finish what a crash left."""
        with self._using():
            read_answers(self._folder, self._tray)
            Outgoing(self._folder, self._tray, self._layout).write_all()

    def check_health(self) -> None:
        with self._using():
            pass

    def close(self) -> None:
        self._tray.close()

    @contextmanager
    def _using(self) -> Iterator[None]:
        """Have the folder to ourselves; raises ServiceDown where it cannot be used."""
        try:
            self._folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
            lock = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as fault:
            raise ServiceDown(f"the folder of import files: {fault.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        except OSError as fault:
            raise ServiceDown(f"the folder of import files: {fault.strerror}") from None
        finally:
            os.close(lock)
