"""A month as it would be closed here beside what the office did: alike, or where they differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import zip_longest

from domain.accounts import account_key
from domain.past_outcomes import Outcome, OutcomeDifference, OutcomeKind

Reasons = Mapping[tuple[OutcomeKind, str], str]  # by kind and account key


def compare_outcomes(
    ours: Iterable[Outcome],
    theirs: Iterable[Outcome],
    compared: Collection[OutcomeKind],
    reasons: Reasons,
) -> tuple[Counter[OutcomeKind], list[OutcomeDifference]]:
    """
    Count by kind what is alike, and return each difference, by kind and account.

    Kinds that the office told nothing of are left out. Each outcome counts once: two drafts of an
    account stand against two. A draft without a day is alike whatever ours is.
    """
    alike: Counter[OutcomeKind] = Counter()
    differences = list[OutcomeDifference]()
    told = defaultdict[tuple[OutcomeKind, str, str], list[Outcome]](list)
    for one in theirs:
        told[one.of].append(one)
    here = defaultdict[tuple[OutcomeKind, str, str], list[Outcome]](list)
    for one in ours:
        here[one.of].append(one)
    for key in sorted({*told, *here}):
        if key[0] not in compared:
            continue
        mine, yours = here.get(key, []), told.get(key, [])
        alike[key[0]] += _take_alike(mine, yours)
        for own, other in zip_longest(mine, yours):
            differences.append(_difference(own, other, reasons))
    return alike, differences


def _take_alike(ours: list[Outcome], theirs: list[Outcome]) -> int:
    """Take out of both what agrees; return how many."""
    taken = 0
    for other in list(theirs):
        own = next((one for one in ours if _is_alike(one, other)), None)
        if own is not None:
            ours.remove(own)
            theirs.remove(other)
            taken += 1
    return taken


def _is_alike(own: Outcome, other: Outcome) -> bool:
    return own.amount == other.amount and other.day in (None, own.day)


def _difference(own: Outcome | None, other: Outcome | None, reasons: Reasons) -> OutcomeDifference:
    known = own or other
    assert known is not None
    return OutcomeDifference(
        known.kind,
        known.account,
        own.in_words() if own else "",
        other.in_words() if other else "",
        reasons.get((known.kind, account_key(known.account)), ""),
    )
