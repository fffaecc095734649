"""Bounces, dealt with: each mail that came back once, with all that follows from it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from database.audit import record_audit
from database.books import Database
from database.tables import bounce, delivery
from domain.bounces import BounceKind, Judgement
from domain.deliveries import DeliveryStatus
from domain.failures import Misuse
from mail.bounces.effects import carry_out, record_bounce
from mail.bounces.inbox import Inbox, ReturnedMail
from mail.bounces.reading import DeliveryReport, ParsedBounce, read_returned, to_status
from mail.letters.links import Unsubscribing
from mail.message.addresses import Verp
from mail.recipients.suppressed import put_on_paper
from mail.recipients.unsubscribed import (
    Unsubscription,
    record_unsubscription,
    token_in_mail,
    unsubscribe_mailbox,
)
from rules.mail.bounces import SUCCESSES, judge

_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_TOKEN = re.compile(r"[a-z2-7]{16}")
_COLUMNS = [
    delivery.c[name] for name in ("key", "period", "account_key", "account", "address", "status")
]


def find_delivery(
    books: Connection, returned: ParsedBounce, verp: Verp | None
) -> tuple[sa.Row[Any] | None, bool]:
    """
    Find the delivery by signed token, else by envelope id, else by the returned Message-ID.

    The second value tells whether it is certain. Where our mails carry signed senders, a mail
    without one is not: envelope ids and Message-IDs can be guessed, and the delivery is named for
    a person to judge by.
    """
    if verp is not None:
        for place in returned.places:
            for token in verp.tokens(place):
                found = _one(books, delivery.c.token == token)
                if found is not None:
                    return found, True
    return _by_names(books, returned), verp is None


def _by_names(books: Connection, returned: ParsedBounce) -> sa.Row[Any] | None:
    envelope_id = _from_xtext(returned.envelope_id)
    token = _TOKEN.search(envelope_id.lower())
    if token is not None:
        found = _one(books, delivery.c.token == token[0])
        if found is not None:
            return found
    for message_id in (f"<{envelope_id.strip('<>')}>", returned.message_id):
        found = _one(books, delivery.c.message_id == message_id)
        if found is not None:
            return found
    return _one(books, delivery.c.key == envelope_id)


def _one(books: Connection, is_it: sa.ColumnElement[bool]) -> sa.Row[Any] | None:
    return books.execute(sa.select(*_COLUMNS).where(is_it)).one_or_none()


def _from_xtext(text: str) -> str:
    """Undo the coding of envelope ids (RFC 3461, 4): `+2B` is a plus."""
    return _XTEXT.sub(lambda found: chr(int(found[1], 16)), text)


_COUNTED = {
    BounceKind.HARD: "hard",
    BounceKind.SOFT: "soft",
    BounceKind.UNKNOWN: "unknown",
    BounceKind.COMPLAINT: "complaints",
}
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
    complaints: int = 0  # no bounces: mails that customers called spam; communications end
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
        is_answer = returned.is_answer and not returned.is_complaint
        if is_answer or report.action in SUCCESSES:
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
        returned: ParsedBounce,
        report: DeliveryReport,
        counted: Counter[str],
    ) -> bool:
        if books.execute(sa.select(bounce.c.id).where(bounce.c.id == returned.id)).first():
            counted["before"] += 1
            return True
        found, is_certain = find_delivery(books, returned, self.verp)
        if found is not None and found.status == DeliveryStatus.SENDING:
            counted["left"] += 1  # its state is in another process's hands
            return False
        is_sure = found is not None and is_certain
        if returned.is_complaint and is_sure and found is not None:
            judgement = Judgement(BounceKind.COMPLAINT)
            mailbox = found.address.casefold()
            unsubscribe_mailbox(books, mailbox, self.now, self.who, subject=found.account)
        elif is_sure and not (returned.in_words and self.verp is None):
            judgement = judge(
                report.action, report.status, report.diagnostic, in_words=returned.in_words
            )
        else:
            judgement = Judgement(BounceKind.UNKNOWN)
        record_bounce(books, mail, returned, self.now, found, report, judgement)
        is_late = report.action == "delayed" and judgement.kind is BounceKind.SOFT
        counted["delayed" if is_late else _COUNTED[judgement.kind]] += 1
        if found is not None:
            counted.update(carry_out(books, found, judgement, report.status, self.now, self.who))
        return True


def _worst(reports: tuple[DeliveryReport, ...]) -> DeliveryReport:
    ranked = sorted(
        reports,
        key=lambda report: _RANKS.index(report.action if report.action in _RANKS else ""),
    )
    return ranked[0] if ranked else DeliveryReport("", "", "")


_REPLY = re.compile(r"[45]\d\d( |$)")


def record_refusals(
    database: Database, period: str | None = None, *, now: datetime, who: str
) -> BounceCounts:
    """
    Draw the conclusions from what failed at sending: mailboxes suppressed, bills put on paper.

    Each refusal counts once, however often this is done. Without a run, those of all runs are
    looked at; so what a kill left undone is made up for.
    """
    counted: Counter[str] = Counter()
    with database.writing() as books:
        for row in books.execute(_refused(period)).all():
            identity = _identity(row)
            known = sa.select(bounce.c.id).where(bounce.c.id == identity)
            if not _REPLY.match(row.error) or books.execute(known).first():
                continue
            report = DeliveryReport("failed", to_status("", row.error), row.error)
            judgement = judge(report.action, report.status, report.diagnostic)
            returned = ParsedBounce(identity, (), "", "", (report,), is_answer=False)
            record_bounce(books, None, returned, now, row, report, judgement)
            counted[judgement.kind.value] += 1
            counted.update(carry_out(books, row, judgement, report.status, now, who))
        counted["paper"] += put_on_paper(books, period)
    return BounceCounts(**counted)


def _refused(period: str | None) -> sa.Select[Any]:
    """Select what a server said no to; what we refused ourselves says nothing of the mailbox."""
    select = sa.select(delivery).where(
        delivery.c.status == DeliveryStatus.FAILED,
        delivery.c.bounced_at.is_(None),
        sa.or_(delivery.c.error.startswith("4"), delivery.c.error.startswith("5")),
    )
    return select if period is None else select.where(delivery.c.period == period)


def _identity(row: sa.Row[Any]) -> str:
    """Name one refusal: a mail that a person sends again may be refused again."""
    told = f"refused/{row.next_try_at.isoformat()}/{row.attempts}/{row.key}"
    return hashlib.sha256(told.encode()).hexdigest()


SHORTEST_ID = 6


def settle_bounces(
    database: Database,
    identities: Sequence[str],
    reason: str,
    *,
    failed: bool,
    now: datetime,
    who: str,
) -> list[str]:
    """
    Take bounces off the clerk's list; return the accounts' numbers, empty for one of nobody's.

    `failed`: the mails did not arrive, so their bills go on paper where no other mailbox took
    them. An identity may be cut short. All are settled or none: raises Misuse where one names
    none or several, or where a mail failed of which nobody knows whose it was.
    """
    with database.writing() as books:
        return [
            _settle(books, identity, reason, failed=failed, now=now, who=who)
            for identity in dict.fromkeys(identities)
        ]


def _settle(
    books: Connection, identity: str, reason: str, *, failed: bool, now: datetime, who: str
) -> str:
    found = books.execute(
        sa.select(bounce.c.id, bounce.c.delivery_key).where(
            bounce.c.id.startswith(identity, autoescape=True),
            bounce.c.kind.in_((BounceKind.UNKNOWN, BounceKind.COMPLAINT)),
            bounce.c.settled_at.is_(None),
        )
    ).all()
    if len(identity) < SHORTEST_ID or len(found) != 1:
        raise Misuse(
            f"{identity[:12] or 'An empty id'} names no bounce that waits for a person, or "
            "several; `billclose bounces list` shows their ids. Nothing was changed."
        )
    row = books.execute(
        sa.select(delivery).where(delivery.c.key == found[0].delivery_key)
    ).one_or_none()
    if row is None and failed:
        raise Misuse(
            f"Nobody knows which bill bounce {found[0].id[:12]} is about; print the bill by hand. "
            "Nothing was changed."
        )
    books.execute(bounce.update().where(bounce.c.id == found[0].id).values(settled_at=now))
    if row is not None and failed:
        carry_out(books, row, Judgement(BounceKind.HARD, fails=True), "by hand", now, who)
    account = "" if row is None else str(row.account)
    act = "settle bounce as failed" if failed else "settle bounce"
    record_audit(books, now, who, act, account or found[0].id[:12], reason)
    return account
