"""Step: the close itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, timedelta

from billing_system.closing import publish
from database.audit import record_audit
from database.runs import get_run, move_run
from domain.runs import RunState
from domain.schedule_groups import ScheduleGroup
from domain.steps import Step
from domain.words import say_count
from office.equipment.office import office
from office.procedures.checks import write_register_files
from office.procedures.exceptions import exceptions_of
from payments.scheduling.scheduling import Chosen, count_left_out, schedule_counts
from payments.scheduling.scheduling import schedule_autopay as schedule
from reporting.report.page import write_page
from reporting.run_sheet.reading import read_run_sheet
from tasks.artifacts import link_report, show_exceptions, show_print_batch, show_report
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


@step(Step.PUBLISH, once=True)
def publish_bills(run: str) -> Done:
    """Make the bills visible and move the balances, in one transaction (rules 2-4)."""
    here = office()
    known = get_run(here.database, run)
    published = publish(
        here.database,
        run,
        now=here.now(known),
        who=here.who,
        posting_days=here.settings.checks.posting_days,
    )
    sentence = f"{published.accounts:,} balances moved, {published.amount.dollars()}"
    return Done(sentence, asdict(published) | {"amount": str(published.amount)})


@step(Step.REPORT)
def report_run(run: str) -> Done:
    """Write the report that a clerk reads in a minute and an auditor keeps; finish the run."""
    here = office()
    known = get_run(here.database, run)
    if known.state is not RunState.FINISHED:
        with here.database.writing() as books:
            move_run(books, run, "finished")
            record_audit(books, here.now(known), here.who, "finish", run)
    place = here.folder("reports") / f"close-{run}.html"
    write_page(
        place,
        read_run_sheet(here.database, run),
        exceptions_of(here, run),
        written_at=here.now(known).astimezone(UTC),
        version=here.version,
        rehearsal=here.rehearses,
    )
    write_register_files(here, run)
    show_exceptions(here, run)
    show_report(here, run)
    if not here.rehearses:  # its files are gone when it ends
        show_print_batch(here.database, run, here.home)
        link_report(run, place)
    return Done(f"reports/{place.name}", {"file": f"reports/{place.name}"})
