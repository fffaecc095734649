"""Posting what was taken: by schedule, and when a clerk says now."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.states import Completed

from tasks.mailing import send_mail
from tasks.posting import post_payments, tell_of_cash_receipting
from tasks.steps.sentences import in_sentences


@flow(name="retry-postings", flow_run_name="retry postings", persist_result=False)
@in_sentences
def retry_postings(now: bool = False) -> State[Any]:
    """Post what is due; tell the office once when cash receipting falls silent or is back."""
    posted = post_payments(now)
    alerts = tell_of_cash_receipting()
    if alerts:
        send_mail(return_state=True)  # what does not leave now is sent with the next mails
    return Completed(message=posted["sentence"], data=posted | {"alerts": alerts})
