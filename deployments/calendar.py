"""When flows run by themselves, and how: every deployment of the office in one list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from office.settings.settings import Settings

MODULE = "deployments.served"
COLLECT_AT, NOTIFY_AT = time(8), time(9)  # what was collected is told
TELL_AT = time(23, 55)  # what the rounds of the day came to
ONE_DAY = timedelta(days=1)

Collision = Literal["CANCEL_NEW", "ENQUEUE"]


@dataclass(frozen=True, slots=True)
class Daily:
    """
    At a local time of every day.

    Days without banking are the flow's own business: no payment is due on one unless the office
    wants it so, and what became of earlier payments is looked up then too.
    """

    at: time

    @property
    def cron(self) -> str:
        return f"{self.at.minute} {self.at.hour} * * *"

    def last_before(self, now: datetime, zone: str) -> datetime:
        """Return the latest moment at which it was due: one that a sleeping machine missed."""
        local = now.astimezone(ZoneInfo(zone))
        due = datetime.combine(local.date(), self.at, ZoneInfo(zone))
        if due > local:
            due = datetime.combine(local.date() - ONE_DAY, self.at, ZoneInfo(zone))
        return due.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class PlannedDeployment:
    """
    One deployment: which flow, when by itself, and what happens to a second run beside a first.

    CANCEL_NEW: the second has nothing to do that the first does not. ENQUEUE: it waits. That is a
    courtesy; what must not happen twice the books prevent. No flow is retried as a whole: its
    steps find out for themselves what is left to do, and money is never asked for twice.
    """

    name: str
    function: str
    what: str
    schedule: Daily | None = None
    collision: Collision = "ENQUEUE"
    tags: tuple[str, ...] = ("office",)

    @property
    def entrypoint(self) -> str:
        return f"{MODULE}.{self.function}"


def calendar(settings: Settings) -> tuple[PlannedDeployment, ...]:
    """Return every deployment, those that people start first."""
    return (*_by_people(), *_by_day(settings), *_by_the_rounds())


def _by_people() -> tuple[PlannedDeployment, ...]:
    tags = ("office", "by-people")
    return (
        PlannedDeployment("close-period", "close", "Closes a period; waits for a yes.", tags=tags),
        PlannedDeployment(
            "check-period", "check", "Checks a staged export; changes nothing.", tags=tags
        ),
        PlannedDeployment("schedule-autopay", "schedule", "Where the close forgot it.", tags=tags),
        PlannedDeployment("print-bills", "print_waiting", "Prints what came back.", tags=tags),
        PlannedDeployment("send-communication", "send_news", "Mails a text to many.", tags=tags),
    )


def _by_day(settings: Settings) -> tuple[PlannedDeployment, ...]:
    remind_at = time.fromisoformat(settings.reminders.time)
    tags = ("office", "nightly")
    return (
        _nightly("remind", "send_reminders", "Reminds of what is owed.", Daily(remind_at), tags),
        _nightly(
            "collect-autopay",
            "collect",
            "Draws what is due.",
            Daily(COLLECT_AT),
            (*tags, "money"),
        ),
        _nightly("send-notices", "notify", "Sends receipts and notices.", Daily(NOTIFY_AT), tags),
        _nightly("office-day", "tell_day", "Tells what the rounds saw.", Daily(TELL_AT), tags),
    )


def _by_the_rounds() -> tuple[PlannedDeployment, ...]:
    """
    Return what starts where a look finds work (office/rounds), by the minute and not by a schedule.

    A flow that finds nothing to do costs 3 CPU seconds and 114 KB of Prefect's database.
    """
    tags = ("office", "by-the-rounds")
    return (
        _nightly("retry-postings", "post", "Posts what was taken.", None, (*tags, "money")),
        _nightly("health-watch", "watch", "Tells the office of troubles.", None, tags),
        _nightly("send-mail", "send", "Sends what is due.", None, tags),
        _nightly("process-bounces", "bounces", "Reads what came back.", None, tags),
        _nightly("take-in-feed", "feed", "Takes in the billing system's feed.", None, tags),
    )


def _nightly(
    name: str,
    function: str,
    what: str,
    schedule: Daily | None,
    tags: tuple[str, ...],
) -> PlannedDeployment:
    return PlannedDeployment(name, function, what, schedule, "CANCEL_NEW", tags)
