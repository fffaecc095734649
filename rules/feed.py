"""What a feed's movements are to us, and when balances are too old to draw or dun by them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import combinations, pairwise

from domain.feeds import STRICTER, FeedMovement
from domain.money import ZERO, Money

MOST_PARTS = 4  # movements that the billing system splits one payment of ours into
MOST_TRIED = 8  # movements of a day among which such parts are looked for
EARLIER = timedelta(days=1)  # a cashier's day may begin on the evening before
BEYOND_POSTING = timedelta(days=2)  # and the billing system books after cash receipting


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """
    Money that we moved on an account, as the billing system may tell it back.

    `amount` is what it does to the balance. `posting_asked_at` is when cash receipting was first
    asked to enter it; None: never, so that nobody there can know of it. `last_asked_on` is the
    local day of the last time, which may be weeks later. `come_back` is the sum of the movements
    that were recognized as it, `is_known` whether an export or a feed has it whole.
    """

    key: str
    amount: Money
    happened_on: date
    confirmation: str = ""
    receipt: str = ""
    posting_asked_at: datetime | None = None
    last_asked_on: date | None = None
    come_back: Money = ZERO
    is_known: bool = False

    def names(self, reference: str) -> bool:
        return reference in (self.confirmation, self.receipt)


class NotCounted(StrEnum):
    """Why a movement with our number is none of our entries come back."""

    VOIDED = "receipt-voided"  # our receipt was taken out there, and we know of no return
    EXCEEDS = "booked-otherwise"  # more came back under our number than we moved


@dataclass(frozen=True, slots=True)
class Recognized:
    """
    Which movements are ours come back (movement to entry), and which a person must see.

    `parts` is how much of a movement that exceeds ours is ours; the rest of it counts.
    """

    ours: Mapping[str, str]
    odd: Mapping[str, NotCounted]
    parts: Mapping[str, Money]


def recognize(
    movements: Iterable[FeedMovement],
    own: Sequence[OwnEntry],
    *,
    unsure_before: datetime | None,
    posting_days: int,
) -> Recognized:
    """
    Find out which movements of one account are our own come back.

    By our number and sign first, which may take several movements and files; then two to four
    without a number that add up to one of ours; then by amount and day. In doubt the customer is
    right: after a file that never came (`unsure_before`), a payment without a number is somebody
    else's where ours was posted before, since ours may stand in that file; a charge is ours.
    A charge under a number that is nobody's is ours where cash receipting has not answered for one
    of that amount: it may have the number already, and we do not; a payment counts.
    A reversal of our receipt of which we know no return counts for nothing until a person decides:
    the gateway has the money still, and a charge in doubt is not made.
    """
    desk = _Desk({entry.key: entry for entry in own}, unsure_before, posting_days)
    some = sorted(movements, key=lambda one: (one.happened_on, one.movement_id))
    for movement in some:
        if movement.reference:
            desk.take_by_number(movement)
    desk.take_unanswered([one for one in some if one.reference and one.amount > ZERO])
    unnamed = [movement for movement in some if not movement.reference]
    desk.take_parts(unnamed)
    for movement in unnamed:
        if movement.movement_id not in desk.ours:
            desk.take_by_day(movement)
    return Recognized(desk.ours, desk.odd, desk.parts)


class _Desk:
    """One account's entries while its movements are looked at: what came back adds up."""

    def __init__(
        self, own: dict[str, OwnEntry], unsure_before: datetime | None, posting_days: int
    ) -> None:
        self._own = own
        self._come_back = {key: entry.come_back for key, entry in own.items()}
        self._unsure_before = unsure_before
        self._latest = timedelta(days=posting_days) + BEYOND_POSTING
        self.ours: dict[str, str] = {}
        self.odd: dict[str, NotCounted] = {}
        self.parts: dict[str, Money] = {}

    def take_by_number(self, movement: FeedMovement) -> None:
        named = [one for one in self._own.values() if one.names(movement.reference)]
        if not named:
            return
        same = [one for one in named if _same_sign(one.amount, movement.amount)]
        same.sort(key=lambda one: (one.receipt != movement.reference, one.happened_on, one.key))
        exact = [one for one in same if self._with(one, movement) == one.amount]
        fitting = exact or [
            one for one in same if abs(self._with(one, movement).cents) <= abs(one.amount.cents)
        ]
        if fitting:
            self._take(fitting[0], [movement])
        elif movement.amount > ZERO and not same:
            self.odd[movement.movement_id] = NotCounted.VOIDED
        else:
            self._take_part(same, movement)

    def take_unanswered(self, charges: Sequence[FeedMovement]) -> None:
        """Find charges of ours under the number that cash receipting gave and did not tell us."""
        foreign: dict[str, list[FeedMovement]] = {}
        for movement in charges:
            if not any(one.names(movement.reference) for one in self._own.values()):
                foreign.setdefault(movement.reference, []).append(movement)
        for some in foreign.values():
            amount, day = Money.total(one.amount for one in some), some[0].happened_on
            fitting = [
                entry
                for entry in self._own.values()
                if not entry.receipt and entry.amount == amount and self._may_be(entry, day)
            ]
            if fitting:
                self._take(min(fitting, key=lambda one: (one.happened_on, one.key)), some)

    def take_parts(self, unnamed: Sequence[FeedMovement]) -> None:
        """Find payments that the billing system booked on several services, without our number."""
        days = sorted({movement.happened_on for movement in unnamed})
        for entry in sorted(self._own.values(), key=lambda one: (one.happened_on, one.key)):
            for day in days:
                left = [
                    movement
                    for movement in unnamed
                    if movement.happened_on == day
                    and movement.movement_id not in self.ours
                    and _same_sign(movement.amount, entry.amount)
                ][:MOST_TRIED]
                if self._may_be(entry, day) and not _holds(left, entry.amount):
                    self._take(entry, _parts_of(left, entry.amount))

    def take_by_day(self, movement: FeedMovement) -> None:
        fitting = [
            entry
            for entry in self._own.values()
            if entry.amount == movement.amount and self._may_be(entry, movement.happened_on)
        ]
        if fitting:
            self._take(min(fitting, key=lambda one: (one.happened_on, one.key)), [movement])

    def _may_be(self, entry: OwnEntry, day: date) -> bool:
        """Tell whether nothing speaks against an entry that came back on a day without its name."""
        asked = entry.posting_asked_at
        if entry.is_known or asked is None or self._come_back[entry.key] != ZERO:
            return False
        last_asked_on = max(entry.happened_on, entry.last_asked_on or entry.happened_on)
        if not entry.happened_on - EARLIER <= day <= last_asked_on + self._latest:
            return False
        is_payment = entry.amount < ZERO
        if is_payment and not entry.receipt:
            return False  # asked, and no answer: it may stand nowhere, and a payment counts
        return not (is_payment and self._unsure_before and asked < self._unsure_before)

    def _take_part(self, same: Sequence[OwnEntry], movement: FeedMovement) -> None:
        """Take for ours what is left of ours; whatever exceeds it is none of ours."""
        self.odd[movement.movement_id] = NotCounted.EXCEEDS
        for entry in same:
            left = entry.amount - self._come_back[entry.key]
            if left != ZERO and _same_sign(left, movement.amount):
                self.ours[movement.movement_id] = entry.key
                self.parts[movement.movement_id] = left
                self._come_back[entry.key] = entry.amount
                return

    def _with(self, entry: OwnEntry, movement: FeedMovement) -> Money:
        return self._come_back[entry.key] + movement.amount

    def _take(self, entry: OwnEntry, movements: Iterable[FeedMovement]) -> None:
        for movement in movements:
            self.ours[movement.movement_id] = entry.key
            self._come_back[entry.key] += movement.amount


def _same_sign(one: Money, other: Money) -> bool:
    return (one < ZERO) == (other < ZERO)


def _holds(movements: Iterable[FeedMovement], amount: Money) -> bool:
    """Tell whether one movement has the amount alone, which is likelier than several parts."""
    return any(movement.amount == amount for movement in movements)


def _parts_of(movements: Sequence[FeedMovement], amount: Money) -> tuple[FeedMovement, ...]:
    for count in range(2, MOST_PARTS + 1):
        for some in combinations(movements, count):
            if Money.total(movement.amount for movement in some) == amount:
                return some
    return ()


# -- what is missing, and what is too old ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrived:
    """A numbered file of the feed that was taken in; `written_at` is a moment in UTC."""

    sequence: int
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers that never came, up to the file after them."""

    first: int
    last: int
    next_written_at: datetime

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def find_gaps(arrived: Iterable[Arrived], accepted: Collection[int] = ()) -> list[Gap]:
    """Return which numbers are missing between those that came, without the accepted ones."""
    gaps = []
    files = sorted(arrived, key=lambda one: one.sequence)
    for before, after in pairwise(files):
        missing = [
            number
            for number in range(before.sequence + 1, after.sequence)
            if number not in accepted
        ]
        if missing:
            gaps.append(Gap(missing[0], missing[-1], after.written_at))
    return gaps


def unsure_before(gaps: Iterable[Gap]) -> datetime | None:
    """Return until when what we posted may stand in a file that never came."""
    return max((gap.next_written_at for gap in gaps), default=None)


@dataclass(frozen=True, slots=True)
class Feed:
    """
    What has come of the feed, and how old it may be.

    `max_age` None: nobody watches its age; that a number is missing is known all the same.
    `newest` is when the newest file was written, None before the first one.
    """

    max_age: timedelta | None = None
    newest: datetime | None = None
    gaps: tuple[Gap, ...] = ()

    def staleness(self, now: datetime, exported_at: datetime | None = None) -> str:
        """
        Say why balances are too old to draw or dun by them; empty where they are not.

        A missing file is made good by the file, or by an export that was written after the file
        that follows it: `exported_at` is when the export was written that the balances stand on.
        """
        if self.max_age is not None:
            if self.newest is None:
                return "no file of the feed has come yet"
            if now - self.newest > self.max_age:
                return f"the feed's newest file was written {_hours(now - self.newest)} ago"
        open_gaps = [
            gap for gap in self.gaps if exported_at is None or gap.next_written_at > exported_at
        ]
        numbers = [str(gap) for gap in open_gaps]
        several = len(open_gaps) > 1 or any(gap.first != gap.last for gap in open_gaps)
        word = "files" if several else "file"
        return f"{word} {', '.join(numbers)} of the feed never came" if open_gaps else ""


def _hours(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours} hours" if hours < 72 else f"{hours // 24} days"


def value_in_force(
    name: str, exported: tuple[str, datetime], told: Iterable[tuple[str, datetime]]
) -> str:
    """
    Return the newest value of a field, of an export's and of those that were told since.

    Each comes with the moment at which the billing system said so, in UTC. Of two of the same
    moment the stricter stands for blocks, direct pay and a closed status: nothing is drawn in
    doubt; of all others the feed's, since it says what changed.
    """
    said = [exported, *told]
    newest = max(moment for _, moment in said)
    values = [value for value, moment in said if moment == newest]
    strict = STRICTER.get(name)
    return strict if strict in values else values[-1]
