"""A schedule of a closed period, or its rehearsal, in the process that a page has begun."""

from __future__ import annotations

import json
from typing import Any

from database.runs import get_run
from domain.desk_work import WorkState
from domain.failures import Misuse, Refused
from office.equipment.office import Office
from office.prefect_server.flow_runs import run_flow
from office.procedures.closing.late_schedule import (
    MEANINGS,
    Groups,
    group_figures,
    groups_to_choose,
    look_at_groups,
    read_groups,
)
from office.procedures.closing.rehearsal import rehearsal
from payments.scheduling.scheduling import count_left_out
from reporting.run_sheet.reading import read_run_sheet
from reporting.run_sheet.run_sheet import autopay_figures


def rehearse_schedule(office: Office, row: Any) -> dict[str, Any]:
    """Schedule everybody in a copy of the books; keep what came of it, by group (rule 73)."""
    with rehearsal(office) as copy:
        is_late = groups_to_choose(copy, row.period) is not None
        try:
            _schedule(copy, row.period, None)
        except (Refused, Misuse) as found:
            return {"state": WorkState.REFUSED, "code": found.code, "sentence": found.message}
        figures = _figures(copy, row.period) | {"is_late": is_late}
    return {"state": WorkState.DONE, "figures": json.dumps(figures)}


def take_schedule(office: Office, row: Any) -> dict[str, Any]:
    """
    Schedule the groups that somebody chose from a rehearsal's figures, and only if they still hold.

    Raises Refused (`figures-changed`) where a group is another than the one that was shown.
    """
    asked = json.loads(row.asked)
    if group_counts(look_at_groups(office, row.period)) != asked["shown"]:
        raise Refused(
            "figures-changed",
            "Who would be scheduled has changed since the rehearsal; rehearse again.",
        )
    _schedule(office, row.period, asked["groups"])
    return {"state": WorkState.DONE, "figures": json.dumps(_figures(office, row.period))}


def group_counts(groups: Groups) -> dict[str, dict[str, Any]]:
    """Give each group that has anybody in it as a page shows it: its figures and its meaning."""
    return {
        name: figures | {"meaning": MEANINGS[name]}
        for name, figures in group_figures(groups).items()
        if figures["payments"]
    }


def _figures(office: Office, period: str) -> dict[str, Any]:
    lists = read_run_sheet(office.database, period).autopay
    left = count_left_out(office.database, period)
    return {
        "as_of": office.today(get_run(office.database, period)).isoformat(),
        "autopay": autopay_figures(lists),
        "reasons": lists.reasons,
        "groups": group_counts(read_groups(office, period)),
        "left_out": {"payments": left.payments, "amount": str(left.amount)},
    }


def _schedule(office: Office, period: str, groups: list[str] | None) -> None:
    run_flow(office, _load, period=period, groups=groups)


def _load() -> Any:
    from flows.schedule_autopay import schedule_autopay

    return schedule_autopay
