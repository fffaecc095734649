"""Whoever makes batches: it claims one, makes its bills, and writes down what became of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from database.books import Database
from domain.failures import Misuse, TemporaryFailure
from splitter.batch_claims import Batch, claim, mark_done, next_free, put_back, renew
from splitter.batch_plan import Work, bills_in, read_work
from splitter.batches import is_store_of, texts_of
from splitter.closing import Closing
from splitter.documents import fetch_documents
from splitter.filing import BillStore
from splitter.neighbours import Neighbours
from splitter.run_records import staged_files
from splitter.splitting import Filed, Splitting

RENEW_SECONDS = 20.0


class BatchWorker(Closing):
    """
    One process that makes batches, with its own copy of the bulk file and its own hands.

    What it makes is decided by the plan alone, so a batch made twice is the same files and the
    same answer. What it held when it is killed somebody else makes; what was taken from it because
    it was silent for too long it stops making. Close it, or use it in a `with`.
    """

    def __init__(
        self,
        database: Database,
        store: BillStore,
        exports_folder: Path,
        *,
        owner: str,
        release: str,
        processes: int | None = None,
    ) -> None:
        self._database = database
        self._store = store
        self._exports_folder = exports_folder
        self._owner = owner
        self._release = release
        self._processes = processes
        self._opened: tuple[tuple[str, int], Splitting, Neighbours] | None = None  # plan and file

    def close(self) -> None:
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None

    def make_one(self, run: str | None = None, number: int | None = None) -> Batch | None:
        """
        Make a batch that waits: any, or one of a run; None where there is none for it.

        Where it cannot (the disk is full, the store does not answer) the batch waits for the next
        one and the failure goes up.
        """
        batch = claim(self._database, self._owner, self._release, run=run, number=number)
        if batch is None:
            return None
        try:
            with self._holding(batch) as still_held:
                filed = self._made(batch, still_held)
        except BaseException:
            put_back(self._database, batch, self._owner)
            raise
        mark_done(self._database, batch, self._owner, filed)
        return batch

    def next_of(self, run: str) -> int | None:
        """Return a batch of a run that nobody works on, to be made by its number."""
        return next_free(self._database, run, self._release)

    def _made(self, batch: Batch, still_held: threading.Event) -> Filed:
        def require_held(_pieces: int) -> None:
            if not still_held.is_set():
                raise TemporaryFailure(
                    f"Batch {batch.number} of {batch.run} was taken over: this machine was silent."
                )

        work = read_work(batch.orders)
        splitting, neighbours = self._open(batch, work)
        return splitting.file_orders(
            work.orders,
            self._store,
            neighbours=neighbours,
            by_ocr=work.by_ocr,
            progress=require_held,
            scrutiny=work.scrutiny,
        )

    def _open(self, batch: Batch, work: Work) -> tuple[Splitting, Neighbours]:
        """Open the bulk file of a batch, which stays open for the batches that follow."""
        key = (batch.plan, batch.bulk)
        if self._opened is None or self._opened[0] != key:
            self.close()
            self._require_same_store(batch)
            fetch_documents(self._database, batch.run, self._store, self._exports_folder)
            files = staged_files(self._database, batch.run, self._exports_folder)
            file = next((file for file in files if file.bulk == batch.bulk), None)
            if file is None:
                raise TemporaryFailure(f"{batch.run} has been imported anew.")
            splitting = Splitting(file.path, file.patterns, processes=self._processes, ocr=work.ocr)
            bills = bills_in(texts_of(self._database, batch))
            self._opened = (key, splitting, splitting.neighbours_of(bills))
        return self._opened[1:]

    def _require_same_store(self, batch: Batch) -> None:
        if not is_store_of(self._store, batch):
            raise Misuse(
                "bills.store of this machine is not that of the machine that closes "
                f"{batch.run}; give both the same one.",
                "other-store",
            )

    @contextmanager
    def _holding(self, batch: Batch) -> Iterator[threading.Event]:
        """Renew the lease while the work goes on; the event is cleared when it is lost."""
        still_held, ended = threading.Event(), threading.Event()
        still_held.set()

        def keep() -> None:
            while not ended.wait(RENEW_SECONDS):
                if not renew(self._database, batch, self._owner):
                    still_held.clear()
                    return

        keeper = threading.Thread(target=keep, name="lease", daemon=True)
        keeper.start()
        try:
            yield still_held
        finally:
            ended.set()
            keeper.join()
