"""The close in a browser: choose the export, rehearse, see the figures, close, approve, refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from starlette.responses import FileResponse, Response

from billing_system.export.manifest import read_manifest
from data_checks.checking import unwaivable_check_names
from database.runs import Run, find_run
from database.tables import audit
from domain.approvals import Decision
from domain.desk_work import WorkKind, WorkState
from domain.failures import Misuse, Refused
from domain.runs import RunState
from office.equipment.locking import working_on
from office.equipment.office import Office
from office.lookup.standing import read_months
from office.prefect_server.runs import known_address
from office.procedures.closing import approval
from office.procedures.closing.approval import PendingApproval
from office.procedures.closing.close_figures import sheet_figures
from office.procedures.closing.packing import report_file
from rules.approving import require_may_decide
from splitter.runs.page_rulings import count_unassigned
from web.guarding import SANDBOXED
from web.layout import missing
from web.office.begun.close_work import begin_work, is_going_on, newest_work
from web.office.begun.steps import list_steps
from web.office.layout import show_office
from web.office.permissions import Permission, may
from web.visits import LONGEST_REASON, Visit, redirect

UPLOADED = "upload export"  # as the audit list has it; its detail is the file and its own name
FOLDERS = (".", "exports", "uploads")  # of the home, in which billing exports are looked for


def show_close(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    """Show the exports that there are, where one is uploaded, and how the newest periods stand."""
    return show_office(
        visit,
        "close.html",
        422 if problems else 200,
        exports=list_exports(visit.office, visit.zone),
        uploaded=f"uploads/{visit.request.query_params.get('uploaded', '')}",
        may_close=may(visit.user.role, Permission.CLOSE),
        months=read_months(visit.office),
        problems=problems or {},
    )


def list_exports(office: Office, zone: ZoneInfo) -> list[dict[str, str]]:
    """
    Return the billing exports in the home: title, path within it, and period.

    The newest period comes first, and of one period what was uploaded last: a clerk who sends a
    corrected export means that one.
    """
    found, uploads = [], _uploads(office)
    for folder in FOLDERS:
        place = office.home / folder
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            if path.suffix.lower() == ".zip" or (path / "bundle.toml").is_file():
                try:
                    manifest = read_manifest(path)
                except Misuse:
                    continue  # an archive of something else is no export to choose
                name = str(path.relative_to(office.home))
                upload = uploads.get(path.name) if folder == "uploads" else None
                called = name
                if upload is not None:
                    when = f"{upload.at.astimezone(zone):%Y-%m-%d %H:%M}"
                    called = f"{upload.detail.partition(' ')[2] or name}, uploaded {when}"
                    called += f" by {upload.who}"
                title = f"{manifest.period.id}: {manifest.utility.name}, {called}"
                of = {"path": name, "period": manifest.period.id, "title": title}
                found.append((manifest.period.id, upload.id if upload else 0, of))
    found.sort(key=lambda one: one[:2], reverse=True)
    return [export for _, _, export in found]


def _uploads(office: Office) -> dict[str, Any]:
    """Return the newest upload of each file in the folder of uploads, by the file's name."""
    query = sa.select(audit.c.id, audit.c.at, audit.c.who, audit.c.detail).where(
        audit.c.action == UPLOADED
    )
    with office.database.reading() as books:
        rows = books.execute(query.order_by(audit.c.id)).all()
    return {row.detail.partition(" ")[0]: row for row in rows}


def take_rehearsal(visit: Visit) -> Response:
    """Rehearse the close of the export that was chosen, in a copy of the books."""
    return _begin(visit, WorkKind.REHEARSAL)


def take_close(visit: Visit) -> Response:
    """Close the period of the export that was chosen; it stops where a yes is needed."""
    return _begin(visit, WorkKind.CLOSE)


def _begin(visit: Visit, kind: WorkKind) -> Response:
    chosen = visit.text("export")
    known = {export["path"]: export for export in list_exports(visit.office, visit.zone)}
    if chosen in known:  # nothing but what the page offers: a path is never taken as typed
        period, bundle = known[chosen]["period"], str((visit.office.home / chosen).resolve())
    elif find_run(visit.office.database, visit.text("period")) is not None:
        period, bundle = visit.text("period"), ""
    else:
        return show_close(visit, {"export": "Choose a billing export, or upload one."})
    begun = begin_work(visit.office, kind, period, bundle, visit.now)
    return redirect(f"/office/close/{period}{'' if begun else '?begun=no'}")


def show_period(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    """Show how a period stands: work that goes on, figures, checks, and what may be decided."""
    office, period = visit.office, visit.path("period")
    run, row = find_run(office.database, period), newest_work(office, period)
    if run is None and row is None:
        return missing(visit)
    rehearsed = row is not None and row.kind is WorkKind.REHEARSAL
    asked = approval.find_asked(office, period) if run is not None and not run.is_closed else None
    if asked is None and run is not None and run.state is RunState.REFUSED and not rehearsed:
        asked = approval.would_ask(office, period)  # a check stopped it, and nobody was asked
    answerable = (
        asked is not None
        and run is not None
        and run.state in (RunState.WAITING, RunState.REFUSED)
        and may(visit.user.role, Permission.APPROVE)
    )
    going_on = is_going_on(row, visit.now)
    steps, last = list_steps(
        office.database, period, row.key if row is not None else "", going_on=going_on
    )
    return show_office(
        visit,
        "close-period.html",
        422 if problems else 200,
        period=period,
        run=run,
        stands=_say_refused(office, run),
        work=row,
        going_on=going_on,
        not_begun=going_on and visit.request.query_params.get("begun") == "no",
        stopped=row is not None and row.state is WorkState.BEGUN and not going_on,
        bundle=_within_home(office, row.bundle) if row is not None else "",
        steps=steps,
        watched=f"/office/close/{quote(period)}/steps?after={row.key}-{last}" if going_on else "",
        rehearsed=rehearsed,
        figures=_figures(office, row, period),
        asked=asked,
        answerable=answerable,
        barred=_barred(visit, asked) if answerable and asked is not None else None,
        waivable=_waivable(asked) if answerable and asked is not None else (),
        may_decide=may(visit.user.role, Permission.OUTSORT) and run is not None and not rehearsed,
        may_undo=run is not None and run.is_closed and may(visit.user.role, Permission.APPROVE),
        has_report=run is not None and run.is_closed and report_file(office, period).is_file(),
        may_audit=may(visit.user.role, Permission.AUDIT),
        may_look_up=may(visit.user.role, Permission.CUSTOMERS),
        flow_run=_flow_run(office, row, asked),
        nobodys=count_unassigned(office.database, period) if run is not None else 0,
        may_close=may(visit.user.role, Permission.CLOSE),
        problems=problems or {},
    )


def _say_refused(office: Office, run: Run | None) -> str:
    """Say how a period came to be refused: by a check or a person, or its close was taken back."""
    if run is None or run.state is not RunState.REFUSED:
        return ""
    months = read_months(office)
    return next((one.sentence for one in months if one.period == run.period), "")


def _barred(visit: Visit, asked: PendingApproval) -> Refused | None:
    """Return why the yes of whoever looks would not count: then no button for it is offered."""
    terms = approval.terms_of_approval(visit.office)
    try:
        require_may_decide(visit.user.who, Decision.APPROVE, asked.standing, terms)
    except Refused as refused:
        return refused
    return None


def _waivable(asked: PendingApproval) -> tuple[str, ...]:
    """Return the checks that stop the close and that a person may waive; some nobody may."""
    never = unwaivable_check_names(asked.blocking, raised=asked.blocking)
    return tuple(name for name in asked.blocking if name not in never)


def _flow_run(office: Office, row: Any, asked: PendingApproval | None) -> str:
    """Return where Prefect shows the newest run of the close; empty where no server answers."""
    waits = asked.request.flow_run if asked is not None else None
    run = waits or (row.flow_run if row is not None else "")
    address = known_address(office).rstrip("/").removesuffix("/api")
    return f"{address}/runs/flow-run/{run}" if run and address else ""


def _within_home(office: Office, bundle: str) -> str:
    place = Path(bundle) if bundle else None
    home = office.home.resolve()
    return str(place.relative_to(home)) if place and place.is_relative_to(home) else ""


def _figures(office: Office, row: Any, period: str) -> dict[str, Any]:
    """Return a rehearsal's own figures while it is the newest work, else those of the books."""
    if row is not None and row.kind is WorkKind.REHEARSAL:
        figures: dict[str, Any] = json.loads(row.figures) if row.figures else {}
        return figures
    return sheet_figures(office, period)


def show_report(visit: Visit) -> Response:
    """Show the report as it was written at the close; it runs nothing and loads nothing."""
    period = visit.path("period")
    run = find_run(visit.office.database, period)  # no path is made of what names no period
    file = report_file(visit.office, period)
    if run is None or not run.is_closed or not file.is_file():
        return missing(visit)
    return FileResponse(
        file, media_type="text/html", headers={"Content-Security-Policy": SANDBOXED}
    )


def take_approval(visit: Visit) -> Response:
    """Say yes to the figures that the page showed, and let the close go on (rules 2-4)."""
    return _decide(visit, Decision.APPROVE)


def take_refusal(visit: Visit) -> Response:
    """Say no, with a reason; the period is refused until it is corrected or approved."""
    return _decide(visit, Decision.REFUSE)


def _waivers(visit: Visit, asked: PendingApproval) -> dict[str, str]:
    """Return what somebody waives with the yes, by check; raises Misuse without a reason."""
    chosen = [name for name in asked.blocking if visit.text(f"waive-{name}")]
    reason = visit.text("reason")[:LONGEST_REASON]
    if chosen and not reason:
        raise Misuse(f"Say why {', '.join(chosen)} may be waived: it is audited.")
    return dict.fromkeys(chosen, reason)


def _decide(visit: Visit, decision: Decision) -> Response:
    office, period = visit.office, visit.path("period")
    try:
        approval.require_answerable(office, period)
        with working_on(office, period):
            approval.require_answerable(office, period)
            asked = approval.ask(office, period)
            if asked.request.digest != visit.text("digest"):
                raise Refused("figures-changed", "The figures have changed; look at them again.")
            decided = approval.decide(
                office,
                asked,
                decision,
                who=office.who,
                reason=visit.text("reason"),
                waivers=_waivers(visit, asked) if decision is Decision.APPROVE else {},
            )
    except (Refused, Misuse) as found:
        return show_period(visit, {"reason": found.message})
    if decision is Decision.APPROVE and decided.standing.is_approved:
        begin_work(office, WorkKind.CLOSE, period, "", visit.now, unless=(WorkKind.CLOSE,))
    return redirect(f"/office/close/{period}")
