"""Step: import the billing export."""

from __future__ import annotations

from pathlib import Path

from billing_system.importing import import_export
from database.runs import get_run
from domain.failures import Misuse
from domain.steps import Step
from office.task_runner import is_shared
from office.wiring import Office, office
from splitter.documents import fetch_documents, share_documents
from tasks.step import Done, step


@step(Step.IMPORT)
def import_billing_export(run: str, bundle: str | None, *, replace: bool = False) -> Done:
    """
    Stage an export; without one the period must have been imported before.

    The same export again changes nothing. A corrected one takes the place of one that the checks
    refused; any other needs `replace`.
    """
    here = office()
    if bundle is None:
        known = get_run(here.database, run)
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
