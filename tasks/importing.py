"""Step: import the billing export."""

from __future__ import annotations

from pathlib import Path

from billing_system.belonging import require_no_overlap
from billing_system.importing import allow_overlap, import_export
from database.runs import get_run
from domain.failures import Misuse, Refused
from domain.steps import Step
from office.equipment.office import Office, office
from office.prefect_server.task_runner import is_shared
from rules.calendars import earliest_close
from splitter.runs.records import fetch_documents, share_documents
from tasks.step import Done, step


@step(Step.GUARD)
def guard_calendar(run: str) -> Done:
    """
    Refuse a close on the period's last day or before the office's next business day (5, 6).

    Likewise of days that were closed for the same accounts since the import.
    """
    here = office()
    known = get_run(here.database, run)
    earliest = earliest_close(known.ends_on, here.office_days)
    today = here.today(known)
    if known.is_closed:
        return Done("closed before", {"earliest_close": earliest.isoformat()})
    with here.database.reading() as books:
        require_no_overlap(books, run)
    if today < earliest:
        raise Refused(
            "too-early",
            f"Period {run} ends on {known.ends_on} and may be closed from "
            f"{earliest:%A} {earliest} on; today is {today:%A} {today}.",
        )
    return Done(f"may be closed since {earliest}", {"earliest_close": earliest.isoformat()})


@step(Step.IMPORT)
def import_billing_export(
    run: str, bundle: str | None, *, replace: bool = False, overlaps: str | None = None
) -> Done:
    """
    Stage an export; without one the period must have been imported before.

    The same export again changes nothing. A corrected one takes the place of one that the checks
    refused; any other needs `replace`.
    """
    here = office()
    if bundle is None:
        known = get_run(here.database, run)
        with here.database.writing() as books:
            allow_overlap(books, run, overlaps, here.now(known), here.who)
        _share(here, run)
        return Done(f"{known.utility}, imported before", {"status": "unchanged"})
    export = here.billing_system.read_export(Path(bundle))
    if export.period.id != run:
        raise Misuse(f"{bundle} is the export of period {export.period.id}, not of {run}.")

    outcome = import_export(
        here.database,
        export,
        exports_folder=here.exports_folder,
        now=here.clock.now(export.utility.timezone),
        who=here.who,
        replace=replace,
        corrects_refused=True,
        utility=here.settings.utility.name,
        overlaps=overlaps,
    )
    _share(here, run)
    figures = {
        "status": outcome.status,
        "accounts": outcome.accounts,
        "movements": outcome.movements,
        "problems": outcome.problems,
    }
    sentence = f"{outcome.accounts:,} accounts, {outcome.movements:,} movements"
    if outcome.problems:
        sentence += f", {outcome.problems} rows with problems"
    return Done(f"{sentence} ({outcome.status})", figures)


def _share(here: Office, run: str) -> None:
    """Let other machines get at the bulk files, and this one at what another imported."""
    if is_shared(here):
        share_documents(here.database, run, here.store, here.exports_folder)
        fetch_documents(here.database, run, here.store, here.exports_folder)
