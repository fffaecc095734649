"""`billclose close`: the whole close of a period."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from command_line.figures import close_figures
from command_line.opening import as_of_option, json_option, open_office
from command_line.progress import StepLines
from domain.failures import Misuse, Refused

NEEDS_PERSON, REFUSED = 4, 3


@click.command()
@click.argument("bundle_or_period")
@click.option("--yes", is_flag=True, help="Approve without asking.")
@click.option("--dry-run", is_flag=True, help="Decide everything; write, send and draw nothing.")
@click.option("--waive", multiple=True, metavar="CHECK", help="Go on in spite of this check.")
@click.option("--reason", multiple=True, metavar="TEXT", help="Why it is waived; audited.")
@click.option("--replace", is_flag=True, help="Take this export instead of the one imported.")
@as_of_option
@json_option
@click.pass_obj
def close(
    home: Path,
    bundle_or_period: str,
    yes: bool,
    dry_run: bool,
    waive: tuple[str, ...],
    reason: tuple[str, ...],
    replace: bool,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Close a period: BUNDLE is an export's folder or .zip, or a period imported before.

    Run again after any interruption it goes on where it was and does nothing twice.
    """
    waivers = pair_waivers(waive, reason)
    office = open_office(home, as_of)
    period, bundle = to_period(office, bundle_or_period)
    parameters = {"period": period, "bundle": bundle, "waivers": waivers, "replace": replace}
    if _is_all_done(office, period, bundle):
        return _tell(office, period, "closed", None, as_json, "was closed before; nothing to do")

    with rehearsed(office, dry_run) as at_work:
        return _close(at_work, home, parameters, yes or dry_run, as_json)


def run_close(office: Any, home: Path, period: str, bundle: str) -> int:
    """Close a period without asking; return the exit status."""
    parameters = {"period": period, "bundle": bundle, "waivers": {}, "replace": False}
    return _close(office, home, parameters, yes=True, as_json=False)


def pair_waivers(checks: tuple[str, ...], reasons: tuple[str, ...]) -> dict[str, str]:
    """Pair each waived check with its reason; one reason may serve for all."""
    if checks and not reasons:
        raise Misuse("--waive needs --reason TEXT: the waiver is audited with it.")
    if reasons and not checks:
        raise Misuse("--reason needs --waive CHECK.")
    if any(not reason.strip() for reason in reasons):
        raise Misuse("--reason must not be empty: the waiver is audited with it.")
    if len(reasons) not in (0, 1, len(checks)):
        raise Misuse("Give one --reason for all waived checks, or one for each.")
    if len(reasons) == 1:
        return dict.fromkeys(checks, reasons[0])
    return dict(zip(checks, reasons, strict=True))


def to_period(office: Any, bundle_or_period: str) -> tuple[str, str | None]:
    """Tell a bundle from a period; return the period and the bundle's path, if it is one."""
    from billing_system.period_of import read_period_id
    from database.runs import find_run

    place = Path(bundle_or_period)
    if not place.exists() and find_run(office.database, bundle_or_period) is not None:
        return bundle_or_period, None
    if not place.exists() and not ("/" in bundle_or_period or "." in bundle_or_period):
        raise Misuse(
            f"There is no folder {bundle_or_period}, and no period {bundle_or_period} has been "
            "imported; give the path of the billing export.",
            "no-bundle",
        )
    return read_period_id(place), str(place.resolve())


def _close(office: Any, home: Path, parameters: dict[str, Any], yes: bool, as_json: bool) -> int:
    from command_line.prefect_run import run_flow

    def load() -> Any:
        from flows.close_period import close_period

        return close_period

    period = parameters["period"]
    approver = (lambda _sheet: True) if yes else _ask
    worker = replace_office(office, approver)
    try:
        state = run_flow(worker, load, home, **parameters)
    except Refused as refusal:
        click.echo(f"billclose: {refusal.message}", err=True)
        return _tell(worker, period, "refused", refusal, as_json)
    if state.name == "Waiting":
        return _tell(
            worker, period, "waiting", None, as_json, f"waits for a yes: close {period} --yes"
        )
    return _tell(worker, period, "dry-run" if office.rehearses else "closed", None, as_json)


def replace_office(office: Any, approver: Any) -> Any:
    return replace(office, approves=approver, reporter=StepLines())


@contextlib.contextmanager
def rehearsed(office: Any, dry_run: bool) -> Iterator[Any]:
    if not dry_run:
        yield office
        return
    from office.rehearsing import rehearsal

    with rehearsal(office) as copy:
        yield copy


def _ask(sheet: Any) -> bool:
    """Ask the clerk at the terminal; where nobody can answer, the answer is not yet."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    click.echo(
        f"\n  {sheet.utility}, period {sheet.period}: {sheet.bills:,} bills, "
        f"{sheet.amount_due_total.dollars()} due on {sheet.due_on}.\n"
        f"  {sheet.deliveries.bills:,} by e-mail, {sheet.paper.bills:,} on paper; autopay "
        f"{sheet.autopay.scheduled:,} payments, {sheet.autopay.amount.dollars()}, "
        f"{sheet.autopay.immediate} drawn today.",
        err=True,
    )
    return click.confirm("  Close the period?", default=False, err=True)


def _is_all_done(office: Any, period: str, bundle: str | None) -> bool:
    """Tell whether this very export is closed and nothing of it is left to be done."""
    from billing_system.embedded import EmbeddedBillingSystem
    from database.runs import find_run
    from domain.deliveries import DeliveryStatus
    from domain.runs import RunState
    from mail.outbox import counts

    known = find_run(office.database, period)
    if known is None or known.state is not RunState.FINISHED:
        return False
    if bundle is not None:
        export = EmbeddedBillingSystem().read_export(Path(bundle))
        if export.sha256 != known.export_sha256:
            return False
    done = (DeliveryStatus.SENT, DeliveryStatus.FAILED)
    unsent = {status: n for status, n in counts(office.database, period).items() if n}
    return all(status in done for status in unsent)


def _tell(
    office: Any,
    period: str,
    status: str,
    refusal: Refused | None,
    as_json: bool,
    sentence: str = "",
) -> int:
    """Print the figures and return the exit status."""
    from database.runs import find_run
    from reporting.reading import read_run_sheet

    known = find_run(office.database, period)
    sheet = read_run_sheet(office.database, period) if known else None
    figures = close_figures(period, status, refusal, sheet)
    if as_json:
        click.echo(json.dumps(figures, indent=1))
    elif sentence:
        click.echo(f"{period} {sentence}.")
    elif status != "refused" and sheet is not None:
        click.echo(_summary(sheet, status, office))
    if refusal is not None:
        return REFUSED
    unsent = figures["deliveries"]
    if status == "waiting" or unsent["failed"] or unsent["deferred"] or unsent["in_doubt"]:
        return NEEDS_PERSON
    return 0


def _summary(sheet: Any, status: str, office: Any) -> str:
    word = "would close" if status == "dry-run" else "is closed"
    lines = [
        f"{sheet.utility}: period {sheet.period} {word}. {sheet.bills:,} bills, "
        f"{sheet.amount_due_total.dollars()}.",
        f"  e-mailed {sheet.deliveries.bills_sent:,} bills in {sheet.deliveries.sent:,} mails, "
        f"printed {sheet.paper.bills:,} on {sheet.paper.pages:,} pages, held {sheet.held_bills}",
        f"  autopay  {sheet.autopay.scheduled:,} scheduled ({sheet.autopay.amount.dollars()}), "
        f"{sheet.autopay.immediate} drawn at once, {sheet.autopay.unscheduled} without a payment",
    ]
    if status != "dry-run":
        lines.append(f"  report   {office.home / 'reports' / f'close-{sheet.period}.html'}")
    return "\n".join(lines)
