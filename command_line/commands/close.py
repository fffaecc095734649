"""`billclose close`: the whole close of a period."""

from __future__ import annotations

import gc
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.failing import is_published
from command_line.options import (
    as_of_option,
    ask,
    despite_option,
    is_at_terminal,
    json_option,
    open_office,
    overlaps_option,
)
from command_line.outcomes.close import say_findings, tell
from command_line.standing import of_period
from command_line.waivers import to_waivers, waiver_options
from command_line.working import rehearsed, telling_steps
from domain.failures import Misuse, NobodyMailed, Refused
from domain.words import say_count

if TYPE_CHECKING:
    from office.equipment.office import Office
    from reporting.run_sheet.run_sheet import RunSheet


@click.command()
@click.argument("bundle_or_period")
@click.option("--yes", is_flag=True, help="Approve without asking.")
@click.option("--dry-run", is_flag=True, help="Decide everything; write, send and draw nothing.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --dry-run: write the rehearsal's report, an HTML page, for your eyes alone.",
)
@waiver_options
@click.option("--replace", is_flag=True, help="Take this export instead of the one imported.")
@overlaps_option
@despite_option
@as_of_option
@json_option
@click.pass_obj
def close(
    home: Path,
    bundle_or_period: str,
    yes: bool,
    dry_run: bool,
    report: Path | None,
    waive: tuple[str, ...],
    reason: tuple[str, ...],
    replace: bool,
    overlaps: str | None,
    despite_stuck_postings: str | None,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Close a period: BUNDLE is an export's folder or .zip, or a period imported before.

    Run again after any interruption it goes on where it was and does nothing twice.
    """
    waivers = to_waivers(waive, reason)
    if report is not None and not dry_run:
        raise Misuse("--report is for a rehearsal: give --dry-run too; a close writes its own.")
    office = open_office(home, as_of)
    period, bundle = to_period(office, bundle_or_period)
    parameters = {"period": period, "bundle": bundle, "waivers": waivers, "replace": replace}
    parameters |= {"despite_stuck_postings": despite_stuck_postings, "overlaps": overlaps}
    if _is_all_done(office, period, bundle):
        return tell(office, period, "closed", None, as_json=as_json, before=True)

    with rehearsed(office, dry_run) as at_work:
        return _close(at_work, parameters, yes=yes or dry_run, as_json=as_json, report=report)


def run_close(office: Office, period: str, bundle: str, *, as_json: bool = False) -> int:
    """Close a period without asking; return the exit status."""
    parameters = {"period": period, "bundle": bundle, "waivers": {}, "replace": False}
    return _close(office, parameters, yes=True, as_json=as_json)


def to_period(office: Office, bundle_or_period: str) -> tuple[str, str | None]:
    """Tell a bundle from a period; return the period and the bundle's path, if it is one."""
    from billing_system.export.manifest import read_manifest
    from database.queries.periods import unknown_period
    from database.runs import find_run

    place = Path(bundle_or_period)
    if not place.exists() and find_run(office.database, bundle_or_period) is not None:
        return bundle_or_period, None
    if not place.exists() and not ("/" in bundle_or_period or "." in bundle_or_period):
        with office.database.reading() as books:
            meant = unknown_period(books, bundle_or_period).message
        raise Misuse(
            f"There is no folder {bundle_or_period} with a billing export. {meant}", "no-bundle"
        )
    return read_manifest(place).period.id, str(place.resolve())


def _close(
    office: Office,
    parameters: dict[str, Any],
    *,
    yes: bool,
    as_json: bool,
    report: Path | None = None,
) -> int:
    from office.prefect_server.flow_runs import run_flow

    def load() -> Any:
        from data_checks.checking import warm_up
        from flows.close_period import close_period

        warm_up()
        _spare_the_collector()
        return close_period

    period = parameters["period"]
    worker = telling_steps(office, (lambda _sheet: True) if yes else _ask)
    status, refusal = "dry-run" if office.rehearses else "closed", None
    try:
        with of_period(worker, period):
            state = run_flow(worker, load, **parameters)
        status = "waiting" if state.name == "Waiting" else status
        if status == "closed":
            _wake_who_waits(worker, period)
    except NobodyMailed as found:  # the close stands, and is told with what has not left
        click.echo(f"billclose: {found.message}", err=True)
    except Refused as found:
        if is_published(found):
            raise
        status, refusal = "refused", found
    if report is not None:
        _write_rehearsal(worker, period, report, refusal)
    return tell(worker, period, status, refusal, as_json=as_json, before=False)


def _write_rehearsal(office: Office, period: str, report: Path, refusal: Refused | None) -> None:
    """Write what a rehearsal came to; the guard's sentence where no check ran."""
    from office.procedures.closing.rehearsal import write_rehearsal_report

    said = write_rehearsal_report(office, period, report, refusal.message if refusal else "")
    click.echo(f"  report   {said}", err=True)


@cache
def _spare_the_collector() -> None:
    """Freeze what is loaded, once a process: a million objects of libraries, looked at anew."""
    gc.freeze()


def _wake_who_waits(office: Office, period: str) -> None:
    """Let a run that waits in the Prefect server see that the period is closed, and end."""
    from database.approvals import newest_request
    from office.prefect_server.runs import wake

    with office.database.reading() as books:
        request = newest_request(books, period)
    wake(office, request.flow_run if request else None)


def _ask(sheet: RunSheet) -> bool:
    """Ask the clerk at the terminal; where nobody can answer, the answer is not yet."""
    if not is_at_terminal():
        return False
    click.echo(
        f"\n  {sheet.utility}, period {sheet.period}: {say_count(sheet.bills, 'bill')}, "
        f"{sheet.amount_due_total.dollars()} due on {sheet.due_on}.\n"
        f"  {sheet.deliveries.bills:,} by e-mail, {sheet.paper.bills:,} on paper; autopay "
        f"{sheet.autopay.scheduled:,} payments, {sheet.autopay.amount.dollars()}, "
        f"{sheet.autopay.immediate} due today.",
        err=True,
    )
    say_findings(sheet)
    return ask("  Close the period?")


def _is_all_done(office: Office, period: str, bundle: str | None) -> bool:
    """Tell whether this very export is closed and nothing of it is left to be done."""
    from database.runs import find_run, finished_step
    from domain.deliveries import DeliveryStatus
    from domain.runs import RunState
    from domain.steps import Step
    from mail.outbox.deliveries import counts

    known = find_run(office.database, period)
    if known is None or known.state is not RunState.FINISHED:
        return False
    if finished_step(office.database, period, Step.REPORT) is None:
        return False
    if bundle is not None:
        export = office.billing_system.read_export(Path(bundle))
        if export.sha256 != known.export_sha256:
            return False
    done = (DeliveryStatus.SENT, DeliveryStatus.FAILED)
    left = [status for status, number in counts(office.database, period).items() if number]
    return all(status in done for status in left)
