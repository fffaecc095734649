"""What the steps of collecting say of themselves: sentences for people, figures for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.words import say_count
from payments.collecting import CollectCounts
from payments.late_events import EventCounts
from payments.looking_up import LookupCounts
from payments.standing import Tally
from rules.returns import ReturnRate

Figures = dict[str, Any]


def to_figures(tally: Tally) -> Figures:
    return {"count": tally.count, "amount": str(tally.amount)}


def say_lookups(found: LookupCounts) -> str:
    """Say what looking up has found, for people."""
    if not (found.approved or found.declined or found.unknown or found.stopped_by):
        return "nothing to look up"
    sentence = f"{found.approved:,} found drawn, {found.declined:,} declined"
    sentence += f", {found.unknown:,} still unknown" if found.unknown else ""
    return sentence + _stopped(found.stopped_by)


def say_collected(done: CollectCounts) -> str:
    """Say what was drawn, for people."""
    sentence = f"{say_count(done.drawn.count, 'payment')} drawn, {done.drawn.amount.dollars()}"
    if done.declined.count:
        sentence += f"; {done.declined.count:,} declined, {done.declined.amount.dollars()}"
    if done.unknown.count:
        sentence += f"; {done.unknown.count:,} without an answer"
    if done.cancelled:
        sentence += f"; {done.cancelled:,} not drawn, with a reason"
    if done.waiting:
        sentence += f"; {done.waiting:,} wait for another draw's answer"
    if done.put_off:
        sentence += f"; {done.put_off:,} put off"
    return sentence + _stopped(done.stopped_by)


def say_events(found: EventCounts, rates: Sequence[ReturnRate]) -> str:
    """Say what became of earlier draws, and where too many come back, for people."""
    sentence = f"{say_count(found.returned.count, 'payment')} returned"
    if found.returned.count:
        sentence += f", {found.returned.amount.dollars()}"
    if found.landed.count:
        sentence += f"; {found.landed.count:,} landed late"
    if found.changes:
        sentence += f"; {say_count(found.changes, 'notice')} of change"
    if found.alarms:
        sentence += f"; {found.alarms:,} for a person"
    for rate in rates:
        if rate.is_near:
            word = "above" if rate.is_exceeded else "near"
            sentence += f"; {rate.kind} returns {word} the limit of {float(rate.limit):.1%}"
    return sentence + _stopped(found.stopped_by)


def rate_figures(rate: ReturnRate) -> Figures:
    return {
        "kind": rate.kind,
        "returned": rate.returned,
        "originated": rate.originated,
        "rate": f"{float(rate.rate):.4f}",
        "limit": f"{float(rate.limit):.4f}",
        "is_near": rate.is_near,
        "is_exceeded": rate.is_exceeded,
    }


def _stopped(why: str) -> str:
    return f"; stopped: {why}" if why else ""
