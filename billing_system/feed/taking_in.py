"""Taking in a file of the feed: each movement once, our own known again, the rest counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_system.feed.changing import record_changes
from billing_system.feed.choices import acknowledge
from billing_system.feed.findings import CHANGED, UNKNOWN_ACCOUNT, WRONG_SIGN, Findings
from billing_system.feed.known import Known, read_known
from billing_system.feed.port import FeedFile
from database.audit import record_audit
from database.books import Database
from database.ledger.entries import add_up, record_entries
from database.ledger.locking import lock_balances
from database.ledger.tables import balance_entry, entry_told, feed_file
from database.queries.balances import open_balance
from database.queries.feed import read_unheard
from database.tables import balance_due
from domain.failures import Misuse, Refused
from domain.feeds import FeedKind, FeedMovement
from domain.ledger import BalanceEntry, EntryKind, EntrySource
from domain.money import ZERO, Money
from domain.words import say_count
from rules.feed import Arrived, NotCounted, Recognized, recognize, unsure_before

BATCH = 500  # movements that one transaction takes in
AHEAD = timedelta(days=5)  # a cashier's day may be some days later than ours
CLOCKS_DIFFER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FeedTerms:
    """What does not change while a file is taken in."""

    utility: str  # as the newest export names it; empty before the first
    timezone: str
    who: str
    posting_days: int = 3  # that a posting may take until it stands in the billing system


@dataclass(frozen=True, slots=True)
class Moved:
    """What a file did to what one account owes."""

    account: str
    before: Money
    after: Money


@dataclass(slots=True)
class FeedReport:
    """What a file of the feed changed."""

    name: str
    sequence: int | None
    written_at: datetime
    is_known: bool = False  # the same file was taken in before
    new: int = 0
    amount: Money = ZERO  # of the new ones that count
    known: int = 0
    ours: int = 0  # come back: they move nothing
    late: int = 0  # in the account's newest export already
    not_counted: int = 0  # shown, and not in the balance due
    changed: int = 0  # told before with another content: refused
    changes: int = 0  # of accounts
    acknowledged: int = 0
    moved: list[Moved] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)  # for a person, of this time alone
    unused: tuple[str, ...] = ()  # headings and files that are none of ours: nobody reads them


def take_in_file(database: Database, file: FeedFile, terms: FeedTerms, now: datetime) -> FeedReport:
    """
    Take in a file of the feed; it may come late, doubled, in any order, and again after a crash.

    Each movement counts once by its id. One that is our own payment come back moves nothing: it
    says that the billing system has it. So does one that the account's newest export has already.
    Raises Refused (`other-utility`) for somebody else's file, and Misuse for one of the future.
    """
    written_at = _written_at(file, terms, now)
    report = FeedReport(file.name, file.sequence, written_at, unused=file.unused)
    with database.writing() as books:
        number = _record_file(books, file, written_at, now, report)
        arriving = None if file.sequence is None else Arrived(file.sequence, report.written_at)
        gaps = read_unheard(books, arriving)
    findings = Findings(number, now)
    unsure = unsure_before(gaps)
    for some in _batches(file.movements):
        with database.writing() as books:
            _Batch(books, number, written_at, now, terms, report, findings).take_in(some, unsure)
    with database.writing() as books:
        for problem in file.problems:
            findings.add_problem(books, problem)
        report.changes = record_changes(
            books, number, file.changes, written_at, now, terms.who, findings
        )
        said = acknowledge(books, file.acknowledgements, now, terms.who)
        for unknown in said.unknown:
            findings.add_acknowledgement(books, unknown)
        report.acknowledged = said.news
        _end(books, number, now, terms, report)
    report.findings = [*findings.messages, *said.refused]
    return report


def to_moment(local: datetime, timezone: str) -> datetime:
    """
    Return the moment of a local time; of the hour that clocks show twice, the second.

    What was written or posted then may be later than an export of the first: it counts.
    """
    return local.replace(tzinfo=ZoneInfo(timezone), fold=1).astimezone(UTC)


def _written_at(file: FeedFile, terms: FeedTerms, now: datetime) -> datetime:
    """Return when a file was written: its own word, else now, since the times of files lie."""
    if file.utility and terms.utility and file.utility != terms.utility:
        raise Refused(
            "other-utility",
            f"{file.name} is the feed of {file.utility}, and this office is {terms.utility}'s; "
            "nothing was taken in.",
        )
    if file.written_at is None:
        return now
    moment = to_moment(file.written_at, terms.timezone)
    if moment > now + CLOCKS_DIFFER:
        raise Misuse(
            f"{file.name} says that it was written at {file.written_at}, which is still to come; "
            "correct its feed.toml or the clock.",
            "feed",
        )
    return moment


def _record_file(
    books: Connection,
    file: FeedFile,
    written_at: datetime,
    now: datetime,
    report: FeedReport,
) -> int:
    """
    Write down that a file has come, and return our number of it.

    It counts as come when all of it is in the books (`taken_in_at`): one that a crash has cut
    short is still missing. Raises Refused where its number was used for another file.
    """
    rows = feed_file.c
    same = rows.sha256 == file.sha256
    if file.sequence is not None:
        same = rows.sequence == file.sequence
    known = books.execute(sa.select(feed_file).where(same).order_by(rows.number)).first()
    if known is not None:
        if known.sha256 != file.sha256:
            raise Refused(
                "feed-number-used",
                f"{file.name} is file {file.sequence} of the feed, and another one of that number "
                f"was taken in as {known.name}; let the billing system number it anew. Nothing "
                "was taken in.",
            )
        report.is_known = known.taken_in_at is not None
        report.written_at = known.written_at
        return int(known.number)
    inserted = feed_file.insert().values(
        sequence=file.sequence,
        name=file.name,
        written_at=written_at,
        received_at=now,
        sha256=file.sha256,
        movements=len(file.movements),
        amount=file.amount,
    )
    return int(books.execute(inserted.returning(rows.number)).scalar_one())


def _end(
    books: Connection, number: int, now: datetime, terms: FeedTerms, report: FeedReport
) -> None:
    if not report.is_known:
        books.execute(
            feed_file.update().where(feed_file.c.number == number).values(taken_in_at=now)
        )
        record_audit(books, now, terms.who, "take in feed", report.name, say_report(report))


def say_report(report: FeedReport) -> str:
    """Say what a file changed, for people and for the audit list."""
    parts = [f"{say_count(report.new, 'new movement')}, {report.amount.dollars()}"]
    for count, words in (
        (report.ours, "of ours come back"),
        (report.late, "in the newest export already"),
        (report.not_counted, "not in the balance due"),
        (report.known, "known"),
        (report.changed, "refused: told before with another content"),
        (report.changes, "changes of accounts"),
        (report.acknowledged, "choices acknowledged"),
    ):
        if count:
            parts.append(f"{count:,} {words}")
    return "; ".join(parts)


def _batches(movements: Sequence[FeedMovement]) -> Iterator[list[FeedMovement]]:
    """Yield some movements at a time, an account's always together: ours may come in parts."""
    waiting = iter(sorted(movements, key=lambda one: one.key))
    some: list[FeedMovement] = []
    for movement in waiting:
        if len(some) >= BATCH and movement.key != some[-1].key:
            yield some
            some = []
        some.append(movement)
    if some:
        yield some


@dataclass(slots=True)
class _Batch:
    """Some movements on their way into the books, in one transaction."""

    books: Connection
    number: int
    written_at: datetime
    now: datetime
    terms: FeedTerms
    report: FeedReport
    findings: Findings

    def take_in(self, movements: Sequence[FeedMovement], unsure: datetime | None) -> None:
        keys = sorted({movement.key for movement in movements})
        lock_balances(self.books, keys, {one.key: one.account for one in movements})
        before = _balances(self.books, keys)
        known = read_known(self.books, movements, ZoneInfo(self.terms.timezone))
        by_account: dict[str, list[FeedMovement]] = {}
        for movement in movements:
            if self._is_new(movement, known):
                by_account.setdefault(movement.key, []).append(movement)
        entries, told = list[BalanceEntry](), dict[str, list[tuple[FeedMovement, Money]]]()
        for key, new in by_account.items():
            found = recognize(
                new,
                known.own(key),
                unsure_before=unsure,
                posting_days=self.terms.posting_days,
            )
            entries += self._to_entries(key, new, found, known)
            for movement in new:
                if (entry := found.ours.get(movement.movement_id)) is not None:
                    part = found.parts.get(movement.movement_id, movement.amount)
                    told.setdefault(entry, []).append((movement, part))
        record_entries(self.books, entries, now=self.now, who=self.terms.who)
        self._count(entries)
        add_up(self.books, self._mark_told(told, known))
        self._report_moved(before, _balances(self.books, keys))

    def _is_new(self, movement: FeedMovement, known: Known) -> bool:
        """Tell whether a movement was never told; one that was told otherwise is refused."""
        before = known.told(movement)
        if before is None:
            latest = self.now.astimezone(ZoneInfo(self.terms.timezone)).date() + AHEAD
            if movement.happened_on > latest:
                message = f"is of {movement.happened_on}, which is too far ahead; it was not taken"
                self.findings.add(self.books, movement, "movement-of-the-future", message)
                return False
            return True
        if before == (movement.key, movement.amount):
            self.report.known += 1
            return False
        self.report.changed += 1
        message = (
            f"was {before[1]} when it was told first and is {movement.amount} now; the first "
            "stands. What is taken back needs a movement of its own"
        )
        self.findings.add(self.books, movement, CHANGED, message)
        return False

    def _to_entries(
        self, key: str, new: Iterable[FeedMovement], found: Recognized, known: Known
    ) -> Iterator[BalanceEntry]:
        """Yield the entries that the movements of an account make, and note what is odd."""
        told: list[FeedMovement] = []
        for movement in new:
            part = found.parts.get(movement.movement_id)
            if movement.movement_id in found.ours and part is None:
                continue
            amount = movement.amount if part is None else movement.amount - part
            odd = found.odd.get(movement.movement_id)
            entry = self._to_entry(movement, amount, counts=odd is not NotCounted.VOIDED)
            if odd is not None:
                message = _ODD[odd].format(amount=amount, key=movement.movement_id)
                self.findings.add(self.books, movement, odd.value, message, entry.key)
            if not known.has_account(key):
                message = "is on an account that no export has; it counts all the same"
                self.findings.add(self.books, movement, UNKNOWN_ACCOUNT, message)
            if odd is None and part is None and self._adds_what_nobody_paid(movement, told):
                self.findings.add(self.books, movement, WRONG_SIGN, _WRONG_SIGN)
            told.append(movement)
            yield entry

    def _adds_what_nobody_paid(self, movement: FeedMovement, told: Sequence[FeedMovement]) -> bool:
        """
        Tell whether a payment adds to what is owed and takes no payment back that was told.

        A billing system that writes payments above zero would have each customer asked twice; an
        export that does so is told of by the check `wrong-sign`.
        """
        if movement.kind is not FeedKind.PAYMENT or movement.amount <= ZERO:
            return False
        if any(one.amount == -movement.amount for one in told):
            return False
        rows = balance_entry.c
        taken_back = sa.exists().where(
            rows.account_key == movement.key,
            rows.kind == EntryKind.PAYMENT,
            rows.amount == -movement.amount,
        )
        return not self.books.scalar(sa.select(taken_back))

    def _to_entry(self, movement: FeedMovement, amount: Money, *, counts: bool) -> BalanceEntry:
        posted_at = movement.posted_at and to_moment(movement.posted_at, self.terms.timezone)
        return BalanceEntry(
            key=movement.entry_key,
            account_key=movement.key,
            kind=_KINDS[movement.kind],
            amount=amount,
            happened_on=movement.happened_on,
            happened_at=posted_at,
            source=EntrySource.FEED,
            counts=counts and movement.in_balance_due,
            reference=movement.reference or None,
            told_at=self.written_at,
        )

    def _count(self, entries: Sequence[BalanceEntry]) -> None:
        """Count what the ledger made of them: it too may know that an export has one."""
        rows = balance_entry.c
        query = sa.select(rows.amount, rows.counts, rows.in_export_of).where(
            rows.key.in_([entry.key for entry in entries])
        )
        for row in self.books.execute(query):
            if row.in_export_of is not None:
                self.report.late += 1
            elif not row.counts:
                self.report.not_counted += 1
            else:
                self.report.new += 1
                self.report.amount += row.amount

    def _mark_told(
        self, told: dict[str, list[tuple[FeedMovement, Money]]], known: Known
    ) -> list[str]:
        """Write down which entries of ours came back; return the accounts of those that did."""
        rows = [
            {
                "movement_id": movement.movement_id,
                "entry_key": key,
                "amount": part,
                "feed": self.number,
            }
            for key, movements in told.items()
            for movement, part in movements
        ]
        if not rows:
            return []
        self.report.ours += len(rows)
        self.books.execute(entry_told.insert(), rows)
        accounts = set()
        for key, movements in told.items():
            entry = known.entry(key)
            back = entry.come_back + Money.total(part for _, part in movements)
            if back == entry.amount and not entry.is_told:
                self.books.execute(
                    balance_entry.update()
                    .where(balance_entry.c.key == key)
                    .values(told_at=self.written_at)
                )
                accounts.add(movements[0][0].key)
        return sorted(accounts)

    def _report_moved(
        self, before: dict[str, tuple[str, Money]], after: dict[str, tuple[str, Money]]
    ) -> None:
        for key, (account, amount) in after.items():
            earlier = before[key][1] if key in before else ZERO
            if earlier != amount:
                self.report.moved.append(Moved(account, earlier, amount))


def _balances(books: Connection, keys: Sequence[str]) -> dict[str, tuple[str, Money]]:
    rows = balance_due.c
    query = sa.select(rows.account_key, rows.account, open_balance().label("open"))
    some = query.where(rows.account_key.in_(keys)).order_by(rows.account_key)
    return {row.account_key: (row.account, row.open) for row in books.execute(some)}


_KINDS = {
    FeedKind.PAYMENT: EntryKind.PAYMENT,
    FeedKind.ADJUSTMENT: EntryKind.ADJUSTMENT,
    FeedKind.PENALTY: EntryKind.PENALTY,
    FeedKind.FEE: EntryKind.FEE,
}
_WRONG_SIGN = (
    "is a payment that adds to what is owed, and takes back none that we were told of; it counts. "
    "Payments are negative: correct its sign by a movement of its own, or confirm that it is right"
)
_ODD = {
    NotCounted.VOIDED: (
        "takes our receipt out of the billing system, and we know of no return: the gateway has "
        "the money still. It counts for nothing until `billclose balances decide {key} --carried` "
        "or `--contained` says so"
    ),
    NotCounted.EXCEEDS: "is {amount} more than what we moved under that number; it counts",
}
