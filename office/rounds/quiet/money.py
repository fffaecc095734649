"""Commands that move money and have nothing to do: known without a server, told like their flow."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from cash_receipting.posting import PostingCounts
from database.tables import draw, events_read, told_event
from domain.deliveries import MessageKind
from domain.payments import DrawState
from office.equipment.office import Office
from office.health.work import note_ended_well
from office.procedures.posting import posting_figures, require_posted_here
from office.rounds.looks import why_post
from office.rounds.quiet.waiting import QUIET, Figures, is_any_waiting

ASKED_WITHIN = timedelta(hours=20)  # the gateway is asked once a day what became of draws
OPEN_DRAWS = (DrawState.CREATED, DrawState.ASKED)


def quiet_postings(office: Office) -> Figures | None:
    """Return what `retry-postings` says where nothing is due; None where its flow has work."""
    if why_post(office, office.due_now()):
        return None
    note_ended_well(office, "retry-postings")
    return posting_figures(office, PostingCounts()) | {"alerts": 0} | QUIET


def quiet_collecting(office: Office) -> Figures | None:
    """
    The same of `collect`: nothing to draw, look up or post, and the gateway was asked of late.

    Raises Refused as the flow does while postings are stuck.
    """
    from office.procedures.collecting import (
        draw_figures,
        event_figures,
        lookup_figures,
        open_figures,
        payout_figures,
    )
    from office.procedures.feeding import guard_balances, say_as_of, say_feed
    from payments.collecting.collecting import CollectCounts
    from payments.collecting.unanswered import LookupCounts
    from payments.outcomes.events import EventCounts
    from payments.outcomes.settlements import SettlementCounts

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
    from payments.collecting.claiming import preview_due
    from payments.collecting.draws import read_open_draws

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
    if is_any_waiting(office, kinds):
        return True
    return next(preview_due(office.database, now, office.autopay_terms), None) is not None
