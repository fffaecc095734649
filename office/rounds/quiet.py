"""Commands that have nothing to do: known without a server, and told as their flow tells it."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from cash_receipting.posting import PostingCounts
from database.tables import delivery, draw, events_read, told_event
from domain.deliveries import DeliveryStatus, MessageKind
from domain.payments import DrawState
from domain.reminders import REMINDERS
from mail.outbox.sending import SendCounts, say_tried
from mail.reminders.exemptions import undrawn
from mail.reminders.queueing import queue_reminders
from office.equipment.office import Office
from office.health.work import note_ended_well
from office.procedures.collecting import (
    draw_figures,
    event_figures,
    lookup_figures,
    open_figures,
    payout_figures,
)
from office.procedures.feeding import guard_balances, say_as_of, say_feed
from office.procedures.mailing.reminding import QUEUES, look_at_notices, to_figures, undrawn_figures
from office.procedures.posting import posting_figures, require_posted_here
from office.rounds.looks import why_post, why_send, why_send_kinds
from payments.collecting.claiming import preview_due
from payments.collecting.collecting import CollectCounts
from payments.collecting.draws import read_open_draws
from payments.collecting.unanswered import LookupCounts
from payments.outcomes.events import EventCounts
from payments.outcomes.settlements import SettlementCounts

Figures = dict[str, Any]
ASKED_WITHIN = timedelta(hours=20)  # the gateway is asked once a day what became of draws
UNSENT = ("sent", "failed", "deferred", "in_doubt", "possible_duplicates")
WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)
OPEN_DRAWS = (DrawState.CREATED, DrawState.ASKED)
QUIET: Figures = {"quiet": True}


def quiet_postings(office: Office) -> Figures | None:
    """Return what `retry-postings` says where nothing is due; None where its flow has work."""
    if why_post(office, office.due_now()):
        return None
    note_ended_well(office, "retry-postings")
    return posting_figures(office, PostingCounts()) | {"alerts": 0} | QUIET


def quiet_mail(office: Office) -> Figures | None:
    """The same of `mail send`."""
    if why_send(office, office.due_now()):
        return None
    note_ended_well(office, "send-mail")
    return asdict(SendCounts()) | QUIET


def say_quiet_mail() -> str:
    return say_tried(SendCounts())


def quiet_reminders(office: Office) -> Figures | None:
    """
    The same of `remind`: nothing is owed anew, and none waits that might have to be withdrawn.

    Raises Refused as the flow does while postings are stuck or balances are not of today.
    """
    now = office.due_now()
    require_posted_here(office, now)
    left_out = sorted(guard_balances(office, now, "remind", "reminders", None).why)
    if _is_any_waiting(office, REMINDERS) or why_send_kinds(office, now, tuple(REMINDERS)):
        return None
    terms = replace(office.reminders_terms(now, records=False), left_out=frozenset(left_out))
    owed = {kind: queue_reminders(office.database, kind, terms) for kind in REMINDERS}
    if any(counts.queued for counts in owed.values()):
        return None
    note_ended_well(office, "remind")
    nothing = dict.fromkeys(UNSENT, 0)
    figures = {kind.value: to_figures(counts) | nothing for kind, counts in owed.items()}
    overdue = undrawn_figures(undrawn(office.database, now))
    told = {"reminders": figures, "collecting_overdue": overdue, "withdrawn": 0, "stopped_by": ""}
    known = {"balances": say_feed(office, now), "as_of": say_as_of(office)}
    return told | known | {"left_out": left_out} | QUIET


def quiet_notices(office: Office) -> Figures | None:
    """The same of `notify`."""
    now = office.due_now()
    kinds = tuple(QUEUES)
    if _is_any_waiting(office, kinds) or why_send_kinds(office, now, kinds):
        return None
    owed = look_at_notices(office.database, office.notices_terms(now, records=False))
    if any(figures["queued"] for figures in owed.values()):
        return None
    note_ended_well(office, "send-notices")
    nothing = dict.fromkeys(("sent", "failed", "deferred", "in_doubt"), 0)
    return {"notices": owed, **nothing, "stopped_by": ""} | QUIET


def quiet_collecting(office: Office) -> Figures | None:
    """
    The same of `collect`: nothing to draw, look up or post, and the gateway was asked of late.

    Raises Refused as the flow does while postings are stuck.
    """
    now = office.due_now()
    require_posted_here(office, now)
    guard_balances(office, now, "collect", "autopay", None)
    if _has_collecting(office):
        return None
    note_ended_well(office, "collect-autopay")
    looked_up, events = lookup_figures(LookupCounts()), event_figures(office, EventCounts())
    posted = posting_figures(office, PostingCounts())
    figures = draw_figures(CollectCounts()) | open_figures(office)
    return (
        figures
        | {
            "balances": say_feed(office, now),
            "as_of": say_as_of(office),
            "looked_up": looked_up,
            "events": events,
            "returned": events["returned"],
            "settlements": payout_figures(office, SettlementCounts()),
            "posted": posted,
            "unposted": {"count": posted["unposted"], "amount": posted["unposted_amount"]},
            "mails": 0,
        }
        | QUIET
    )


def _has_collecting(office: Office) -> bool:
    now = office.due_now()
    if read_open_draws(office.database).unknown.count or why_post(office, now):
        return True
    with office.database.reading() as books:
        is_open = sa.select(draw.c.key).where(draw.c.state.in_(OPEN_DRAWS)).limit(1)
        told = sa.select(told_event.c.event_id).where(told_event.c.taken_in_at.is_(None)).limit(1)
        has_draws = books.scalar(sa.select(draw.c.key).limit(1)) is not None
        asked = sa.select(sa.func.max(events_read.c.until))
        asked_at = books.scalar(asked.where(events_read.c.gateway == office.gateway.name))
        if books.scalar(is_open) is not None or books.scalar(told) is not None:
            return True
    if has_draws and (asked_at is None or now - asked_at > ASKED_WITHIN):
        return True
    kinds = (MessageKind.AUTOPAY_FAILED,)
    if _is_any_waiting(office, kinds):
        return True
    return next(preview_due(office.database, now, office.autopay_terms), None) is not None


def _is_any_waiting(office: Office, kinds: Any) -> bool:
    query = sa.select(delivery.c.key).where(
        delivery.c.kind.in_(kinds), delivery.c.status.in_(WAITING)
    )
    with office.database.reading() as books:
        return books.scalar(query.limit(1)) is not None
