"""Collecting: what is due is drawn, and what became of earlier draws is taken in."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.states import Completed

from tasks.collecting import (
    count_open,
    draw_payments,
    look_up_payments,
    queue_failure_mails,
    read_payouts,
    take_in_late_events,
)
from tasks.feeding import guard_feed
from tasks.mailing import send_mail
from tasks.posting import guard_draws, post_payments, tell_of_cash_receipting
from tasks.steps.naming import named_by_day
from tasks.steps.sentences import in_sentences
from tasks.steps.working import collecting


@flow(name="collect-autopay", flow_run_name=named_by_day("collect autopay"), persist_result=False)
@in_sentences
def collect_autopay(
    despite_stuck_postings: str | None = None, despite_stale_balances: str | None = None
) -> State[Any]:
    """
    Look up what is in doubt before anything else is drawn, then draw what is due.

    What was returned opens balances again, what was taken is posted, and the customers whose
    payments failed are told.
    """
    with collecting():
        guard_draws(despite_stuck_postings)
        balances = guard_feed("collect", "autopay", despite_stale_balances)
        looked_up = look_up_payments(balances)
        drawn = draw_payments(balances)
        events = take_in_late_events()
        settled = read_payouts()
    mails = queue_failure_mails()
    posted = post_payments()
    tell_of_cash_receipting()
    send_mail(return_state=True)  # what does not leave now is sent with the next mails
    figures = {
        "balances": balances["sentence"],
        "as_of": balances["as_of"],
        "looked_up": looked_up,
        "events": events,
        "returned": events["returned"],
        "settlements": settled,
        "posted": posted,
        "unposted": {"count": posted["unposted"], "amount": posted["unposted_amount"]},
        "mails": mails,
    }
    return Completed(message=drawn["sentence"], data=drawn | count_open() | figures)
