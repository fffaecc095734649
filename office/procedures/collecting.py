"""Collecting in figures and sentences: what a step of it did, and what is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from database.queries.autopay import read_return_rates
from domain.words import say_count
from office.equipment.office import Office
from payments.collecting.collecting import CollectCounts
from payments.collecting.draws import DrawTotals, read_open_draws
from payments.collecting.unanswered import LookupCounts
from payments.outcomes.events import EventCounts
from payments.outcomes.settlements import SettlementCounts, list_differences
from rules.money.returns import ReturnRate

Figures = dict[str, Any]


def lookup_figures(found: LookupCounts) -> Figures:
    return {"sentence": say_lookups(found), **asdict(found)}


def draw_figures(drawn: CollectCounts) -> Figures:
    return {
        "sentence": say_collected(drawn),
        "drawn": to_figures(drawn.drawn),
        "declined": to_figures(drawn.declined),
        "cancelled": drawn.cancelled,
        "waiting": drawn.waiting,
        "put_off": drawn.put_off,
        "left_out": sorted(drawn.left_out),
        "stopped_by": drawn.stopped_by,
    }


def event_figures(office: Office, found: EventCounts) -> Figures:
    with office.database.reading() as books:
        rates = read_return_rates(books, office.due_now())
    return {
        "sentence": say_events(found, rates),
        "returned": to_figures(found.returned),
        "landed_late": to_figures(found.landed),
        "refunded": to_figures(found.refunded),
        "reinstated": to_figures(found.reinstated),
        "changes": found.changes,
        "alarms": found.alarms,
        "stopped_by": found.stopped_by,
        "return_rates": [rate_figures(rate) for rate in rates],
    }


def payout_figures(office: Office, read: SettlementCounts) -> Figures:
    differing = list_differences(office.database, office.due_now())
    sentence = f"{say_count(read.new, 'payout')}, {read.net.dollars()}"
    sentence += f"; {say_count(len(differing), 'difference')}" if differing else ""
    return {
        "sentence": sentence,
        "new": read.new,
        "net": str(read.net),
        "changed": read.changed,
        "stopped_by": read.stopped_by,
        "differences": [
            {
                "item": item.item,
                "settlement": item.settlement_id,
                "reference": item.reference,
                "account": item.account,
                "amount": str(item.amount),
                "posted_at": item.posted_at.isoformat() if item.posted_at else None,
                "difference": item.difference,
            }
            for item in differing
        ],
    }


def open_figures(office: Office) -> Figures:
    """Count what waits for an answer or a person, whenever it came about."""
    standing = read_open_draws(office.database)
    return {
        "unknown": to_figures(standing.unknown),
        "drawn_twice": to_figures(standing.drawn_twice),
    }


def to_figures(tally: DrawTotals) -> Figures:
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
    if done.left_out:
        sentence += f"; nothing drawn of {', '.join(sorted(done.left_out))}: old balances"
    if done.put_off:
        sentence += f"; {done.put_off:,} put off"
    return sentence + _stopped(done.stopped_by)


def say_events(found: EventCounts, rates: Sequence[ReturnRate]) -> str:
    """Say what became of earlier draws, and where too many come back, for people."""
    sentence = f"{say_count(found.returned.count, 'payment')} returned"
    if found.returned.count:
        sentence += f", {found.returned.amount.dollars()}"
    if found.refunded.count:
        sentence += f"; {found.refunded.count:,} refunded, {found.refunded.amount.dollars()}"
    if found.reinstated.count:
        sentence += f"; {found.reinstated.count:,} reinstated, {found.reinstated.amount.dollars()}"
    if found.refused:
        sentence += f"; {found.refused:,} declined by the bank"
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
