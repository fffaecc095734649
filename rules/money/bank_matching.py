"""Which line of the bank is which payout of the gateway, and what of both is left over."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from domain.money import ZERO, Money

FAR = timedelta(days=15)  # a line of the same amount that is so near is shown beside a payout


class BankDifference(StrEnum):
    NOT_HERE = "not-here"  # in the bank, and no payout of ours
    NOT_IN_BANK = "not-in-bank"  # a payout, and no line of the bank though its days are told of
    NEAR_AMOUNT = "near-amount"  # a line of about the day, with another amount
    NEAR_DATE = "near-date"  # a line of the amount, on a day too far away


@dataclass(frozen=True, slots=True)
class BankEntry:
    """A line of the bank: what came in, or went out (below zero), on a day."""

    key: str
    posted_on: date
    amount: Money
    words: str = ""  # its reference and its text


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout of the gateway; `net` below zero is taken out of our account."""

    name: str
    pays_out_on: date
    net: Money


@dataclass(frozen=True, slots=True)
class BankPair:
    """A line and a payout that belong together, or one of both that stands alone."""

    entry: BankEntry | None
    payout: Payout | None
    difference: BankDifference | None = None


@dataclass(frozen=True, slots=True)
class Nearness:
    """How far apart line and payout may be: days, and an amount above which nothing is near."""

    days: int
    amount: Money


def match_bank(
    entries: Iterable[BankEntry],
    payouts: Iterable[Payout],
    nearness: Nearness,
    span: tuple[date, date] | None = None,
) -> list[BankPair]:
    """
    Pair each line of the bank with one payout at most, the surest pairs first.

    By the payout's name in the line's words, then by amount and the nearest day; what is left is
    paired by what is near, and else stands alone. `span` is what the bank's files tell of, first
    and last day; a payout is missed once they tell of the days after it, too. Without it none is.
    A payout of nothing moves nothing at the bank.
    """
    open_entries = sorted(entries, key=lambda one: (one.posted_on, one.key))
    open_payouts = [one for one in payouts if one.net != ZERO]
    open_payouts.sort(key=lambda one: (one.pays_out_on, one.name))
    window = timedelta(days=nearness.days)
    steps: tuple[tuple[BankDifference | None, Callable[[BankEntry, Payout], bool]], ...] = (
        (None, lambda e, p: e.amount == p.net and _names(e, p) and _apart(e, p) <= FAR),
        (None, lambda e, p: e.amount == p.net and _apart(e, p) <= window),
        (BankDifference.NEAR_AMOUNT, lambda e, p: _names(e, p) and _apart(e, p) <= FAR),
        (BankDifference.NEAR_DATE, lambda e, p: e.amount == p.net and _apart(e, p) <= FAR),
        (
            BankDifference.NEAR_AMOUNT,
            lambda e, p: _off(e, p) <= nearness.amount and _apart(e, p) <= window,
        ),
    )
    found: list[BankPair] = []
    for difference, fits in steps:
        pairs = _nearest(open_entries, open_payouts, fits)
        found += [BankPair(entry, payout, difference) for entry, payout in pairs]
        gone = {entry.key for entry, _ in pairs}, {payout.name for _, payout in pairs}
        open_entries = [one for one in open_entries if one.key not in gone[0]]
        open_payouts = [one for one in open_payouts if one.name not in gone[1]]
    found += [BankPair(entry, None, BankDifference.NOT_HERE) for entry in open_entries]
    found += [
        BankPair(None, payout, BankDifference.NOT_IN_BANK)
        for payout in open_payouts
        if span and span[0] <= payout.pays_out_on <= span[1] - window
    ]
    return sorted(found, key=_day_of)


def _nearest(
    entries: Sequence[BankEntry],
    payouts: Sequence[Payout],
    fits: Callable[[BankEntry, Payout], bool],
) -> list[tuple[BankEntry, Payout]]:
    """Return pairs that fit, each side once, those with the nearest days and amounts first."""
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
