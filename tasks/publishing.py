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
from office.equipment.office import current_office
from office.procedures.checks import write_register_files
from office.procedures.exceptions import exceptions_of
from office.procedures.portal.inviting import invite_new
from payments.scheduling.scheduling import Chosen, count_left_out, schedule_counts
from payments.scheduling.scheduling import schedule_autopay as schedule
from reporting.report.page import write_page
from reporting.run_sheet.reading import read_run_sheet
from tasks.steps.artifacts import link_report, show_exceptions, show_print_batch, show_report
from tasks.steps.step import Done, step


@step(Step.SCHEDULE, retries=0)
def schedule_autopay(period: str, groups: Collection[str] | None = None) -> Done:
    """
    Schedule the payments of a closed period and list who has none (rules 7, 72-82).

    With `groups` only these; who is left out is scheduled by a later run (rule 73).
    """
    office = current_office()
    known = get_run(office.database, period)
    noticed_on = office.today(known) + timedelta(days=office.thresholds.notice_days)
    chosen = None
    if groups is not None:
        chosen = Chosen(frozenset(map(ScheduleGroup, groups)), noticed_on)
    before = schedule_counts(office.database, period)
    counts = schedule(
        office.database,
        period,
        now=office.now(known),
        today=office.today(known),
        closed=office.bank_days,
        policy=office.autopay_policy,
        chosen=chosen,
    )
    payments = say_count(counts.scheduled, "payment")
    sentence = f"{payments}, {counts.amount.dollars()}"
    if counts.immediate:
        sentence += f", {counts.immediate} of them due at once"
    if counts.unscheduled:
        sentence += f"; {counts.unscheduled} enrolled without a payment"
    if groups is not None:
        left = count_left_out(office.database, period)
        sentence += f"; {left.payments} left out, {left.amount.dollars()}"
    if counts != before:
        with office.database.writing() as books:
            record_audit(books, office.now(known), office.who, "schedule autopay", period, sentence)
    would = sentence.replace(payments, f"{payments} would be scheduled", 1)
    return Done(sentence, asdict(counts) | {"amount": str(counts.amount)}, would=would)


@step(Step.PUBLISH, once=True)
def publish_bills(period: str) -> Done:
    """
    Make the bills visible and move the balances, in one transaction (rules 2-4).

    Who is new with this period is invited to the portal, where the office wants that (rule 146).
    """
    office = current_office()
    known = get_run(office.database, period)
    published = publish(
        office.database,
        period,
        now=office.now(known),
        who=office.who,
        posting_days=office.settings.checks.posting_days,
    )
    invited = invite_new(office, period, office.now(known))
    balances, amount = f"{published.accounts:,} balances", published.amount.dollars()
    sentence, would = f"{balances} moved, {amount}", f"{balances} would move, {amount}"
    if invited:
        new = say_count(invited, "new customer")
        sentence += f"; {new} invited to the portal"
        would += f"; {new} would be invited to the portal"
    return Done(sentence, asdict(published) | {"amount": str(published.amount)}, would=would)


@step(Step.REPORT)
def report_run(period: str) -> Done:
    """Write the report that a clerk reads in a minute and an auditor keeps; finish the run."""
    office = current_office()
    known = get_run(office.database, period)
    if known.state is not RunState.FINISHED:
        with office.database.writing() as books:
            move_run(books, period, "finished")
            record_audit(books, office.now(known), office.who, "finish", period)
    place = office.folder("reports") / f"close-{period}.html"
    sheet, exceptions = read_run_sheet(office.database, period), list(exceptions_of(office, period))
    write_page(
        place,
        sheet,
        exceptions,
        written_at=office.now(known).astimezone(UTC),
        version=office.version,
        rehearsal=office.rehearses,
    )
    write_register_files(office, period)
    show_exceptions(period, exceptions)
    show_report(sheet, exceptions)
    if not office.rehearses:  # its files are gone when it ends
        show_print_batch(office.database, period, office.home)
        link_report(period, place)
    would = "a close would write one here"
    return Done(f"reports/{place.name}", {"file": f"reports/{place.name}"}, would=would)
