"""Step: schedule autopay."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import timedelta

from database.auditing import record_audit
from database.runs import get_run
from domain.schedule_groups import ScheduleGroup
from domain.steps import Step
from domain.words import say_count
from office.wiring import office
from payments.schedule_groups import Chosen, count_left_out
from payments.scheduling import schedule_autopay as schedule
from payments.scheduling import schedule_counts
from tasks.step import Done, step


@step(Step.SCHEDULE, retries=0)
def schedule_autopay(run: str, groups: Collection[str] | None = None) -> Done:
    """
    Schedule the payments of a closed period and list who has none (rules 7, 72-82).

    With `groups` only these; who is left out is scheduled by a later run (rule 73).
    """
    here = office()
    known = get_run(here.database, run)
    noticed_on = here.today(known) + timedelta(days=here.thresholds.notice_days)
    chosen = None
    if groups is not None:
        chosen = Chosen(frozenset(map(ScheduleGroup, groups)), noticed_on)
    before = schedule_counts(here.database, run)
    counts = schedule(
        here.database,
        run,
        now=here.now(known),
        today=here.today(known),
        closed=here.bank_days,
        policy=here.autopay_policy,
        chosen=chosen,
    )
    sentence = f"{say_count(counts.scheduled, 'payment')}, {counts.amount.dollars()}"
    if counts.immediate:
        sentence += f", {counts.immediate} of them due at once"
    if counts.unscheduled:
        sentence += f"; {counts.unscheduled} enrolled without a payment"
    if groups is not None:
        left = count_left_out(here.database, run)
        sentence += f"; {left.payments} left out, {left.amount.dollars()}"
    if counts != before:
        with here.database.writing() as books:
            record_audit(books, here.now(known), here.who, "schedule autopay", run, sentence)
    return Done(sentence, asdict(counts) | {"amount": str(counts.amount)})
