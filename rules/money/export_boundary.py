"""Which of our outstanding entries an export contains: one account, values in, values out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import combinations

from domain.ledger import ContainedBy
from domain.money import ZERO, Money
from domain.movements import MovementKind

MOST_PARTS = 4  # lines that one payment is split into, or payments that one line merges
MOST_LINES = 8  # of a day or a reference that are tried together: more would take for ever
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ExportLine:
    """A line of an export's transactions on one account; payments are below zero."""

    number: int
    day: date
    kind: MovementKind
    amount: Money
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Outstanding:
    """
    An entry that no export contained so far.

    `is_ours`: we moved the money; otherwise the billing system told of it. `told_at`: it surely
    had it then. `posted_at`: the exact moment of a movement that it told, where it says so.
    `may_stand_from`: when cash receipting was first asked to enter ours, None for never, so that
    the billing system cannot have it. `posted_on`: the local day on which it was asked for the
    last time, which may be weeks later. `payment_key`: what a payment shares with its returns.
    """

    key: str
    amount: Money
    day: date
    is_ours: bool
    confirmation: str = ""
    receipt: str = ""
    told_at: datetime | None = None
    posted_at: datetime | None = None
    may_stand_from: datetime | None = None
    posted_on: date | None = None
    payment_key: str = ""
    moved_at: datetime | None = None  # when the money moved, for ours


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an export surely knows and surely cannot know (domain.periods.Boundary), and slack."""

    sure_until: datetime
    not_after: datetime
    last_day: date  # the local day of not_after
    posting_days: int = 3  # that a posting may take until it stands in the billing system


class Uncontained(StrEnum):
    """Why an export does not contain money that we moved, as the check says it."""

    TAKEN_AFTER = "taken after the export was written"
    NOT_POSTED = "not posted yet: run `billclose retry-postings --now`"
    POSTED_AFTER = "posted after the export was written"
    NO_LINE = "no line in the export"


def why_uncontained(entry: Outstanding, bounds: Bounds) -> Uncontained:
    """Say why an entry of ours is carried over; the day alone where the moment is not known."""
    moved_at = entry.moved_at
    if moved_at is not None and moved_at > bounds.sure_until:
        return Uncontained.TAKEN_AFTER
    if entry.may_stand_from is None:
        return Uncontained.NOT_POSTED
    if entry.may_stand_from > bounds.not_after:
        return Uncontained.POSTED_AFTER
    return Uncontained.NO_LINE


Share = tuple[Outstanding, tuple[ExportLine, ...]]


@dataclass(slots=True)
class Matched:
    """By what each contained entry was found, its lines, and what no entry explains."""

    contained: dict[str, ContainedBy] = field(default_factory=dict)
    lines: dict[str, tuple[ExportLine, ...]] = field(default_factory=dict)
    free: list[ExportLine] = field(default_factory=list)
    booked_otherwise: dict[str, Money] = field(default_factory=dict)  # entry: what is booked

    def take(self, entry: Outstanding, how: ContainedBy, lines: Iterable[ExportLine] = ()) -> None:
        taken = tuple(lines)
        self.contained[entry.key] = how
        self.lines[entry.key] = taken
        for line in taken:
            self.free.remove(line)

    def rest(self, entries: Iterable[Outstanding]) -> list[Outstanding]:
        return [entry for entry in entries if entry.key not in self.contained]


def match_export(
    lines: Iterable[ExportLine], entries: Iterable[Outstanding], bounds: Bounds
) -> Matched:
    """
    Take an export's lines away from entries in the order of certainty; the rest is carried over.

    References first, then what the billing system surely had in time (line or no line: its
    closing balance is the word), then amount and day, the feed's before ours: else a line of the
    counter would be taken for an autopay payment that is not booked yet. Then what was split over
    services or merged into one receipt, and payments that were deleted with their returns. In
    doubt for the customer: a payment that is not found is counted over the new amount due.

    The order in which they are given decides nothing: of what is equally certain the earliest comes
    first, of one day the smaller key, and lines come as the export has them.
    """
    entries = sorted(entries, key=lambda entry: (entry.day, entry.key))
    booked = (line for line in lines if line.kind is not MovementKind.BILLING)
    found = Matched(free=sorted(booked, key=lambda line: line.number))
    _match_references(found, entries, bounds)
    _match_times(found, found.rest(entries), bounds)
    for entry in found.rest(entries):
        if not entry.is_ours and entry.posted_at is None and entry.day <= bounds.last_day:
            _match_amount(found, entry, 0)
    ours = [e for e in found.rest(entries) if e.is_ours and _may_stand(e, bounds)]
    for entry in ours:
        _match_amount(found, entry, bounds.posting_days)
    _match_split(found, found.rest(ours), bounds)
    _match_merged(found, found.rest(ours))
    _match_voided(found, found.rest(ours))
    return found


def _may_stand(entry: Outstanding, bounds: Bounds) -> bool:
    """What cash receipting was never asked to enter by then cannot stand in the export."""
    return entry.may_stand_from is not None and entry.may_stand_from <= bounds.not_after


def _match_references(found: Matched, entries: Sequence[Outstanding], bounds: Bounds) -> None:
    """
    Match our receipts, then our confirmations.

    A receipt is one posting's. A confirmation is shared by a payment and all that came back of
    it, so those are held against its lines together, and only an only one takes another sum.
    """
    for entry in entries:
        if entry.receipt:
            _take_booked(found, entry, [x for x in found.free if x.reference == entry.receipt])
    for group in _by_confirmation(found.rest(entries)):
        while shares := _share(_of_confirmation(found, group[0]), found.rest(group), bounds):
            for entry, parts in shares:
                _take_booked(found, entry, parts)
        if len(group) == 1 and found.rest(group):
            _take_booked(found, group[0], _of_confirmation(found, group[0]))


def _by_confirmation(entries: Iterable[Outstanding]) -> Iterable[list[Outstanding]]:
    groups: dict[tuple[str, bool], list[Outstanding]] = {}
    for entry in entries:
        if entry.confirmation:
            groups.setdefault((entry.confirmation, entry.amount < ZERO), []).append(entry)
    return groups.values()


def _of_confirmation(found: Matched, entry: Outstanding) -> list[ExportLine]:
    return [
        line
        for line in found.free
        if line.reference == entry.confirmation and _same_sign(line, entry)
    ]


def _share(
    lines: Sequence[ExportLine], entries: Sequence[Outstanding], bounds: Bounds
) -> tuple[Share, ...]:
    """
    Share lines among entries, to each what adds up to it, so that most of the money is explained.

    One entry may be as much as a part of another: a refund that failed later as half of its
    payment, which was booked in two. Where as much is explained either way, the fewest are named
    that cannot stand there yet, then the most, then the earliest.
    """
    tried = lines[:MOST_LINES]
    best: dict[tuple[int, ...], tuple[int, int, tuple[Share, ...]]] = {(): (0, 0, ())}
    for entry in entries:
        early = not _may_stand(entry, bounds)
        for taken, (too_early, named, shares) in list(best.items()):
            for parts in _all_parts(tried, taken, entry.amount):
                worth = too_early - early, named + 1
                together = tuple(sorted((*taken, *parts)))
                if together not in best or best[together][:2] < worth:
                    share = entry, tuple(tried[part] for part in parts)
                    best[together] = (*worth, (*shares, share))
    return max(best.items(), key=lambda one: (_money(tried, one[0]), *one[1][:2]))[1][2]


def _all_parts(
    lines: Sequence[ExportLine], taken: Collection[int], amount: Money
) -> Iterator[tuple[int, ...]]:
    """Find the places of lines that are not taken and add up to an amount."""
    left = [place for place in range(len(lines)) if place not in taken]
    for count in range(1, MOST_PARTS + 1):
        for places in combinations(left, count):
            if Money.total(lines[place].amount for place in places) == amount:
                yield places


def _money(lines: Sequence[ExportLine], places: Iterable[int]) -> int:
    return abs(sum(lines[place].amount.cents for place in places))


def _take_booked(found: Matched, entry: Outstanding, lines: Sequence[ExportLine]) -> None:
    """Take lines that name the entry; another sum is booked for it all the same, and told."""
    if not lines:
        return
    booked = Money.total(line.amount for line in lines)
    if booked != entry.amount:
        found.booked_otherwise[entry.key] = booked
    found.take(entry, ContainedBy.REFERENCE, lines)


def _match_times(found: Matched, entries: Sequence[Outstanding], bounds: Bounds) -> None:
    """
    Take what the billing system had when it wrote the export, whether a line is there or not.

    Without this a movement that it deleted would be counted for ever. Its line, if it has one, is
    used up.
    """
    for entry in entries:
        known_at = entry.posted_at or entry.told_at
        if known_at is not None and known_at <= bounds.sure_until:
            line = _nearest(found, entry, bounds.posting_days if entry.is_ours else 0)
            found.take(entry, ContainedBy.TIME, [line] if line else [])


def _match_amount(found: Matched, entry: Outstanding, days: int) -> None:
    line = _nearest(found, entry, days)
    if line is not None:
        found.take(entry, ContainedBy.AMOUNT, [line])


def _nearest(found: Matched, entry: Outstanding, days: int) -> ExportLine | None:
    """
    Find the line of the same amount that is nearest in time.

    A line with a reference of its own that is none of ours is somebody else's payment. What the
    billing system told stands under the day that it told.
    """
    first = entry.day - DAY if entry.is_ours else entry.day
    last = _last_day(entry, days)
    could = [
        line
        for line in found.free
        if line.amount == entry.amount
        and first <= line.day <= last
        and not (line.reference and _is_elses(line, entry))
    ]
    return min(could, key=lambda line: abs((line.day - entry.day).days), default=None)


def _is_elses(line: ExportLine, entry: Outstanding) -> bool:
    """Claim that a line's reference says it is another entry; the feed's own may lack theirs."""
    return entry.is_ours or (entry.confirmation not in ("", line.reference))


def _match_split(found: Matched, entries: Sequence[Outstanding], bounds: Bounds) -> None:
    """Match one payment of ours that was booked on several services: lines of one day."""
    for entry in entries:
        last = _last_day(entry, bounds.posting_days)
        by_day: dict[date, list[ExportLine]] = {}
        for line in found.free:
            if (
                not line.reference
                and _same_sign(line, entry)
                and entry.day - DAY <= line.day <= last
            ):
                by_day.setdefault(line.day, []).append(line)
        parts = next(filter(None, _splits(by_day.values(), entry.amount)), ())
        if parts:
            found.take(entry, ContainedBy.SPLIT, parts)


def _splits(days: Iterable[list[ExportLine]], amount: Money) -> Iterator[tuple[ExportLine, ...]]:
    for lines in days:
        for count in range(2, MOST_PARTS + 1):
            yield _parts(lines, count, amount)


def _match_merged(found: Matched, entries: Sequence[Outstanding]) -> None:
    """Match several payments of ours that were booked by one line."""
    for line in [line for line in found.free if not line.reference]:
        could = [
            entry
            for entry in found.rest(entries)
            if _same_sign(line, entry) and entry.day - DAY <= line.day
        ][:MOST_LINES]
        several = next(filter(None, _merges(could, line.amount)), ())
        if several:
            found.take(several[0], ContainedBy.MERGED, [line])
            for entry in several[1:]:
                found.take(entry, ContainedBy.MERGED)


def _merges(entries: Sequence[Outstanding], amount: Money) -> Iterator[tuple[Outstanding, ...]]:
    for count in range(2, MOST_PARTS + 1):
        for several in combinations(entries, count):
            if Money.total(entry.amount for entry in several) == amount:
                yield several


def _match_voided(found: Matched, entries: Sequence[Outstanding]) -> None:
    """Match a payment and its returns, all posted and none there: they cancel out anyway."""
    of_payment: dict[str, list[Outstanding]] = {}
    for entry in entries:
        if entry.payment_key:
            of_payment.setdefault(entry.payment_key, []).append(entry)
    for several in of_payment.values():
        if len(several) > 1 and not Money.total(entry.amount for entry in several):
            for entry in several:
                found.take(entry, ContainedBy.VOIDED)


def _parts(lines: Sequence[ExportLine], count: int, amount: Money) -> tuple[ExportLine, ...]:
    """Return the first lines, so many of them, that add up to an amount."""
    some = combinations(lines[:MOST_LINES], count)
    return next((x for x in some if Money.total(line.amount for line in x) == amount), ())


def _same_sign(line: ExportLine, entry: Outstanding) -> bool:
    return (line.amount < ZERO) == (entry.amount < ZERO)


def _last_day(entry: Outstanding, days: int) -> date:
    return max(entry.day, entry.posted_on or entry.day) + timedelta(days=days)
