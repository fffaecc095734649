"""Scheduling autopay alone, for the office that forgot."""

from __future__ import annotations

from prefect import flow

from tasks.group_choice import choose_groups
from tasks.publishing import schedule_autopay as schedule
from tasks.steps.sentences import in_sentences
from tasks.steps.working import working_on


@flow(name="schedule-autopay", flow_run_name="schedule autopay {period}", persist_result=False)
@in_sentences
def schedule_autopay(period: str, groups: list[str] | None = None) -> None:
    """
    Schedule the payments of a closed period; what is overdue is drawn at once (rules 59, 73).

    With `groups` only those that are on-time, immediate or short-notice; without, a run of a
    deployment shows them where the schedule is late, and waits for a person's choice.
    """
    with working_on(period):
        if groups is None:
            groups = choose_groups(period)
        schedule(period, groups)
