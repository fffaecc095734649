"""The bills of one bulk file on their way into the store."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.accounts import account_key
from domain.bills import BillRange, PageAssignment, Tagging
from domain.money import Money
from domain.periods import BulkFile
from domain.problems import Problem
from splitter.copying.labels import NO_LABELS, CopyLabels
from splitter.copying.verifying import ForeignAccounts, VerificationPolicy
from splitter.store.bill_store import BillStore
from splitter.workers.messages import bill_to_message
from splitter.workers.parent import ChildFailed, WorkerPool, WorkerProcess

_PLAIN_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def file_name(account: str, ordinal: int = 1) -> str:
    """
    Return the file name of an account's bill: `01.1037.1.pdf`, its second one `01.1037.1~2.pdf`.

    A number that is no safe name on every system gets a hash of the account instead of the
    unsafe signs, so two accounts never share a name.
    """
    name = account
    if not _PLAIN_NAME.fullmatch(account) or _RESERVED.fullmatch(account):
        meant = account_key(account) or account
        digest = hashlib.sha256(meant.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        name = f"{_UNSAFE.sub('_', account).strip('_-')[:40] or 'account'}~{digest}"
        name = f"bill-{name}" if _RESERVED.match(name) else name
    return f"{name}.pdf" if ordinal == 1 else f"{name}~{ordinal}.pdf"


BATCH_PAGES = 96  # of a worker's order: durable together, and answered together
OCR_PAGE_SECONDS = 10  # several times what a page that is only a picture takes


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
    tagging: Tagging = Tagging.NONE

    @property
    def page_numbers(self) -> range:
        """Its pages in the bulk file, which are always consecutive."""
        return range(self.first_page, self.first_page + self.pages)


@dataclass(frozen=True, slots=True)
class Order:
    """One bill to be made: its place in the bulk file, its ordinal and where it goes."""

    index: int
    ordinal: int
    path: str
    bill: BillRange


def make_orders(assignment: PageAssignment, prefix: str) -> list[Order]:
    """Return an order for each bill; an account's second bill gets a path of its own."""
    ordinals: Counter[str] = Counter()
    orders = []
    for index, bill in enumerate(assignment.bills):
        ordinals[account_key(bill.account)] += 1
        ordinal = ordinals[account_key(bill.account)]
        path = f"{prefix.rstrip('/')}/{file_name(bill.account, ordinal)}".lstrip("/")
        orders.append(Order(index, ordinal, path, bill))
    return orders


def batches(orders: list[Order]) -> Iterator[list[Order]]:
    """Cut orders into batches of about the same number of pages."""
    batch: list[Order] = []
    pages = 0
    for order in orders:
        batch.append(order)
        pages += len(order.bill.pages)
        if pages >= BATCH_PAGES:
            yield batch
            batch, pages = [], 0
    if batch:
        yield batch


class FilingShare:
    """One thread's worker that makes bills; a new one takes over where a bill took it down."""

    def __init__(
        self,
        pool: WorkerPool,
        bulk: BulkFile,
        terms: dict[str, Any],
        store: BillStore,
        by_ocr: frozenset[int] = frozenset(),
    ) -> None:
        self._by_ocr = by_ocr  # pages that take long to read back
        self._pool = pool
        self._bulk = bulk
        self._terms = terms
        self._store = store
        self._worker: WorkerProcess | None = None
        self._unwritten: list[tuple[str, bytes]] = []  # paths and copies that we are to write
        self.read_back = 0  # copies
        self.audited = 0  # copies, in full

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def file(self, orders: list[Order]) -> list[FiledBill | Problem]:
        """
        Make a batch of bills.

        Where it takes the worker down it is done again bill by bill; the one that does so again
        becomes a problem, and the others are filed.
        """
        outcomes: list[FiledBill | Problem] = []
        is_careful = False
        while waiting := orders[len(outcomes) :]:
            try:
                for answer in self._ask(waiting, is_careful):
                    outcomes.append(self._outcome(orders[len(outcomes)], answer))
            except ChildFailed as failure:
                self.close()
                if is_careful:
                    order = orders[len(outcomes)]
                    self._store.discard_unfinished(order.path)
                    finding = f"cannot be made or read back ({failure})"
                    outcomes.append(self._problem(order, finding))
                is_careful = True
        self._store.write_all(self._unwritten)
        self._unwritten = []
        return outcomes

    def _ask(self, orders: list[Order], is_careful: bool) -> Iterator[dict[str, Any]]:
        if self._worker is None:
            self._worker = self._pool.start_worker(copies=True)
            self._worker.tell(self._terms)
        bills = [[order.index, order.path, bill_to_message(order.bill)] for order in orders]
        request = {"do": "file", "bills": bills, "is_careful": is_careful}
        pages = [page for order in orders for page in order.bill.pages]
        seconds = len(pages) + OCR_PAGE_SECONDS * len(self._by_ocr.intersection(pages))
        yield from self._worker.ask(request, len(orders), extra_seconds=seconds)

    def _outcome(self, order: Order, answer: dict[str, Any]) -> FiledBill | Problem:
        self.read_back += answer["read_back"]
        self.audited += answer["audited"]
        if answer["finding"]:
            return self._problem(order, answer["finding"])
        if "copy" in answer:
            self._unwritten.append((order.path, base64.b64decode(answer["copy"])))
        tagging = Tagging(answer["tagging"])
        return filed_as(order, self._bulk.form, answer["sha256"], answer["bytes"], tagging)

    def _problem(self, order: Order, finding: str) -> Problem:
        begin = order.bill.pages[0] + 1
        message = f"The copy that begins on page {begin} is not filed: it {finding}."
        return Problem("bill-copy", message, account=order.bill.account, file=self._bulk.file)


def filed_as(order: Order, form: str, sha256: str, size: int, tagging: Tagging) -> FiledBill:
    """Return an order's bill now that its document is in the store; `size` in bytes."""
    return FiledBill(
        account=order.bill.account,
        ordinal=order.ordinal,
        form=form,
        pages=len(order.bill.pages),
        first_page=order.bill.pages[0],
        amount_due=order.bill.amount_due,
        due_on=order.bill.due_on,
        path=order.path,
        sha256=sha256,
        bytes=size,
        tagging=tagging,
    )


def terms_of(
    foreign_accounts: ForeignAccounts,
    store: BillStore,
    verification_policy: VerificationPolicy,
    labels: CopyLabels = NO_LABELS,
    *,
    reads_directly: bool = False,
) -> dict[str, Any]:
    """
    Return what a worker is told once, before it makes bills.

    `reads_directly`: pdfium read the bulk file, so that copies may be read back without it.
    """
    return {
        "do": "terms",
        "foreign_accounts": sorted(foreign_accounts.accounts),
        "folder": store.folder,
        "read_back_every": verification_policy.read_back_every,
        "audit_every": verification_policy.audit_every,
        "reads_directly": reads_directly,
        "labels": [labels.title, labels.language, labels.keeps_tags],
    }
