"""The flows as an office's Prefect server runs them: each opens the office of BILLCLOSE_HOME."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import State, flow
from prefect.states import Completed

from database.migrating import require_schema
from flows.check_period import check_period
from flows.close_period import close_period
from flows.schedule_autopay import schedule_autopay
from office.clock import Clock
from office.identity import person
from office.settings import read_settings
from office.wiring import Office, at_work, require_home


def office_here(*, approves: bool = False) -> Office:
    """Open the office that the environment names; raises Misuse where there is none."""
    home = Path(os.environ.get("BILLCLOSE_HOME", "."))
    require_home(home)
    clock = Clock.starting(lambda: datetime.now(UTC), None)
    office = Office(home, read_settings(home), clock, person(), approves=lambda _sheet: approves)
    require_schema(office.database)
    return office


@flow(name="close-period", flow_run_name="close {period}", persist_result=False)
def close(
    period: str,
    bundle: str | None = None,
    approve: bool = False,
    waivers: dict[str, str] | None = None,
) -> State[Any]:
    """
    Close a billing period.

    Args:
        period: The period, such as 2026-10.
        bundle: Path of the billing export; empty where it was imported before.
        approve: Yes, close it. Without it everything is prepared and the run waits.
        waivers: Checks that are waived, each with its reason.
    """
    with at_work(office_here(approves=approve)):
        outcome: State[Any] = close_period.fn(period, bundle, waivers)
        return outcome


@flow(name="check-period", flow_run_name="check {period}", persist_result=False)
def check(period: str) -> State[Any]:
    """Run the data checks on the staged export of a period."""
    with at_work(office_here()):
        check_period.fn(period)
    return Completed(message=f"{period} is checked")


@flow(name="schedule-autopay", flow_run_name="schedule autopay {period}", persist_result=False)
def schedule(period: str) -> State[Any]:
    """Schedule autopay for a closed period, where that was forgotten (rule 73)."""
    with at_work(office_here()):
        schedule_autopay.fn(period)
    return Completed(message=f"autopay of {period} is scheduled")


FLOWS = (close, check, schedule)
