"""Notices: what customers are told of their payments, beside bills and reminders."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.states import Completed

from tasks.mailing import nobody_mailed
from tasks.reminding import (
    queue_expiring_mails,
    queue_receipt_mails,
    queue_scheduled_mails,
    send_notice_mails,
)
from tasks.steps.naming import named_by_day
from tasks.steps.sentences import in_sentences


@flow(name="send-notices", flow_run_name=named_by_day("send notices"), persist_result=False)
@in_sentences
def send_notices() -> State[Any]:
    """Record what customers are owed to hear of their payments, each once, and send it."""
    notices = {
        "receipt": queue_receipt_mails(),
        "autopay-scheduled": queue_scheduled_mails(),
        "method-expiring": queue_expiring_mails(),
    }
    outcome: State[Any] = send_notice_mails(return_state=True)
    sent = outcome.result(raise_on_failure=False)
    if isinstance(sent, BaseException):
        raise sent

    figures = sent | {"notices": notices}
    if sent["mailed_nobody"]:
        return nobody_mailed(figures)
    return Completed(message=f"notices: {outcome.message}", data=figures)
