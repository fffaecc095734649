"""A worker at work: it reads pages and files bills; whatever takes it down ends nothing else."""

from __future__ import annotations

import base64
import json
import re
import socket
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from domain.accounts import account_key
from domain.bills import BillRange
from domain.failures import Refused
from splitter.association.clues import ClueTaker
from splitter.association.names import Sieve
from splitter.copying.copier import BillCopier
from splitter.copying.labels import NO_LABELS, CopyLabels
from splitter.copying.pictures import BulkPictures
from splitter.copying.verifying import (
    Examination,
    ForeignAccounts,
    VerificationPolicy,
    examine,
    find_stranger_in_tags,
)
from splitter.direct_text.page_facts import DirectFacts
from splitter.pdf.bookmarks import BrokenOutline, bookmark_titles, read_bookmarks
from splitter.pdf.pages import PageTree, units_of_tree
from splitter.pdf.source import LET_GO_AFTER, SourceFile
from splitter.reading.copies import CopyReader
from splitter.reading.page import DocumentText, ReadersDisagree
from splitter.store.bill_store import BillStore
from splitter.text.normalizing import normalized, text_checksum
from splitter.text.page_facts import NearMissSearch
from splitter.text.patterns import Patterns
from splitter.text.pdfium import CannotOpen
from splitter.workers.messages import (
    bill_from_message,
    clues_to_message,
    facts_to_message,
    to_line,
)


class CopyWorker:
    """
    Makes bills' documents; one that does not pass its reading back is not written.

    `store` is None where only the parent can write; it is then sent the bytes.
    """

    def __init__(
        self,
        copier: BillCopier,
        patterns: Patterns,
        foreign_accounts: ForeignAccounts,
        store: BillStore | None,
        verification_policy: VerificationPolicy,
        pictures: BulkPictures,
        labels: CopyLabels = NO_LABELS,
        reader: CopyReader | None = None,
    ) -> None:
        self._copier = copier
        self._reader = reader
        self._labels = labels
        self._pictures = pictures
        self._patterns = patterns
        self._foreign_accounts = foreign_accounts
        self._store = store
        self._verification_policy = verification_policy

    def make(self, bills: Sequence[tuple[int, str, BillRange]]) -> list[dict[str, Any]]:
        """
        Return, for each bill with its place in the bulk file and its path, what became of it.

        When this returns they are all in the store, to stay when the store has settled.
        """
        if self._store is None:
            return [self._made(index, bill)[0] for index, _, bill in bills]
        answers = []
        for index, path, bill in bills:
            answer, copy = self._made(index, bill)
            if not answer["finding"]:
                self._store.write_soon(path, copy)
            answers.append(answer)
        return answers

    def _made(self, index: int, bill: BillRange) -> tuple[dict[str, Any], bytes]:
        try:
            made = self._copier.make(bill.pages, self._labels)
        except Refused:  # the other bills are none the worse for it
            finding = "holds something that cannot be copied safely"
            return {"finding": finding, "read_back": False, "audited": False}, b""
        copy = made.content
        stranger = find_stranger_in_tags(made.texts, bill, self._foreign_accounts)
        found = Examination((stranger,)) if stranger else self._examined(index, bill, copy)
        answer: dict[str, Any] = {"read_back": found.is_read_back, "audited": found.is_audited}
        if found.findings:
            return answer | {"finding": found.findings[0]}, b""
        answer |= {"finding": "", "sha256": made.sha256, "bytes": len(copy)}
        answer |= {"tagging": made.tagging.value}
        if self._store is None:
            answer["copy"] = base64.b64encode(copy).decode()
        return answer, copy

    def _examined(self, index: int, bill: BillRange, copy: bytes) -> Examination:
        reads_back, audits = (
            self._verification_policy.reads_back(index),
            self._verification_policy.audits(index),
        )
        if not reads_back and not audits:
            return Examination()
        found = examine(
            copy, bill, self._patterns, self._foreign_accounts, reads_back=reads_back,
            audits=audits, reader=self._reader,
        )  # fmt: skip
        if audits and not found.findings:
            finding = self._pictures.finding(copy, bill.pages)
            found = replace(found, findings=(finding,) if finding else ())
        return found


PATIENCE_SECONDS = 0.2  # so long answers are collected before they are sent


class PageWorker:
    """
    What a worker does with the open bulk file; its requests are lines of JSON.

    `read` answers with the facts and clues of pages, and with null where two readers disagree about
    one; with `by_engines` the engines read them all, and `know` tells before it which marks may
    be customers' names. `show` answers with their text, `find` with what a pattern finds on
    them and where, `bookmarks` with the titles of the file's bookmarks, `outline` with the accounts
    that they name and the pages they lead to. `file` takes bills and answers with what became of
    each; `terms` come before it.
    `is_careful` sends every answer at once, so that the parent knows on which page or bill a worker
    went down.
    """

    def __init__(self, path: Path, source: SourceFile, pages: PageTree, patterns: Patterns) -> None:
        self._path = path
        self._source = source
        self._pages = pages
        self._patterns = patterns
        self._copier: BillCopier | None = None
        self._document: DocumentText | None = None
        self._by_engines = False
        self._clues = ClueTaker(NearMissSearch.of(patterns).label, Sieve())
        self._copy_worker: CopyWorker | None = None

    def prepare_copies(self) -> None:
        """Do before a fork what every worker that copies would have to do."""
        if self._copier is None:
            self._copier = BillCopier(self._source, self._pages)

    def serve(self, channel: socket.socket) -> None:
        """Answer requests until the channel is closed."""
        for line in channel.makefile("rb"):
            request = json.loads(line)
            try:
                self._answer(request, channel)
            except Refused as refusal:
                channel.sendall(to_line({"refused": [refusal.code, refusal.message]}))
            except OSError as failure:
                reason = [failure.errno, failure.strerror, failure.filename]
                channel.sendall(to_line({"system": reason}))

    def _answer(self, request: dict[str, Any], channel: socket.socket) -> None:
        match request["do"]:
            case "know":
                bits = zlib.decompress(base64.b64decode(request["names"]))
                self._clues = replace(self._clues, sieve=Sieve(bits))
            case "read":
                self._by_engines = request["by_engines"]
                pages = range(request["first"], request["last"])
                self._source.let_go_after(LET_GO_AFTER, len(pages))
                _send(channel, map(self._read, pages), request["is_careful"])
            case "show":
                _send(channel, map(self._text, request["pages"]), is_careful=True)
            case "find":
                pattern = re.compile(request["pattern"])
                text_positions = (
                    self._opened().text_positions(page, pattern) for page in request["pages"]
                )
                _send(channel, text_positions, is_careful=True)
            case "bookmarks":
                channel.sendall(to_line([bookmark_titles(self._source, request["most"])]))
            case "outline":
                channel.sendall(to_line([outline_of(self._pages, self._patterns)]))
            case "terms":
                self._copy_worker = self._made_ready(request)
            case "file":
                assert self._copy_worker is not None
                bills = [
                    (index, path, bill_from_message(bill)) for index, path, bill in request["bills"]
                ]
                if request["is_careful"]:
                    for bill in bills:
                        channel.sendall(to_line(self._copy_worker.make([bill])))
                else:
                    channel.sendall(to_line(self._copy_worker.make(bills)))

    def _read(self, page: int) -> list[Any] | None:
        try:
            facts, text = self._opened().facts(page)
        except ReadersDisagree:
            return None
        told = facts_to_message(facts, text_checksum(text))
        if facts.is_separator:
            return [told, []]
        clues = self._clues.take(text, page, len(self._pages), is_named=bool(facts.accounts))
        return [told, clues_to_message(clues)]

    def _text(self, page: int) -> str:
        return self._opened().text(page)

    def _opened(self) -> DocumentText:
        if self._document is None:
            units = units_of_tree(self._pages)
            plain = DirectFacts(self._source, self._pages, self._patterns)
            try:
                self._document = DocumentText(
                    self._path, self._patterns, units, None if self._by_engines else plain
                )
            except CannotOpen as failure:
                raise self._not_opened(failure) from None
            if self._document.pages != len(self._pages):
                raise Refused(
                    "pdf-unreadable",
                    f"{self._path.name} is damaged: one reader counts {len(self._pages)} pages,"
                    f" another {self._document.pages}; please export it again.",
                )
        return self._document

    def _not_opened(self, failure: CannotOpen) -> Refused:
        """Say why: an empty password may be the owner's, whom one reader lets in and others not."""
        if failure.is_locked:
            said = "is locked by a password; please export it without one."
        else:
            said = "is damaged: one reader cannot open it; please export it again."
        return Refused("pdf-unreadable", f"{self._path.name} {said}")

    def _made_ready(self, terms: dict[str, Any]) -> CopyWorker:
        assert self._copier is not None
        return CopyWorker(
            self._copier,
            self._patterns,
            ForeignAccounts(frozenset(terms["foreign_accounts"])),
            BillStore(terms["folder"]) if terms["folder"] is not None else None,
            VerificationPolicy(terms["read_back_every"], terms["audit_every"]),
            BulkPictures(self._path),
            CopyLabels(*terms["labels"]),
            CopyReader(self._patterns) if terms["reads_directly"] else None,
        )


def outline_of(pages: PageTree, patterns: Patterns) -> dict[str, Any]:
    """Return the bookmarks as the pattern for titles sees them, or what is wrong with them."""
    pattern = patterns.title
    assert pattern is not None
    try:
        marks = read_bookmarks(pages)
    except BrokenOutline as failure:
        return {"broken": str(failure), "marks": []}
    return {"marks": [[mark.level, mark.page, *_named(mark.title, pattern)] for mark in marks]}


def _named(title: str, pattern: re.Pattern[str]) -> tuple[list[str], bool]:
    """Return the accounts that the lines of a title name, and whether it has none: a cover."""
    found = (
        (match[1] or "").strip()
        for line in normalized(title).split("\n")
        for match in pattern.finditer(line)
    )
    return list({account_key(one): one for one in found if account_key(one)}.values()), not title


def _send(channel: socket.socket, answers: Iterable[Any], is_careful: bool) -> None:
    ready: list[Any] = []
    sent_at = time.monotonic()
    for answer in answers:
        ready.append(answer)
        if is_careful or time.monotonic() - sent_at > PATIENCE_SECONDS:
            channel.sendall(to_line(ready))
            ready, sent_at = [], time.monotonic()
    if ready:
        channel.sendall(to_line(ready))
