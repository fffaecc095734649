"""The flows as an office's Prefect server runs them: each opens the office of BILLCLOSE_HOME."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, Literal, ParamSpec

import httpx
from prefect import Flow, State, flow
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectException
from prefect.states import Completed
from pydantic.json_schema import SkipJsonSchema

from database.migrating import require_schema
from database.owners import this_process
from deployments.forms import EVERY, AnyPeriod, Bundle, Period, Reason, Waiver, by_check
from domain.failures import Refused
from domain.words import say_count
from flows.check_period import check_period
from flows.close_period import close_period
from flows.collect_autopay import collect_autopay
from flows.health_watch import health_watch
from flows.office_day import office_day
from flows.print_bills import print_bills
from flows.process_bounces import process_bounces
from flows.remind import remind
from flows.retry_postings import retry_postings
from flows.schedule_autopay import schedule_autopay
from flows.send_communication import send_communication
from flows.send_mail import send_mail
from flows.send_notices import send_notices
from flows.take_in_feed import take_in_feed
from mail.communications.audience import Audience, AudienceKind
from office.clock import Clock
from office.equipment.office import Office, at_work, current_office
from office.health.work import note_ended_well
from office.home import require_home
from office.identity import person
from office.logs import set_up
from office.prefect_server.owner import require_own_run
from office.prefect_server.runs import PROCESS_LABEL
from office.procedures.mailing.communications import make_request, plan_of, record
from office.settings.settings import open_settings

P = ParamSpec("P")
LOGGER = logging.getLogger("prefect.billclose")


def office_here(*, approves: bool = False) -> Office:
    """Open the office that the environment names; raises Misuse where there is none."""
    home = Path(os.environ.get("BILLCLOSE_HOME", "."))
    require_home(home)
    settings = open_settings(home)
    set_up(settings.logging.format, home / "logs")
    clock = Clock(lambda: datetime.now(UTC), None)
    office = Office(
        home,
        settings,
        clock,
        person(),
        approves=lambda _sheet: approves,
        asks_in_prefect=not approves,
    )
    require_schema(office.database)
    return office


def served(
    inner: Flow[..., Any], run_name: str | None = None, *, nightly: bool = False
) -> Callable[[Callable[P, State[Any]]], Flow[P, State[Any]]]:
    """
    Make a form's function the flow that a server starts: named as `inner`, in the home's office.

    A `nightly` one is written down when it ended well: the health watch goes by that. `run_name`
    is given where the form does not know what the inner flow's runs are named by.
    """

    def decorate(form: Callable[P, State[Any]]) -> Flow[P, State[Any]]:
        @wraps(form)
        def at_the_office(*arguments: P.args, **options: P.kwargs) -> State[Any]:
            asked = signature(form).bind(*arguments, **options).arguments
            with at_work(office_here(approves=asked.get("approve", False))) as office:
                require_own_run(office, _tags_of_run())
                _say_which_process()
                outcome = form(*arguments, **options)
                if nightly and outcome.is_completed():
                    note_ended_well(office, inner.name)
                return outcome

        return flow(
            name=inner.name,
            flow_run_name=run_name or _named_at_the_office(inner),
            persist_result=False,
        )(at_the_office)

    return decorate


def _tags_of_run() -> Sequence[str]:
    """Return the tags of the run that is going on, those of its deployment among them."""
    context = FlowRunContext.get()
    return context.flow_run.tags if context and context.flow_run else ()


def _say_which_process() -> None:
    """Label the run with its process: `rounds --bury` sees by that whether it is gone."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None or run.deployment_id is None:
        return
    try:
        with get_client(sync_client=True) as client:
            client.update_flow_run_labels(run.id, {PROCESS_LABEL: this_process()})
    except (httpx.HTTPError, PrefectException) as failure:
        LOGGER.warning("the run is not labelled with its process: %s", type(failure).__name__)


def _named_at_the_office(inner: Flow[..., Any]) -> Callable[[], str] | str | None:
    """Return how runs are named; where the books have a say, the office is opened for it."""
    name = inner.flow_run_name
    if not callable(name):
        return name

    def named() -> str:
        with at_work(office_here()):
            return str(name())

    return named


@served(close_period)
def close(
    period: Period,
    bundle: Bundle = "",
    approve: bool = False,
    waive: Sequence[Waiver] = (),
    despite_stuck_postings: Reason = "",
    waivers: SkipJsonSchema[dict[str, str] | None] = None,
) -> State[Any]:
    """
    Close a billing period.

    Args:
        period: The period, such as 2026-10.
        bundle: Path of the billing export's folder on the office's machine; empty where it was
            imported before.
        approve: Yes, close it. Without it everything is prepared, and the run waits here for your
            answer: press Resume in its menu.
        waive: Checks that shall not stop the close, each with its reason. You can also wait: where
            one stops it, the run asks.
        despite_stuck_postings: Why to go on though payments are not in cash receipting.
        waivers: The same as waive for programs, reasons by check; not in the form.
    """
    outcome: State[Any] = close_period.fn(
        period,
        bundle or None,
        by_check(waive, waivers or {}),
        despite_stuck_postings=despite_stuck_postings or None,
    )
    return outcome


@served(check_period)
def check(period: Period) -> State[Any]:
    """
    Run the data checks on the staged export of a period.

    Args:
        period: The period, such as 2026-10; its export was imported before.
    """
    failed: State[Any] | None = check_period.fn(period)
    return failed or Completed(message=f"{period} is checked")


@served(schedule_autopay)
def schedule(
    period: Period,
    groups: list[Literal["on-time", "immediate", "short-notice"]] | None = None,
) -> State[Any]:
    """
    Schedule autopay for a closed period, where that was forgotten (rule 73).

    Args:
        period: The period, such as 2026-10; it is closed.
        groups: Only these; who is left out is scheduled by a later run. Empty: everybody; where the
            schedule is late and somebody would be charged today, the run shows the groups and
            waits here for your choice: press Resume in its menu.
    """
    chosen = [str(group) for group in groups] if groups else None
    failed: State[Any] | None = schedule_autopay.fn(period, chosen)
    return failed or Completed(message=f"autopay of {period} is scheduled")


@served(send_mail, nightly=True)
def send() -> State[Any]:
    """Send the mails that are due, of every period: after an outage of the mail server."""
    outcome: State[Any] = send_mail.fn()
    return outcome


@served(process_bounces, nightly=True)
def bounces() -> State[Any]:
    """Read the mails that came back, and print the bills that no mailbox took."""
    outcome: State[Any] = process_bounces.fn()
    return outcome


@served(take_in_feed)
def feed() -> State[Any]:
    """Take in what has come of the billing system's feed, and tell what customers chose."""
    outcome: State[Any] = take_in_feed.fn()
    return outcome


@served(print_bills)
def print_waiting(period: AnyPeriod = EVERY) -> State[Any]:
    """
    Print the bills that came back since the last part.

    Args:
        period: The period, such as 2026-10; empty: every one that has bills waiting.
    """
    outcome: State[Any] = print_bills.fn(period or None)
    return outcome


@served(collect_autopay, nightly=True)
def collect(despite_stuck_postings: Reason = "") -> State[Any]:
    """
    Take in the feed, draw the payments that are due, and take in what became of earlier ones.

    Args:
        despite_stuck_postings: Why to go on though payments are not in cash receipting.
    """
    _feed_first()
    outcome: State[Any] = collect_autopay.fn(despite_stuck_postings or None)
    return outcome


@served(retry_postings, nightly=True)
def post(now: bool = False) -> State[Any]:
    """
    Enter in cash receipting what was taken; charges nobody.

    Args:
        now: Yes, what rests is due at once, and a service that is down is tried.
    """
    outcome: State[Any] = retry_postings.fn(now)
    return outcome


@served(remind, nightly=True)
def send_reminders(despite_stuck_postings: Reason = "") -> State[Any]:
    """
    Take in the feed and collect what is due, then send the mails that are owed, each once.

    Args:
        despite_stuck_postings: Why to go on though payments are not in cash receipting.
    """
    _collect_first(despite_stuck_postings)
    outcome: State[Any] = remind.fn(despite_stuck_postings or None)
    return outcome


def _feed_first() -> None:
    """
    Take in what has come of the feed before anything is drawn by it (ruling 20).

    What was missed starts at once when the machine is on again, before a look at the feed. Where
    a file cannot be taken in, the feed's own run fails, and each flow's guard knows what is old.
    """
    settings = current_office().settings.feed
    if not (settings.folder or settings.url):
        return
    outcome: State[Any] = take_in_feed.fn()
    if outcome.is_failed():
        LOGGER.warning("going on with the feed as it is: %s", outcome.message)


def _collect_first(despite_stuck_postings: str) -> None:
    """
    Draw what is due before anybody is reminded (ruling 20).

    Nights that are made up for start in no order. Where somebody else collects at this moment, or
    collecting is refused, the reminders go on: whose payment is not drawn gets no past-due mail.
    """
    _feed_first()
    outcome: State[Any] = collect_autopay.fn(despite_stuck_postings or None)
    failure = outcome.data if outcome.is_failed() else None
    if isinstance(failure, Refused):
        LOGGER.warning("reminding without collecting first: %s", failure.message)
    elif isinstance(failure, Exception):
        raise failure


@served(send_notices, nightly=True)
def notify() -> State[Any]:
    """Send receipts, and tell of draws to come that no e-bill tells of, each once."""
    outcome: State[Any] = send_notices.fn()
    return outcome


@served(health_watch, nightly=True)
def watch() -> State[Any]:
    """Look whether anything needs a person; tell alerts.to once when it begins and once after."""
    outcome: State[Any] = health_watch.fn()
    return outcome


@served(office_day)
def tell_day() -> State[Any]:
    """Show how often was looked today whether there is work, and what came of it."""
    outcome: State[Any] = office_day.fn()
    return outcome


@served(send_communication, "send communication")
def send_news(
    subject: str,
    body: str,
    audience: Literal["portal-users", "customers", "where", "accounts"],
    values: list[str] | None = None,
    attachment: str | None = None,
    communication: int | None = None,
    count: int | None = None,
) -> State[Any]:
    """
    Mail a text to many customers, once to each mailbox; whoever wants no such mail gets none.

    Args:
        subject: One line.
        body: The text, with blank lines between its paragraphs.
        audience: All with a portal login, all customers, those where something holds, or picked
            accounts.
        values: The conditions, such as zip=84840, or the account numbers; empty for all.
        attachment: Path of a PDF on this machine that goes along.
        communication: Number of a posted communication to link to.
        count: How many mailboxes, as a look before said. Without it they are counted only.
    """
    meant = Audience.of(AudienceKind(audience), tuple(values or ()))
    file = Path(attachment) if attachment else None
    request = make_request(current_office(), subject, body, meant, file, communication)
    if count is None:
        plan = plan_of(current_office(), request)
        sentence = f"{say_count(plan.mailboxes, 'mailbox', 'mailboxes')}; nothing is sent yet"
        return Completed(message=sentence, name="Counted", data=plan.left_out)
    outcome: State[Any] = send_communication.fn(record(current_office(), request), count)
    return outcome


FLOWS = (
    close,
    check,
    schedule,
    send,
    bounces,
    feed,
    print_waiting,
    collect,
    post,
    send_reminders,
    notify,
    tell_day,
    watch,
    send_news,
)
