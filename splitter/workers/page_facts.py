"""Reading a bulk file: what each of its pages says."""

from __future__ import annotations

import re
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from domain.bills import PageFacts
from domain.failures import Misuse, Refused
from domain.periods import BY_ATTACHMENTS, BulkFile
from splitter.association.claims import AccountMark
from splitter.association.clues import NO_CLUES, Clues
from splitter.association.habits import FilePages
from splitter.association.names import NO_NAMES, Sieve
from splitter.text.patterns import Patterns, compile_patterns
from splitter.workers.messages import clues_from_message, facts_from_message
from splitter.workers.parent import (
    PAGE_SECONDS,
    ChildFailed,
    WorkerPool,
    WorkerProcess,
    processors,
    shared_out,
)

_MOST_BOOKMARKS, _FEWEST_BOOKMARKS, _LONGEST_TITLE = 50, 2, 60
_NUMBER = re.compile(r"[0-9](?:[^0-9]?[0-9]){3,}")
CHUNK_PAGES = 64  # small enough to share a file out evenly, large enough to hide the asking

Progress = Callable[[int], None]


def read_pages(
    path: Path,
    patterns: Patterns,
    *,
    processes: int | None = None,
    progress: Progress | None = None,
    page_seconds: float = PAGE_SECONDS,
) -> list[PageFacts]:
    """
    Read every page of a bulk file, in order, in child processes under time and memory limits.

    `progress` is called with the number of pages read since it was called last. Raises Refused
    (pdf-unreadable) where a page cannot be read or where the file is not sound.
    """
    with WorkerPool(path, patterns, page_seconds=page_seconds) as pool:
        return list(read_in(pool, processes=processes, progress=progress).facts)


def read_one(path: Path, bulk: BulkFile, page: int) -> tuple[PageFacts, str]:
    """
    Read one page of a bulk file; return what it says, and its text.

    Raises Misuse where there is no such page, Refused where it cannot be read.
    """
    with WorkerPool(path, compile_patterns(bulk)) as pool:
        if not 0 <= page < pool.pages:
            raise Misuse(f"{path.name} has {pool.pages:,} pages; there is no page {page + 1}.")
        share = ReadingShare(pool, by_engines=True)
        try:
            ((facts, _),) = share.read((page, page + 1))
        finally:
            share.close()
        (text,) = ask_of_pages(pool, "show", [page])
    return facts, text


def ask_of_pages(pool: WorkerPool, what: str, pages: Sequence[int], **more: str) -> list[Any]:
    """
    Return what a worker answers about each page: its text, or what a pattern finds on it.

    Raises Refused with the number of the page that cannot be read.
    """
    answers: list[Any] = []
    try:
        worker = pool.start_worker()
        try:
            for answer in worker.ask({"do": what, "pages": list(pages), **more}, len(pages)):
                answers.append(answer)
        finally:
            worker.close()
    except ChildFailed as failure:
        raise _refusal(pool, pages[len(answers)], failure) from None
    return answers


def read_marks(pool: WorkerPool) -> list[AccountMark]:
    """
    Return the bookmarks of a file as the pattern for their titles sees them.

    Raises Refused (pdf-unreadable) where they cannot be read, Misuse for a pattern that takes too
    long on them.
    """
    try:
        worker = pool.start_worker()
        try:
            (told,) = worker.ask({"do": "outline"}, 1, extra_seconds=pool.pages / 100)
        finally:
            worker.close()
    except ChildFailed as failure:
        if failure.took_too_long:
            pattern = pool.patterns.title.pattern if pool.patterns.title else ""
            raise Misuse(
                f"The pattern title {pattern!r} takes too long on the bookmarks of"
                f" {pool.patterns.bulk.file}:"
                " please write it without a repetition in a repetition."
            ) from None
        raise Refused("pdf-unreadable", _unreadable_bookmarks(pool, str(failure))) from None
    if "broken" in told:
        raise Refused("pdf-unreadable", _unreadable_bookmarks(pool, told["broken"]))
    return marks_of(told, pool.patterns.bulk)


def marks_of(told: dict[str, Any], bulk: BulkFile) -> list[AccountMark]:
    """Return the bookmarks that a worker told of."""
    is_bound = bulk.by == BY_ATTACHMENTS
    return [
        AccountMark(level, page, tuple(accounts), is_bound and is_cover)
        for level, page, accounts, is_cover in told["marks"]
    ]


def _unreadable_bookmarks(pool: WorkerPool, why: str) -> str:
    name = pool.patterns.bulk.file
    return f"The bookmarks of {name} cannot be read: {why}; please export the file again."


def bookmarks_of(pool: WorkerPool, most: int) -> list[tuple[int, str]]:
    """Return a file's first bookmarks, each with its level, as far as they can be read."""
    try:
        worker = pool.start_worker()
        try:
            (told,) = worker.ask({"do": "bookmarks", "most": most}, 1)
        finally:
            worker.close()
    except ChildFailed:
        return []  # nothing depends on them but a better sentence
    return [(level, title) for level, title in told]


def check_bookmarks(pool: WorkerPool) -> None:
    """Raise Refused where the bookmarks of a file have numbers and, as was seen, no page has."""
    titles = [title for _, title in bookmarks_of(pool, _MOST_BOOKMARKS)]
    numbered = [title for title in titles if _NUMBER.search(title)]
    if len(numbered) >= _FEWEST_BOOKMARKS and 2 * len(numbered) >= len(titles):
        raise Refused(
            "pdf-unreadable",
            f"{pool.name} seems to name its accounts in bookmarks alone, such as"
            f" {numbered[0][:_LONGEST_TITLE]!r}: no page prints one as the pattern says. Say by"
            ' = "bookmarks" in [[documents]], or correct the pattern.',
        )


def read_in(
    pool: WorkerPool,
    *,
    processes: int | None = None,
    progress: Progress | None = None,
    sieve: Sieve = NO_NAMES,
    by_engines: bool = False,
) -> FilePages:
    """
    Read every page of the bulk file that is open in a pool; see read_pages.

    With `by_engines` the direct reader is not asked.

    With the facts come the clues to whose a page may be that names no account; `sieve` lets the
    customers' names through.

    Where the direct reader is caught saying anything else than the engines, nothing of what it said
    is believed: the engines read the whole file again.
    """
    told = 0

    def tell(done: int) -> None:
        nonlocal told
        if progress is not None and done > told:
            progress(done - told)
            told = done

    try:
        return _read_all(pool, processes or processors(), tell, sieve, by_engines=by_engines)
    except _ReadersDisagree:
        return _read_all(pool, processes or processors(), tell, sieve, by_engines=True)


def _read_all(
    pool: WorkerPool, processes: int, tell: Progress, sieve: Sieve, *, by_engines: bool
) -> FilePages:
    pages = pool.pages
    chunks = [(first, min(first + CHUNK_PAGES, pages)) for first in range(0, pages, CHUNK_PAGES)]
    names = b64encode(zlib.compress(sieve.bits, 1)).decode() if sieve else ""
    shares = [ReadingShare(pool, by_engines, names) for _ in range(min(processes, len(chunks)))]
    facts: list[PageFacts] = []
    clues: list[Clues] = []
    for read in shared_out(shares, chunks, ReadingShare.read):
        facts += [fact for fact, _ in read]
        clues += [clue for _, clue in read]
        tell(len(facts))
    assert [page.page for page in facts] == list(range(pages))
    return FilePages(facts, clues)


class _ReadersDisagree(Exception):
    """A worker reports that the direct reader and the engines read a page differently."""


class ReadingShare:
    """One thread's worker that reads pages; a new one takes over where a page took it down."""

    def __init__(self, pool: WorkerPool, by_engines: bool, names: str = "") -> None:
        self._pool = pool
        self._names = names  # what lets customers' names through, packed
        self._by_engines = by_engines
        self._worker: WorkerProcess | None = None

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def read(self, chunk: tuple[int, int]) -> list[tuple[PageFacts, Clues]]:
        """
        Read the pages of a chunk; raises Refused with the number of a page that cannot be read.

        After a failure pages are asked for one by one, to know which it is; that page is tried
        once more alone, because the failure may have been the machine's.
        """
        first, last = chunk
        facts: list[tuple[PageFacts, Clues]] = []
        failures = 0
        while (page := first + len(facts)) < last:
            try:
                for message in self._ask(page, last, is_careful=failures > 0):
                    if message is None:
                        raise _ReadersDisagree
                    told, clues = message
                    facts.append((facts_from_message(told), _clues(clues)))
            except ChildFailed as failure:
                self.close()
                failures += 1
                if failures > 1 and page == first + len(facts):
                    raise _refusal_of_reading(self._pool, page, failure) from None
        return facts

    def _ask(self, first: int, last: int, *, is_careful: bool) -> Iterator[Any]:
        if self._worker is None:
            self._worker = self._pool.start_worker()
            if self._names:
                self._worker.tell({"do": "know", "names": self._names})
        request = {
            "do": "read",
            "first": first,
            "last": last,
            "is_careful": is_careful,
            "by_engines": self._by_engines,
        }
        return self._worker.ask(request, last - first)


def _refusal_of_reading(pool: WorkerPool, page: int, failure: ChildFailed) -> Exception:
    """Say whether a pattern takes too long on a page, or whether it is the page that cannot be."""
    if failure.took_too_long:
        for name, pattern in pool.patterns.by_name():
            if _takes_too_long(pool, page, pattern):
                return Misuse(
                    f"The pattern {name} {pattern!r} takes too long on page {page + 1} of"
                    f" {pool.name}: the file is not at fault. Patterns such as (a+)+ try"
                    " everything there is; please write it without a repetition in a repetition."
                )
    return _refusal(pool, page, failure)


def _takes_too_long(pool: WorkerPool, page: int, pattern: str) -> bool:
    """Say whether a page's text is read in time and this pattern is not done with it in time."""
    is_read = False
    try:
        worker = pool.start_worker()
        try:
            list(worker.ask({"do": "show", "pages": [page]}, 1))
            is_read = True
            list(worker.ask({"do": "find", "pages": [page], "pattern": pattern}, 1))
        finally:
            worker.close()
    except ChildFailed as failure:
        return is_read and failure.took_too_long
    return False


def _refusal(pool: WorkerPool, page: int, failure: ChildFailed) -> Refused:
    return Refused(
        "pdf-unreadable",
        f"Page {page + 1} of {pool.name} cannot be read ({failure}); please export the file again.",
    )


def _clues(message: list[Any]) -> Clues:
    return clues_from_message(message) if message else NO_CLUES
