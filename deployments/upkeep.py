"""What has to be seen to beside serving: missed runs, forms, time zone, settings, alerts."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectNotFound, PrefectException
from sqlalchemy.exc import SQLAlchemyError

from database.runs import newest_timezone
from deployments.automations import ensure_automations
from deployments.calendar import Daily, calendar
from deployments.forms import choices, with_choices
from domain.failures import Misuse
from office.equipment.office import Office
from office.equipment.renewing import renewed, written_settings
from office.settings.settings import Settings

LOOK_SECONDS = 60
LOGGER = logging.getLogger("prefect.billclose")
MOST_PLANNED = 200  # that Prefect gives at once
FAILURES = (httpx.HTTPError, PrefectException, SQLAlchemyError)


class Upkeep:
    """One server's deployments of an office, and what is known of them."""

    def __init__(self, office: Office, zone: str, periods: list[str]) -> None:
        self.office = office
        self._written = written_settings(office)
        self._zone = zone
        self._periods = periods
        self._missed: list[tuple[str, datetime]] = []

    def note_what_was_there(self, now: datetime) -> None:
        """
        Find the daily runs that fell due while nothing was served, and drop what is late.

        Serving anew forgets what was scheduled, so this comes before it. A deployment that is new
        has missed nothing. After days off dozens of planned runs would begin at once, one beside
        the other; what is owed the make-up run does, once.
        """
        if not self.office.settings.prefect.schedules:
            return
        with get_client(sync_client=True) as client:
            drop_late_runs(client, self.office.settings, now)
            for plan in calendar(self.office.settings):
                if isinstance(plan.schedule, Daily):
                    due = plan.schedule.last_before(now, self._zone)
                    if _was_missed(client, plan.name, due):
                        self._missed.append((plan.name, due))

    def go_on(self) -> None:
        """See to everything, then to the periods every minute, until the process ends."""
        asleep = threading.Event()
        while not self._done(self.set_up):
            asleep.wait(LOOK_SECONDS)
        while True:
            self._done(self.name_planned_runs)
            asleep.wait(LOOK_SECONDS)
            self._done(self.offer_periods)
            self._done(self.follow_the_time_zone)
            self._done(self.follow_the_settings)

    def set_up(self) -> None:
        """Start what was missed, once each, and put the alerts' triggers into the server."""
        with get_client(sync_client=True) as client:
            for name, due in self._missed:
                found = client.read_deployment_by_name(f"{name}/{name}")
                client.create_flow_run_from_deployment(
                    found.id,
                    name=_name_of(name, due, self._zone),
                    idempotency_key=f"missed {name} {due:%Y-%m-%dT%H:%M}",
                )
                LOGGER.info("%s was due at %s and is made up for", name, due)
            self._missed.clear()
            ensure_automations(client)

    def offer_periods(self) -> None:
        """Put the periods that the books have now into the forms."""
        periods = choices(self.office.database)
        if periods == self._periods:
            return
        with get_client(sync_client=True) as client:
            for plan in calendar(self.office.settings):
                _offer(client, plan.name, periods)
        self._periods = periods

    def follow_the_time_zone(self) -> None:
        """Move the daily runs to the time zone of the newest export, where that has changed."""
        zone = newest_timezone(self.office.database)
        if zone == self._zone or not self.office.settings.prefect.schedules:
            return
        with get_client(sync_client=True) as client:
            for plan in calendar(self.office.settings):
                if plan.schedule is not None:
                    _reschedule(client, plan.name, plan.schedule.cron, zone)
        LOGGER.info("the daily runs go by the time of %s now, not of %s", zone, self._zone)
        self._zone = zone

    def follow_the_settings(self) -> None:
        """
        Go by what staff have changed in the settings since, and move the daily runs by it.

        What cannot be read holds nobody up: the settings of before stay, and the log says why.
        """
        written = written_settings(self.office)
        if written == self._written:
            return
        try:
            office = renewed(self.office)
        except Misuse as wrong:
            LOGGER.error("the settings of before stay in force: %s", wrong)
            self._written = written
            return
        moved = moved_runs(self.office.settings, office.settings)
        if moved and self.office.settings.prefect.schedules:
            with get_client(sync_client=True) as client:
                for name, cron in moved.items():
                    _reschedule(client, name, cron, self._zone)
        LOGGER.info(
            "the settings were changed, and are in force; moved: %s", ", ".join(moved) or "-"
        )
        self.office, self._written = office, written

    def name_planned_runs(self) -> None:
        """Give the planned daily runs their names before they begin: `remind 2026-11-29`."""
        with get_client(sync_client=True) as client:
            for plan in calendar(self.office.settings):
                if plan.schedule is not None:
                    self._name_runs_of(client, plan.name)

    def _name_runs_of(self, client: SyncPrefectClient, work: str) -> None:
        for run in planned_runs(client, work):
            name = _name_of(work, run.expected_start_time or datetime.now(UTC), self._zone)
            if run.name != name:
                client.update_flow_run(run.id, name=name)

    def _done(self, act: Any) -> bool:
        """Do it; what a server or the books cannot do now is done the next time."""
        try:
            act()
        except FAILURES as failure:
            LOGGER.warning("upkeep is put off: %s", type(failure).__name__)
            return False
        return True


def _name_of(work: str, due: datetime, zone: str) -> str:
    return f"{work.replace('-', ' ')} {due.astimezone(ZoneInfo(zone)):%Y-%m-%d}"


def planned_runs(client: SyncPrefectClient, work: str) -> list[FlowRun]:
    """Return the runs of a deployment that its schedule has planned, those of the past too."""
    try:
        found = client.read_deployment_by_name(f"{work}/{work}")
    except ObjectNotFound:
        return []
    chosen = {"deployment_id": {"any_": [found.id]}, "state": {"type": {"any_": ["SCHEDULED"]}}}
    runs = client.read_flow_runs(
        flow_run_filter=FlowRunFilter.model_validate(chosen), limit=MOST_PLANNED
    )
    return [run for run in runs if run.auto_scheduled]


def drop_late_runs(client: SyncPrefectClient, settings: Settings, now: datetime) -> int:
    """Delete the planned runs of the calendar whose time has passed; return how many."""
    dropped = 0
    for plan in calendar(settings):
        for run in planned_runs(client, plan.name):
            if run.expected_start_time is not None and run.expected_start_time <= now:
                client.delete_flow_run(run.id)
                dropped += 1
    if dropped:
        LOGGER.info("%d planned runs whose time has passed are dropped", dropped)
    return dropped


def moved_runs(before: Settings, after: Settings) -> dict[str, str]:
    """Return the deployments whose time the settings have changed, with their new cron."""
    old = {plan.name: plan.schedule for plan in calendar(before)}
    return {
        plan.name: plan.schedule.cron
        for plan in calendar(after)
        if plan.schedule is not None and plan.schedule != old[plan.name]
    }


def _reschedule(client: SyncPrefectClient, name: str, cron: str, zone: str) -> None:
    found = client.read_deployment_by_name(f"{name}/{name}")
    moved = CronSchedule(cron=cron, timezone=zone)
    for schedule in found.schedules:
        client.update_deployment_schedule(found.id, schedule.id, schedule=moved)


def _was_missed(client: SyncPrefectClient, name: str, due: datetime) -> bool:
    try:
        found = client.read_deployment_by_name(f"{name}/{name}")
    except ObjectNotFound:
        return False
    if found.created is None or found.created.astimezone(UTC) > due:
        return False
    began = FlowRunFilter.model_validate(
        {
            "deployment_id": {"any_": [found.id]},
            "start_time": {"after_": due},  # or, before it began, the time it is planned for
            "state": {"type": {"not_any_": ["SCHEDULED"]}},
        }
    )
    return not client.read_flow_runs(flow_run_filter=began, limit=1)


def _offer(client: SyncPrefectClient, name: str, periods: list[str]) -> None:
    found = client.read_deployment_by_name(f"{name}/{name}")
    schema = dict(found.parameter_openapi_schema or {})
    fields = dict(schema.get("properties", {}))
    if "period" in fields:
        schema["properties"] = with_choices(fields, periods)
        body = {"parameter_openapi_schema": schema}
        client.request("PATCH", "/deployments/{id}", path_params={"id": found.id}, json=body)
