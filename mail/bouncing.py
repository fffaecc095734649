"""Bounces, dealt with: each mail that came back once, with all that follows from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from database.books import Database
from database.tables import bounce
from domain.bounces import BounceKind, Judgement
from domain.deliveries import DeliveryStatus
from mail.bounce_effects import carry_out, record_bounce
from mail.bounce_matching import find_delivery
from mail.bounce_reading import Report, Returned, read_returned
from mail.inbox import Inbox, ReturnedMail
from mail.unsubscribing import Unsubscribing
from mail.unsubscriptions import Unsubscription, record_unsubscription, token_in_mail
from mail.verp import Verp
from rules.bounces import SUCCESSES, judge

_RANKS = ("failed", "delayed", "")  # of several recipients, the worst news


@dataclass(frozen=True, slots=True)
class BounceCounts:
    """What came of the mails that were read, and what followed."""

    hard: int = 0
    soft: int = 0
    delayed: int = 0
    unknown: int = 0
    policy: int = 0  # of the hard ones: refused for what the mail is or who we are
    answers: int = 0  # automatic answers and notices of success: ignored
    before: int = 0  # dealt with earlier and not yet moved away
    left: int = 0  # of a mail that is being sent at this moment: for next time
    unsubscribed: int = 0  # no bounces: customers who want no communications
    suppressed: int = 0
    paper: int = 0

    def __add__(self, other: BounceCounts) -> BounceCounts:
        names = self.__dataclass_fields__
        return BounceCounts(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True, slots=True)
class BounceBook:
    """Where bounces are written down: the books, at one moment, in somebody's name."""

    database: Database
    verp: Verp | None
    now: datetime
    who: str
    unsubscribing: Unsubscribing | None = None  # where its mails come to the same inbox
    counts: Counter[str] = field(default_factory=Counter)

    def process(self, inbox: Inbox) -> BounceCounts:
        """
        Deal with every unread mail and return the counts.

        Each mail is one transaction, and it is marked as read only after that: a kill between the
        two makes it come up again, and then it is known.
        """
        self.counts.clear()
        for mail in inbox.unread():
            if self._deal_with(mail):
                inbox.mark_read(mail)
        return BounceCounts(**self.counts)

    def _deal_with(self, mail: ReturnedMail) -> bool:
        """Record one mail; False: it has to wait."""
        if self._unsubscribes(mail):
            self.counts["unsubscribed"] += 1
            return True
        returned = read_returned(mail.content)
        report = _worst(returned.reports)
        if returned.is_answer or report.action in SUCCESSES:
            self.counts["answers"] += 1
            return True
        counted: Counter[str] = Counter()
        try:
            with self.database.writing() as books:
                done = self._record(books, mail, returned, report, counted)
        except IntegrityError:  # somebody else was at the same thing: look again next time
            counted, done = Counter(left=1), False
        self.counts.update(counted)
        return done

    def _unsubscribes(self, mail: ReturnedMail) -> bool:
        """Honor a mail that asks for no communications; one with nobody's token is no such mail."""
        token = token_in_mail(mail.content) if self.unsubscribing else ""
        if self.unsubscribing is None or not token:
            return False
        done = record_unsubscription(
            self.database, token, unsubscribing=self.unsubscribing, now=self.now, who=self.who
        )
        return done is not Unsubscription.UNKNOWN

    def _record(
        self,
        books: Connection,
        mail: ReturnedMail,
        returned: Returned,
        report: Report,
        counted: Counter[str],
    ) -> bool:
        if books.execute(sa.select(bounce.c.id).where(bounce.c.id == returned.id)).first():
            counted["before"] += 1
            return True
        found, is_certain = find_delivery(books, returned, self.verp)
        if found is not None and found.status == DeliveryStatus.SENDING:
            counted["left"] += 1  # its state is in another process's hands
            return False
        judgement = judge(report.action, report.status)
        if found is None or not is_certain:
            judgement = Judgement(BounceKind.UNKNOWN)
        identity = returned.id
        record_bounce(books, identity, mail.received_at, self.now, found, report, judgement)
        counted[report.action if report.action == "delayed" else judgement.kind.value] += 1
        if found is not None:
            counted.update(carry_out(books, found, judgement, report.status, self.now, self.who))
        return True


def _worst(reports: tuple[Report, ...]) -> Report:
    ranked = sorted(
        reports,
        key=lambda report: _RANKS.index(report.action if report.action in _RANKS else ""),
    )
    return ranked[0] if ranked else Report("", "", "")
