"""Reminding: the payment-due and past-due mails that are owed now, every night."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.states import Completed

from tasks.feeding import guard_feed
from tasks.mailing import nobody_mailed
from tasks.reminding import (
    guard_reminders,
    look_for_undrawn_payments,
    queue_past_due,
    queue_payment_due,
    send_arrangement_mails,
    send_past_due,
    send_payment_due,
    settle_payment_arrangements,
    withdraw_what_is_not_owed,
)
from tasks.steps.naming import named_by_day
from tasks.steps.sentences import in_sentences


@flow(name="remind", flow_run_name=named_by_day("remind"), persist_result=False)
@in_sentences
def remind(
    despite_stuck_postings: str | None = None, despite_stale_balances: str | None = None
) -> State[Any]:
    """
    Record what is owed, then send it; what was recorded before is never recorded again.

    Run as often as you like: the nights that were missed are made up for.
    """
    guard_reminders(despite_stuck_postings)
    balances = guard_feed("remind", "reminders", despite_stale_balances)
    left_out = sorted(balances["left_out"])
    undrawn = look_for_undrawn_payments()
    plans = settle_payment_arrangements(left_out)
    withdrawn = withdraw_what_is_not_owed()
    queued = {"payment-due": queue_payment_due(left_out), "past-due": queue_past_due(left_out)}
    sent = {"payment-due": send_payment_due(), "past-due": send_past_due()}
    told_plans = send_arrangement_mails()

    figures = {
        "reminders": {kind: queued[kind] | _of_one_kind(sent[kind]) for kind in queued},
        "arrangements": plans | _of_one_kind(told_plans),
        "balances": balances["sentence"],
        "as_of": balances["as_of"],
        "left_out": left_out,
        "collecting_overdue": undrawn,
        "withdrawn": withdrawn,
        "stopped_by": sent["payment-due"]["stopped_by"]
        or sent["past-due"]["stopped_by"]
        or told_plans["stopped_by"],
    }
    told = ", ".join(f"{sent[kind]['sent']:,} {kind}" for kind in sent)
    nobody = [counts["mailed_nobody"] for counts in sent.values()]
    if any(nobody) and not any(counts["sent"] for counts in sent.values()):
        return nobody_mailed(figures)
    return Completed(message=f"reminders sent: {told}", data=figures)


def _of_one_kind(sent: dict[str, Any]) -> dict[str, Any]:
    names = ("sent", "failed", "deferred", "in_doubt", "possible_duplicates")
    return {name: sent[name] for name in names}
