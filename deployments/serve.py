"""Serving the flows: a Prefect server's forms and schedules start them in this office."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from datetime import UTC, datetime
from typing import Any

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import TerminationSignal
from prefect.runner import Runner
from prefect.types.entrypoint import EntrypointType

from database.runs import newest_timezone
from deployments.calendar import PlannedDeployment, calendar
from deployments.forms import choices, readable, with_choices
from deployments.served import FLOWS, office_here
from deployments.upkeep import Upkeep
from domain.failures import Misuse
from office.prefect_server.owner import owner_tag
from office.rounds.rounds import Rounds
from office.rounds.starting import StartsInServer
from office.settings.settings import Settings

BY_NAME: dict[str, Any] = {found.name: found for found in FLOWS}
LOGGER = logging.getLogger("prefect.billclose")
ROUND_SECONDS = 60


def deployments(
    settings: Settings, zone: str, periods: list[str], owner: tuple[str, ...] = ()
) -> list[Any]:
    """
    Return one deployment a flow, as the calendar plans them in the utility's time zone.

    The periods are what a clerk may choose from; `owner` is the tag of the office. Without
    prefect.schedules none starts by itself.
    """
    return [
        _deployment(plan, zone if settings.prefect.schedules else None, periods, owner)
        for plan in calendar(settings)
    ]


def _deployment(
    plan: PlannedDeployment, zone: str | None, periods: list[str], owner: tuple[str, ...]
) -> Any:
    schedule = None
    if plan.schedule is not None and zone is not None:
        schedule = CronSchedule(cron=plan.schedule.cron, timezone=zone)
    made = BY_NAME[plan.name].to_deployment(
        plan.name,
        entrypoint_type=EntrypointType.MODULE_PATH,  # found wherever `billclose up` is called
        description=plan.what,
        tags=[*plan.tags, *owner],
        schedule=schedule,
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy(plan.collision)
        ),
    )
    schema = made._parameter_openapi_schema
    schema.properties = with_choices(readable(schema.properties), periods)
    return made


def serve_office() -> None:
    """
    Serve until interrupted.

    Beside it the rounds start what has work, what was missed while nothing ran is made up for, the
    alerts' triggers are put into the server, and the choice of periods is kept up to date.
    """
    os.umask(0o077)
    office = office_here()
    zone, periods = newest_timezone(office.database), choices(office.database)
    made = deployments(office.settings, zone, periods, (owner_tag(office),))
    upkeep = Upkeep(office, zone, periods)
    upkeep.note_what_was_there(datetime.now(UTC))

    runner = Runner(name="office", pause_on_shutdown=False)
    for deployment in made:
        runner.add_deployment(deployment)
    LOGGER.info("%d flows are served, by the time of %s", len(made), zone)
    threading.Thread(target=upkeep.go_on, daemon=True).start()
    threading.Thread(target=go_round, args=(upkeep,), daemon=True).start()
    try:
        asyncio.run(runner.start())
    except (KeyboardInterrupt, TerminationSignal):
        LOGGER.info("the flows are served no longer")


def go_round(upkeep: Upkeep) -> None:
    """Look every minute, at its beginning, whether something has work, until the process ends."""
    office = upkeep.office
    rounds, asleep = Rounds(office, StartsInServer(office)), threading.Event()
    while True:
        asleep.wait(ROUND_SECONDS - datetime.now(UTC).timestamp() % ROUND_SECONDS)
        rounds.office = upkeep.office  # with the settings of now
        try:
            rounds.go(datetime.now(UTC))
        except Misuse as wrong:  # a person has to put them right
            LOGGER.error("the rounds cannot look: %s", wrong)
