"""A mass mail, from its audience to its last mail."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.states import Completed

from tasks.communicating import queue_communication, resolve_audience, send_in_turns
from tasks.mailing import nobody_mailed
from tasks.steps.sentences import in_sentences


@flow(name="send-communication", flow_run_name="send mailing {mailing}", persist_result=False)
@in_sentences
def send_communication(mailing: int, count: int) -> State[Any]:
    """
    Send a recorded mailing to the `count` mailboxes that a person has confirmed.

    Run again after any interruption it goes on where it was, and nobody gets it twice.
    """
    figures = resolve_audience(mailing, count) | queue_communication(mailing)
    sent: State[Any] = send_in_turns(mailing, return_state=True)
    outcome = sent.result(raise_on_failure=False)
    if isinstance(outcome, BaseException):
        raise outcome

    figures = {"mailing": mailing, **figures, **outcome}
    if figures["mailed_nobody"]:
        return nobody_mailed(figures, f"mailing {mailing} is in the outbox")
    return Completed(message=f"mailing {mailing}: {sent.message}", data=figures)
