"""What has come of the billing system's feed, and the choices of customers that leave toward it."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.states import Completed, Failed

from tasks.feeding import take_in_feed as take_in
from tasks.steps.sentences import in_sentences


@flow(name="take-in-feed", flow_run_name="take in feed", persist_result=False)
@in_sentences
def take_in_feed() -> State[Any]:
    """Take in what has come; a file that cannot be taken in, or no answer, fails the run."""
    fed = take_in()
    if fed["refused"] or fed["stopped_by"]:
        return Failed(message=fed["sentence"])
    return Completed(message=fed["sentence"], data=fed)
