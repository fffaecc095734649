"""Sending what is due, without a close: after an outage of the mail server."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.states import Completed

from tasks.mailing import nobody_mailed
from tasks.mailing import send_mail as send
from tasks.steps.sentences import in_sentences


@flow(name="send-mail", flow_run_name="send mail", persist_result=False)
@in_sentences
def send_mail() -> State[Any]:
    """Send the mails that are due, of every period; those put off come again when it is time."""
    sent: State[Any] = send(return_state=True)
    figures = sent.result(raise_on_failure=False)
    if isinstance(figures, BaseException):
        raise figures
    if figures["mailed_nobody"]:
        return nobody_mailed(figures)
    return Completed(message=sent.message, data=figures)
