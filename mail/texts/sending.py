"""A worker that hands over the texts that are due, and writes down what came of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime

from database.books import Database
from domain.deliveries import DeliveryStatus, MessageKind
from domain.failures import PermanentFailure, TemporaryFailure
from mail.port import Result
from mail.texts.consents import stop_phone
from mail.texts.outbox import (
    ClaimedText,
    claim_texts,
    keep_words,
    mark_text,
    put_text_back,
    recover_texts,
    send_again,
)
from mail.texts.port import OutgoingText, TextOutcome, TextSender

Words = Callable[[ClaimedText], str]
AT_ONCE = 4  # requests under way; carriers take a few a second from one sender
BATCH = 40


@dataclass(frozen=True, slots=True)
class TextCounts:
    """What became of the texts tried; `stopped_by` says why it ended early, if it did."""

    sent: int = 0
    failed: int = 0
    deferred: int = 0
    in_doubt: int = 0
    stopped_by: str = ""


def send_due_texts(
    database: Database,
    sender: TextSender,
    words: Words,
    *,
    clock: Callable[[], datetime],
    owner: str,
    kinds: Collection[MessageKind],
) -> TextCounts:
    """
    Send what is due of some kinds, and return what became of it.

    `words` makes a text when it leaves, and raises PermanentFailure for one that has nothing to
    say any more. No transaction is open while the network is. What is in doubt is looked up, and
    goes again only where the carrier has not got it. Where the carrier is away, all is put back.
    """
    worker = _Worker(database, sender, words, clock, owner)
    recover_texts(database, clock(), owner)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="texts") as pool:
        while not worker.stopped_by:
            due = claim_texts(database, owner, clock(), BATCH, kinds)
            if not due:
                break
            for done in as_completed([pool.submit(worker.handle, row) for row in due]):
                done.result()
    return worker.counts()


class _Worker:
    """Handles one text in one thread; the first failure of all stops the rest."""

    def __init__(
        self,
        database: Database,
        sender: TextSender,
        words: Words,
        clock: Callable[[], datetime],
        owner: str,
    ) -> None:
        self._database, self._sender, self._words = database, sender, words
        self._clock, self._owner = clock, owner
        self._statuses: Counter[DeliveryStatus] = Counter()
        self.stopped_by = ""

    def counts(self) -> TextCounts:
        known = self._statuses
        return TextCounts(
            known[DeliveryStatus.SENT],
            known[DeliveryStatus.FAILED],
            known[DeliveryStatus.DEFERRED],
            known[DeliveryStatus.IN_DOUBT],
            self.stopped_by,
        )

    def handle(self, row: ClaimedText) -> None:
        if self.stopped_by:
            self._put_back(row, "")
            return
        try:
            words = self._words_of(row)
        except PermanentFailure as failure:
            self._mark(row, TextOutcome(Result.FAILED, error=str(failure)))
            return
        except TemporaryFailure as failure:
            self._mark(row, TextOutcome(Result.DEFERRED, error=str(failure)))
            return
        text = OutgoingText(row.key, row.phone, words, row.handed_at)
        try:
            self._look_up(row, text) if row.is_in_doubt else self._mark(
                row, self._sender.send(text)
            )
        except (TemporaryFailure, PermanentFailure) as failure:
            self.stopped_by = str(failure)
            self._put_back(row, str(failure))

    def _words_of(self, row: ClaimedText) -> str:
        """Make the words and keep them: what is in doubt is looked up by what was said."""
        if row.words is not None:
            return row.words
        words = self._words(row)
        if row.kind is not MessageKind.ACCESS:  # a code stands nowhere but on the phone
            with self._database.writing() as books:
                keep_words(books, self._owner, row, words)
        return words

    def _look_up(self, row: ClaimedText, text: OutgoingText) -> None:
        found = self._sender.look_up(text)
        if found is not None:
            self._mark(row, found)
            return
        with self._database.writing() as books:
            send_again(books, self._owner, self._clock(), row)

    def _mark(self, row: ClaimedText, outcome: TextOutcome) -> None:
        with self._database.writing() as books:
            status = mark_text(books, self._owner, self._clock(), row, outcome)
            if outcome.is_unwanted:
                stop_phone(books, row.phone, self._clock(), "told by the carrier")
        self._statuses[status] += 1

    def _put_back(self, row: ClaimedText, why: str) -> None:
        with self._database.writing() as books:
            put_text_back(books, self._owner, self._clock(), row, why)
