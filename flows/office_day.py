"""The day of the rounds: once a day a run that shows how often was looked, and what had work."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.states import Completed

from tasks.steps.sentences import in_sentences
from tasks.watching import tell_day_of_rounds


@flow(name="office-day", flow_run_name="office day", persist_result=False)
@in_sentences
def office_day() -> State[Any]:
    """Show the looks of the day as a table: the heartbeat of an office that is at rest."""
    found = tell_day_of_rounds()
    return Completed(message=found["sentence"], data=found)
