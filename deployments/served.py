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
from flows.collect_autopay import collect_autopay
from flows.print_bills import print_bills
from flows.process_bounces import process_bounces
from flows.remind import remind
from flows.retry_postings import retry_postings
from flows.schedule_autopay import schedule_autopay
from flows.send_mail import send_mail
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
    despite_stuck_postings: str | None = None,
) -> State[Any]:
    """
    Close a billing period.

    Args:
        period: The period, such as 2026-10.
        bundle: Path of the billing export; empty where it was imported before.
        approve: Yes, close it. Without it everything is prepared and the run waits.
        waivers: Checks that are waived, each with its reason.
        despite_stuck_postings: Why to go on though payments are not in cash receipting.
    """
    with at_work(office_here(approves=approve)):
        outcome: State[Any] = close_period.fn(
            period, bundle, waivers, despite_stuck_postings=despite_stuck_postings
        )
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


@flow(name="send-mail", flow_run_name="send mail", persist_result=False)
def send() -> State[Any]:
    """Send the mails that are due, of every period: after an outage of the mail server."""
    with at_work(office_here()):
        outcome: State[Any] = send_mail.fn()
        return outcome


@flow(name="process-bounces", flow_run_name="process bounces", persist_result=False)
def bounces() -> State[Any]:
    """Read the mails that came back, and print the bills that no mailbox took."""
    with at_work(office_here()):
        outcome: State[Any] = process_bounces.fn()
        return outcome


@flow(name="print-bills", flow_run_name="print bills", persist_result=False)
def print_waiting(period: str | None = None) -> State[Any]:
    """
    Print the bills that came back since the last part.

    Args:
        period: The period, such as 2026-10; empty: every one that has bills waiting.
    """
    with at_work(office_here()):
        outcome: State[Any] = print_bills.fn(period)
        return outcome


@flow(name="collect-autopay", flow_run_name="collect autopay", persist_result=False)
def collect(despite_stuck_postings: str | None = None) -> State[Any]:
    """
    Draw the scheduled payments that are due, and take in what became of earlier ones.

    Args:
        despite_stuck_postings: Why to go on though payments are not in cash receipting.
    """
    with at_work(office_here()):
        outcome: State[Any] = collect_autopay.fn(despite_stuck_postings)
        return outcome


@flow(name="retry-postings", flow_run_name="retry postings", persist_result=False)
def post(now: bool = False) -> State[Any]:
    """
    Enter in cash receipting what was taken; charges nobody.

    Args:
        now: Yes, what rests is due at once, and a service that is down is tried.
    """
    with at_work(office_here()):
        outcome: State[Any] = retry_postings.fn(now)
        return outcome


@flow(name="remind", flow_run_name="remind", persist_result=False)
def send_reminders(despite_stuck_postings: str | None = None) -> State[Any]:
    """
    Send the payment-due and past-due mails that are owed now, each once.

    Args:
        despite_stuck_postings: Why to go on though payments are not in cash receipting.
    """
    with at_work(office_here()):
        outcome: State[Any] = remind.fn(despite_stuck_postings)
        return outcome


FLOWS = (close, check, schedule, send, bounces, print_waiting, collect, post, send_reminders)
