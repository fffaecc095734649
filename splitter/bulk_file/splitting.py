"""The procedure: a bulk file is read, shared out, copied, read back and filed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.bills import BillRange, PageAssignment, PageFacts, Tagging
from domain.periods import BY_TEXT, BulkFile
from domain.problems import Problem
from splitter.association.claims import claims_of
from splitter.association.exemptions import exemptions_of
from splitter.association.knowledge import NOTHING_KNOWN, Knowledge
from splitter.association.rulings import PageRuling
from splitter.bulk_file.assignment import assign_pages
from splitter.bulk_file.filing import FiledBill, FilingShare, Order, batches, make_orders, terms_of
from splitter.copying.labels import NO_LABELS, CopyLabels
from splitter.copying.verifying import ForeignAccounts, VerificationPolicy
from splitter.reading.tesseract import require_tesseract
from splitter.store.bill_store import BillStore
from splitter.text.patterns import compile_patterns
from splitter.workers.page_facts import Progress, check_bookmarks, read_in, read_marks
from splitter.workers.parent import Closing, WorkerPool, processors, shared_out

EVERY_COPY = VerificationPolicy()  # read back


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of some bills, in the order in which they were asked for."""

    outcomes: tuple[FiledBill | Problem, ...]
    read_back: int  # copies, those that failed included
    audited: int  # copies, in full

    @property
    def tagging(self) -> Counter[Tagging]:
        """What became of the tags of the bills that are filed."""
        return Counter(bill.tagging for bill in self.bills)

    @property
    def bills(self) -> tuple[FiledBill, ...]:
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, FiledBill))

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Problem))


class Splitting(Closing):
    """
    A bulk file, open to be split; close it, or use it in a `with`.

    Nothing of it is read in this process. Raises Refused (pdf-unreadable) for a file that is not
    sound and Misuse for patterns that cannot work. With `ocr` pages that are only a picture are
    read by tesseract; Misuse says that it is not installed.
    """

    def __init__(
        self, path: Path, bulk: BulkFile, *, processes: int | None = None, ocr: bool = False
    ) -> None:
        if ocr:
            require_tesseract()
        self._bulk = bulk
        self._patterns = compile_patterns(bulk, ocr=ocr)
        self._exemptions = exemptions_of(bulk)
        self._processes = processes or processors()
        self._is_read_by_engines = False
        self._pool = WorkerPool(path, self._patterns)

    def close(self) -> None:
        self._pool.close()

    @property
    def pages(self) -> int:
        return self._pool.pages

    @property
    def is_tagged(self) -> bool:
        """Whether the file says that it has the tags by which screen readers read."""
        return self._pool.is_tagged

    def plan(
        self,
        *,
        progress: Progress | None = None,
        knowledge: Knowledge = NOTHING_KNOWN,
        rulings: Mapping[int, PageRuling] | None = None,
        reports_only: bool = False,
        by_engines: bool = False,
    ) -> PageAssignment:
        """
        Read the bulk file and say to whom each page belongs; nothing is written.

        `knowledge` are the export's customers: a page read by OCR must name one of them, and no
        page that bears another one's mark follows a bill. `rulings` are what a person said.
        With `by_engines` pdfium reads all pages; then the direct reader may read the copies, so
        that each page is read by both: faster where every copy is read back.
        """
        pages = read_in(
            self._pool,
            processes=self._processes,
            progress=progress,
            sieve=knowledge.sieve(),
            by_engines=by_engines,
        )
        self._is_read_by_engines = by_engines
        facts = self._with_claims(pages.facts, knowledge)
        return assign_pages(
            facts,
            clues=pages.clues,
            knowledge=knowledge,
            exemptions=self._exemptions,
            rulings=rulings,
            known_accounts=knowledge.accounts or None,
            reports_only=reports_only,
        )

    def _with_claims(self, facts: Sequence[PageFacts], knowledge: Knowledge) -> Sequence[PageFacts]:
        """Return what pages say with what bookmarks say of them, where these name the accounts."""
        if self._bulk.by == BY_TEXT:
            if not any(page.accounts or page.elsewhere or page.unseen for page in facts):
                check_bookmarks(self._pool)
            return facts
        marks = read_marks(self._pool)
        claims = claims_of(marks, self._bulk, knowledge.accounts)
        return claims.applied(facts)

    def file_bills(
        self,
        assignment: PageAssignment,
        store: BillStore,
        *,
        prefix: str,
        progress: Progress | None = None,
        verification_policy: VerificationPolicy = EVERY_COPY,
        known: Iterable[str] = (),
        labels: CopyLabels = NO_LABELS,
    ) -> Filed:
        """
        Copy, read back and file the bills of an assignment.

        A copy that does not show what it must is not filed and becomes a problem (bill-copy).
        `scrutiny` says how many copies are looked at; none may print one of the `known` accounts
        alone but its own. `progress` is called with the number of pages
        done since it was called last.
        """
        return self.file_orders(
            make_orders(assignment, prefix),
            store,
            foreign_accounts=self.foreign_accounts_of(assignment.bills, known),
            by_ocr=assignment.by_ocr,
            progress=progress,
            verification_policy=verification_policy,
            labels=labels,
        )

    def foreign_accounts_of(
        self, bills: Collection[BillRange], known: Iterable[str] = ()
    ) -> ForeignAccounts:
        """
        Return the accounts that must not stand on another's pages.

        Those of all the file's bills, and `known` ones as the export writes them.
        """
        if self._exemptions.may_name_others:
            return ForeignAccounts.of(())
        return ForeignAccounts.of((*(bill.account for bill in bills), *known))

    def file_orders(
        self,
        orders: list[Order],
        store: BillStore,
        *,
        foreign_accounts: ForeignAccounts,
        by_ocr: Iterable[int] = (),
        progress: Progress | None = None,
        verification_policy: VerificationPolicy = EVERY_COPY,
        labels: CopyLabels = NO_LABELS,
    ) -> Filed:
        """Make some of the file's bills; they are in the store, to stay, when this returns."""
        work = list(batches(orders))
        terms = terms_of(
            foreign_accounts, store, verification_policy, labels,
            reads_directly=self._is_read_by_engines,
        )  # fmt: skip
        shares = [
            FilingShare(self._pool, self._bulk, terms, store, frozenset(by_ocr))
            for _ in range(max(1, min(self._processes, len(work))))
        ]
        outcomes: list[FiledBill | Problem] = []
        for batch, made in zip(work, shared_out(shares, work, FilingShare.file), strict=True):
            outcomes += made
            if progress is not None:
                progress(sum(len(order.bill.pages) for order in batch))
        store.make_durable()
        return Filed(
            tuple(outcomes),
            sum(share.read_back for share in shares),
            sum(share.audited for share in shares),
        )


def split(
    path: Path,
    bulk: BulkFile,
    store: BillStore,
    *,
    prefix: str,
    processes: int | None = None,
    progress: Progress | None = None,
) -> Filed:
    """
    File one document for each bill of a bulk file (rules 11-13), below a prefix of the store.

    Split again, the same file gives the same bytes under the same names; see Splitting.
    """
    with Splitting(path, bulk, processes=processes) as splitting:
        assignment = splitting.plan(progress=progress, by_engines=EVERY_COPY.reads_back_all)
        return splitting.file_bills(assignment, store, prefix=prefix)


def plan(
    path: Path,
    bulk: BulkFile,
    *,
    processes: int | None = None,
    progress: Progress | None = None,
) -> PageAssignment:
    """Read a bulk file and say to whom each page belongs; nothing is written."""
    with Splitting(path, bulk, processes=processes) as splitting:
        return splitting.plan(progress=progress)


def file_bills(
    path: Path,
    bulk: BulkFile,
    assignment: PageAssignment,
    store: BillStore,
    *,
    prefix: str,
    processes: int | None = None,
    progress: Progress | None = None,
    verification_policy: VerificationPolicy = EVERY_COPY,
) -> Filed:
    """Copy, read back and file the bills of an assignment; see Splitting.file_bills."""
    with Splitting(path, bulk, processes=processes) as splitting:
        return splitting.file_bills(
            assignment,
            store,
            prefix=prefix,
            progress=progress,
            verification_policy=verification_policy,
        )
