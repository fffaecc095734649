"""The bills of one bulk file on their way into the store."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from queue import SimpleQueue

from domain.accounts import account_key
from domain.bills import BillRange, PageAssignment
from domain.money import Money
from domain.periods import BulkFile
from domain.problems import Problem
from splitter.copying import BillCopier
from splitter.file_names import file_name
from splitter.filing import BillStore, sha256
from splitter.patterns import Patterns
from splitter.verifying import Neighbours, Verifier

COPIES_AHEAD = 4  # for each process: what memory holds at most


@dataclass(frozen=True, slots=True)
class FiledBill:
    """One bill document in the store; `first_page` counts from 0 in the bulk file."""

    account: str
    ordinal: int  # 2 for an account's second bill in one bulk file
    form: str
    pages: int
    first_page: int
    amount_due: Money | None
    due_on: date | None
    path: str
    sha256: str
    bytes: int

    @property
    def page_numbers(self) -> range:
        """Its pages in the bulk file, which are always consecutive."""
        return range(self.first_page, self.first_page + self.pages)


class Filer:
    """Reads copies back and files them, several at a time, in the order of the bulk file."""

    def __init__(
        self,
        bulk: BulkFile,
        patterns: Patterns,
        assignment: PageAssignment,
        store: BillStore,
        prefix: str,
        verify_every: int,
    ) -> None:
        self._bulk = bulk
        self._patterns = patterns
        self._bills = assignment.bills
        self._neighbours = Neighbours.of(assignment.bills, patterns)
        self._store = store
        self._prefix = prefix.rstrip("/")
        self._verify_every = max(1, verify_every)
        self._idle: SimpleQueue[Verifier] = SimpleQueue()

    def file_all(self, copier: BillCopier, processes: int) -> Iterator[FiledBill | Problem]:
        """Yield what became of each bill; one is copied while others are read back."""
        verifiers = [Verifier(self._patterns, self._neighbours) for _ in range(processes)]
        for verifier in verifiers:
            self._idle.put(verifier)
        running: deque[Future[FiledBill | Problem]] = deque()
        ordinals: Counter[str] = Counter()
        try:
            with ThreadPoolExecutor(processes) as pool:
                for index, (bill, copy) in enumerate(copier.copies(self._bills)):
                    ordinals[account_key(bill.account)] += 1
                    ordinal = ordinals[account_key(bill.account)]
                    is_checked = index % self._verify_every == 0
                    running.append(pool.submit(self._file, bill, ordinal, copy, is_checked))
                    if len(running) >= COPIES_AHEAD * processes:
                        yield running.popleft().result()
                while running:
                    yield running.popleft().result()
        finally:
            for verifier in verifiers:
                verifier.close()

    def _file(
        self, bill: BillRange, ordinal: int, copy: bytes, is_checked: bool
    ) -> FiledBill | Problem:
        findings = self._read_back(bill, copy) if is_checked else []
        if findings:
            begin = bill.pages[0] + 1
            message = f"The copy that begins on page {begin} is not filed: it {findings[0]}."
            return Problem("bill-copy", message, account=bill.account, file=self._bulk.file)

        path = f"{self._prefix}/{file_name(bill.account, ordinal)}".lstrip("/")
        self._store.write(path, copy)
        return FiledBill(
            account=bill.account,
            ordinal=ordinal,
            form=self._bulk.form,
            pages=len(bill.pages),
            first_page=bill.pages[0],
            amount_due=bill.amount_due,
            due_on=bill.due_on,
            path=path,
            sha256=sha256(copy),
            bytes=len(copy),
        )

    def _read_back(self, bill: BillRange, copy: bytes) -> list[str]:
        verifier = self._idle.get()
        try:
            return verifier.read_back(copy, bill)
        finally:
            self._idle.put(verifier)
