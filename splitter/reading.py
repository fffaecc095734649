"""Reading a bulk file: what each of its pages says."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Self

from domain.bills import PageFacts
from domain.failures import Refused
from splitter.children import PAGE_SECONDS, Child, ChildFailed
from splitter.messages import facts_from_message
from splitter.opening import open_bulk_file
from splitter.patterns import Patterns

CHUNK_PAGES = 64  # small enough to share a file out evenly, large enough to hide the asking
FEWEST_PAGES_A_CHILD = 150  # a child costs about a quarter of a second to start

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

    `progress` is called with the number of pages read since it was called last, by one thread at
    a time. A page that takes its reader down is tried once more alone. Raises Refused
    (pdf-unreadable) where it fails again or where the file is not sound.
    """
    pages = open_bulk_file(path)
    chunks = [(first, min(first + CHUNK_PAGES, pages)) for first in range(0, pages, CHUNK_PAGES)]
    workers = max(1, min(processes or processors(), len(chunks), -(-pages // FEWEST_PAGES_A_CHILD)))
    shares = [_Share(path, patterns, pages, page_seconds) for _ in range(workers)]

    facts = _read_shares(shares, chunks, progress)
    assert [page.page for page in facts] == list(range(pages))
    return facts


def _read_shares(
    shares: list[_Share], chunks: list[tuple[int, int]], progress: Progress | None
) -> list[PageFacts]:
    waiting = iter(chunks)
    turn = Lock()
    facts: list[PageFacts] = []

    def work_off(share: _Share) -> None:
        with share:
            for first, last in waiting:
                read = share.read(first, last)
                with turn:
                    facts.extend(read)
                    if progress is not None:
                        progress(last - first)

    with ThreadPoolExecutor(len(shares)) as pool:
        for worker in [pool.submit(work_off, share) for share in shares]:
            worker.result()
    return sorted(facts, key=lambda page: page.page)


class _Share:
    """One thread's child; a new one takes over where a page took it down."""

    def __init__(self, path: Path, patterns: Patterns, pages: int, page_seconds: float) -> None:
        self._path = path
        self._patterns = patterns
        self._pages = pages
        self._page_seconds = page_seconds
        self._child: Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._give_up_child()

    def read(self, first: int, last: int) -> list[PageFacts]:
        """Read pages first to last - 1; a page that fails twice is refused by its number."""
        facts: list[PageFacts] = []
        failed_page = -1
        while (page := first + len(facts)) < last:
            until = page + 1 if page == failed_page else last
            try:
                for message in self._ready_child().read(page, until):
                    facts.append(facts_from_message(message))
            except ChildFailed as failure:
                self._give_up_child()
                page = first + len(facts)
                if page == failed_page:
                    raise self._refusal(page, failure) from None
                failed_page = page
        return facts

    def _ready_child(self) -> Child:
        if self._child is None:
            self._child = Child(self._path, self._patterns, page_seconds=self._page_seconds)
            if self._child.pages != self._pages:
                raise Refused(
                    "pdf-unreadable",
                    f"{self._path.name} is damaged: one reader counts {self._pages} pages, another"
                    f" {self._child.pages}; please export it again.",
                )
        return self._child

    def _give_up_child(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None

    def _refusal(self, page: int, failure: ChildFailed) -> Refused:
        return Refused(
            "pdf-unreadable",
            f"Page {page + 1} of {self._path.name} cannot be read ({failure});"
            " please export the file again.",
        )


def processors() -> int:
    return len(os.sched_getaffinity(0))
