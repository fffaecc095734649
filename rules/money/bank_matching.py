"""Which line of the bank is which payout of the gateway, and what of both is left over."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import combinations

from domain.money import ZERO, Money

MOST_JOINED = 10  # payouts of one day, or lines of one: 1,013 ways to join two or more
FAR = timedelta(days=15)  # no line that is further from a payout is shown beside it


class BankDifference(StrEnum):
    NOT_HERE = "not-here"  # in the bank, and no payout of ours
    NOT_IN_BANK = "not-in-bank"  # a payout, and no line of the bank though its days are told of
    NEAR_AMOUNT = "near-amount"  # a line of about the day, with another amount
    NEAR_DATE = "near-date"  # a line of the amount, on a day too far away
    SEVERAL_WAYS = "several-ways"  # lines and payouts that add up in more ways than one


@dataclass(frozen=True, slots=True)
class BankEntry:
    """A line of the bank: what came in, or went out (below zero), on a day."""

    key: str
    posted_on: date
    amount: Money
    words: str = ""  # its reference and its text
    account: str = ""  # which of the city's accounts it is of


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout of the gateway; `net` below zero is taken out of our account."""

    name: str
    pays_out_on: date
    net: Money
    provider: str = ""


@dataclass(frozen=True, slots=True)
class BankPair:
    """
    A line and a payout that belong together, or one of both that stands alone.

    `more_entries` are the other lines into which the bank has split the payout, `more_payouts` the
    other payouts that the bank has joined in the line.
    """

    entry: BankEntry | None
    payout: Payout | None
    difference: BankDifference | None = None
    more_entries: tuple[BankEntry, ...] = ()
    more_payouts: tuple[Payout, ...] = ()

    @property
    def entries(self) -> tuple[BankEntry, ...]:
        return (self.entry, *self.more_entries) if self.entry is not None else ()

    @property
    def payouts(self) -> tuple[Payout, ...]:
        return (self.payout, *self.more_payouts) if self.payout is not None else ()


@dataclass(frozen=True, slots=True)
class Nearness:
    """How far apart line and payout may be: days, and an amount above which nothing is near."""

    days: int
    amount: Money


def say_group(pair: BankPair) -> str:
    """Write `po_1, po_2: joined at the bank, $100.50 on 2026-11-17`."""
    names = ", ".join(payout.name for payout in pair.payouts)
    lines = ", ".join(f"{one.amount.dollars()} on {one.posted_on}" for one in pair.entries)
    return f"{names}: {'joined' if pair.more_payouts else 'split'} at the bank, {lines}"


def match_bank(
    entries: Iterable[BankEntry],
    payouts: Iterable[Payout],
    nearness: Nearness,
    span: tuple[date, date] | None = None,
) -> list[BankPair]:
    """
    Pair each line of the bank with one payout at most, the surest pairs first.

    By the payout's name in the line's words, then by amount and the nearest day, then one line
    with the payouts of one day and provider that it joins, or the lines of one day with the payout
    that they split; where those add up in several ways, each is left to a person. What is left is
    paired by what is near, and else stands alone. `span` is what the bank's files tell of, first
    and last day; a payout is missed once they tell of the days after it, too. Without it none is.
    A payout of nothing moves nothing at the bank.
    """
    open_entries = sorted(entries, key=lambda one: (one.posted_on, one.key))
    open_payouts = [one for one in payouts if one.net != ZERO]
    open_payouts.sort(key=lambda one: (one.pays_out_on, one.name))
    window = timedelta(days=nearness.days)
    sure: tuple[_Step, ...] = (
        (None, lambda e, p: e.amount == p.net and _names(e, p)),
        (None, lambda e, p: e.amount == p.net and _apart(e, p) <= window),
    )
    near: tuple[_Step, ...] = (
        (BankDifference.NEAR_AMOUNT, _names),
        (BankDifference.NEAR_DATE, lambda e, p: e.amount == p.net),
        (
            BankDifference.NEAR_AMOUNT,
            lambda e, p: _off(e, p) <= nearness.amount and _apart(e, p) <= window,
        ),
    )
    found = _take(sure, open_entries, open_payouts)
    open_entries, open_payouts = _left(found, open_entries, open_payouts)
    groups = _groups(open_entries, open_payouts, window)
    open_entries, open_payouts = _left(groups, open_entries, open_payouts)
    rest = _take(near, open_entries, open_payouts)
    open_entries, open_payouts = _left(rest, open_entries, open_payouts)
    found += groups + rest
    found += [BankPair(entry, None, BankDifference.NOT_HERE) for entry in open_entries]
    found += [
        BankPair(None, payout, BankDifference.NOT_IN_BANK)
        for payout in open_payouts
        if span and span[0] <= payout.pays_out_on <= span[1] - window
    ]
    return sorted(found, key=_day_of)


_Step = tuple[BankDifference | None, Callable[[BankEntry, Payout], bool]]


def _take(
    steps: Iterable[_Step], entries: Sequence[BankEntry], payouts: Sequence[Payout]
) -> list[BankPair]:
    found: list[BankPair] = []
    for difference, fits in steps:
        pairs = _nearest(*_left(found, entries, payouts), fits)
        found += [BankPair(entry, payout, difference) for entry, payout in pairs]
    return found


def _left(
    found: Iterable[BankPair], entries: Sequence[BankEntry], payouts: Sequence[Payout]
) -> tuple[list[BankEntry], list[Payout]]:
    """Return the lines and payouts that stand in no pair yet."""
    found = list(found)
    keys = {entry.key for pair in found for entry in pair.entries}
    names = {payout.name for pair in found for payout in pair.payouts}
    return (
        [one for one in entries if one.key not in keys],
        [one for one in payouts if one.name not in names],
    )


_Group = tuple[tuple[BankEntry, ...], tuple[Payout, ...]]  # one of both is a single one


def _groups(
    entries: Sequence[BankEntry], payouts: Sequence[Payout], window: timedelta
) -> list[BankPair]:
    """Return what was joined or split, where there is one way only; else all that it may be of."""
    ways = [*_joined(entries, payouts, window), *_split(entries, payouts, window)]
    times = Counter(member for way in ways for member in _members(way))
    found = [
        BankPair(way[0][0], way[1][0], None, way[0][1:], way[1][1:])
        for way in ways
        if all(times[member] == 1 for member in _members(way))
    ]
    left_entries, left_payouts = _left(found, entries, payouts)
    unsure = BankDifference.SEVERAL_WAYS
    found += [BankPair(one, None, unsure) for one in left_entries if times[one.key, "line"]]
    found += [BankPair(None, one, unsure) for one in left_payouts if times[one.name, "payout"]]
    return found


def _members(way: _Group) -> Iterator[tuple[str, str]]:
    yield from ((entry.key, "line") for entry in way[0])
    yield from ((payout.name, "payout") for payout in way[1])


def _joined(
    entries: Sequence[BankEntry], payouts: Sequence[Payout], window: timedelta
) -> Iterator[_Group]:
    """Yield each line with the payouts of one day and provider that add up to it."""
    days: dict[tuple[date, str], list[Payout]] = {}
    for payout in payouts:
        days.setdefault((payout.pays_out_on, payout.provider), []).append(payout)
    for entry in entries:
        named = {payout.name for payout in payouts if _names(entry, payout)}
        for (day, _provider), some in days.items():
            if abs(entry.posted_on - day) > window:
                continue
            for chosen in _adding_up([one.net.cents for one in some], entry.amount.cents):
                group = tuple(some[i] for i in chosen)
                if named <= {one.name for one in group}:
                    yield (entry,), group


def _split(
    entries: Sequence[BankEntry], payouts: Sequence[Payout], window: timedelta
) -> Iterator[_Group]:
    """Yield each payout with the lines of one day and account that add up to it."""
    days: dict[tuple[date, str], list[BankEntry]] = {}
    for entry in entries:
        days.setdefault((entry.posted_on, entry.account), []).append(entry)
    for payout in payouts:
        for (day, _account), some in days.items():
            if abs(payout.pays_out_on - day) > window:
                continue
            own = [one for one in some if not _names_another(one, payout, payouts)]
            naming = {one.key for one in own if _names(one, payout)}
            for chosen in _adding_up([one.amount.cents for one in own], payout.net.cents):
                group = tuple(own[i] for i in chosen)
                if naming <= {one.key for one in group}:
                    yield group, (payout,)


def _names_another(entry: BankEntry, payout: Payout, payouts: Sequence[Payout]) -> bool:
    return not _names(entry, payout) and any(_names(entry, one) for one in payouts)


def _adding_up(cents: Sequence[int], wanted: int) -> Iterator[tuple[int, ...]]:
    """
    Yield each choice of two or more that adds up to what is wanted.

    Of more than MOST_JOINED only all together are tried: a part of so many adds up by chance.
    """
    if len(cents) > MOST_JOINED:
        if sum(cents) == wanted:
            yield tuple(range(len(cents)))
        return
    for size in range(2, len(cents) + 1):
        for chosen in combinations(range(len(cents)), size):
            if sum(cents[i] for i in chosen) == wanted:
                yield chosen


def _nearest(
    entries: Sequence[BankEntry],
    payouts: Sequence[Payout],
    fits: Callable[[BankEntry, Payout], bool],
) -> list[tuple[BankEntry, Payout]]:
    """
    Return pairs that fit and are not FAR apart, each side once.

    Those with the nearest days and amounts come first. The payouts are sorted by their days.
    """
    days = [payout.pays_out_on for payout in payouts]
    candidates = [
        (_apart(entry, payouts[j]), _off(entry, payouts[j]), i, j)
        for i, entry in enumerate(entries)
        for j in range(
            bisect_left(days, entry.posted_on - FAR), bisect_right(days, entry.posted_on + FAR)
        )
        if fits(entry, payouts[j])
    ]
    taken_entries: set[int] = set()
    taken_payouts: set[int] = set()
    pairs = []
    for _, _, i, j in sorted(candidates):
        if i not in taken_entries and j not in taken_payouts:
            taken_entries.add(i)
            taken_payouts.add(j)
            pairs.append((entries[i], payouts[j]))
    return pairs


def _apart(entry: BankEntry, payout: Payout) -> timedelta:
    return abs(entry.posted_on - payout.pays_out_on)


def _off(entry: BankEntry, payout: Payout) -> Money:
    return Money(abs(entry.amount.cents - payout.net.cents))


def _names(entry: BankEntry, payout: Payout) -> bool:
    return bool(payout.name) and payout.name.casefold() in entry.words.casefold()


def _day_of(pair: BankPair) -> tuple[date, str]:
    if pair.payout is not None:
        return pair.payout.pays_out_on, pair.payout.name
    assert pair.entry is not None
    return pair.entry.posted_on, pair.entry.key
