"""Step: import the billing export."""

from __future__ import annotations

from pathlib import Path

from billing_system.belonging import require_no_overlap
from billing_system.importing import allow_overlap, import_export
from database.runs import get_run
from domain.failures import Misuse, Refused
from domain.steps import Step
from domain.words import say_count
from office.equipment.office import Office, current_office
from office.prefect_server.task_runner import is_shared
from rules.calendars import earliest_close
from splitter.runs.records import fetch_documents, share_documents
from tasks.steps.step import Done, step


@step(Step.GUARD)
def guard_calendar(period: str) -> Done:
    """
    Refuse a close on the period's last day or before the office's next business day (5, 6).

    Likewise of days that were closed for the same accounts since the import.
    """
    office = current_office()
    known = get_run(office.database, period)
    earliest = earliest_close(known.ends_on, office.office_days)
    today = office.today(known)
    if known.is_closed:
        return Done("closed before", {"earliest_close": earliest.isoformat()})
    with office.database.reading() as books:
        require_no_overlap(books, period)
    if today < earliest:
        raise Refused(
            "too-early",
            f"Period {period} ends on {known.ends_on} and may be closed from "
            f"{earliest:%A} {earliest} on; today is {today:%A} {today}.",
        )
    return Done(f"may be closed since {earliest}", {"earliest_close": earliest.isoformat()})


@step(Step.IMPORT)
def import_billing_export(
    period: str, bundle: str | None, *, replace: bool = False, overlaps: str | None = None
) -> Done:
    """
    Stage an export; without one the period must have been imported before.

    The same export again changes nothing. A corrected one takes the place of one that the checks
    refused; any other needs `replace`.
    """
    office = current_office()
    if bundle is None:
        known = get_run(office.database, period)
        with office.database.writing() as books:
            allow_overlap(books, period, overlaps, office.now(known), office.who)
        _share(office, period)
        return Done(f"{known.utility}, imported before", {"status": "unchanged"})
    export = office.billing_system.read_export(Path(bundle))
    if export.period.id != period:
        raise Misuse(f"{bundle} is the export of period {export.period.id}, not of {period}.")

    outcome = import_export(
        office.database,
        export,
        exports_folder=office.exports_folder,
        now=office.clock.due(export.utility.timezone),  # as what customers choose at that time
        who=office.who,
        replace=replace,
        corrects_refused=True,
        utility=office.settings.utility.name,
        overlaps=overlaps,
    )
    del export  # an office's every account; the steps that follow read the books
    _share(office, period)
    figures = {
        "status": outcome.status,
        "accounts": outcome.accounts,
        "movements": outcome.movements,
        "problems": outcome.problems,
    }
    sentence = f"{outcome.accounts:,} accounts, {outcome.movements:,} movements"
    if outcome.problems:
        sentence += f", {say_count(outcome.problems, 'row')} with problems"
    would = sentence if outcome.status == "unchanged" else f"{sentence} (would be imported)"
    return Done(f"{sentence} ({outcome.status})", figures, would=would)


def _share(office: Office, period: str) -> None:
    """Let other machines get at the bulk files, and this one at what another imported."""
    if is_shared(office):
        share_documents(office.database, period, office.store, office.exports_folder)
        fetch_documents(office.database, period, office.store, office.exports_folder)
