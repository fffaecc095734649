"""Which reminders of a due date are owed at a moment (rules 90-97, rulings 15-17)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.deliveries import MessageKind
from domain.money import Money
from rules.calendars import ONE_DAY, earliest_close
from rules.mail.closed_days import MailOnClosedDay, reminder_day

ONE_CENT = Money(1)


class StepStanding(StrEnum):
    NOT_YET = "not-yet"
    OWED = "owed"
    TOO_LATE = "too-late"


@dataclass(frozen=True, slots=True)
class ReminderStep:
    """
    One mail that a due date calls for.

    `form` names its template. `days` count from the due date, those before it are negative; it
    makes sense until `last_day`, counted the same. Who owes less than `smallest` does not get it.
    """

    kind: MessageKind
    form: str
    days: int
    last_day: int
    smallest: Money = ONE_CENT


@dataclass(frozen=True, slots=True)
class LadderStep:
    """A past-due mail after the first one; `smallest` is the least balance that it is sent for."""

    name: str
    days_after_due: int
    smallest: Money = ONE_CENT


@dataclass(frozen=True, slots=True)
class OwedStep:
    """A step that is owed now; who owes `below` or more gets a later one in its place."""

    step: ReminderStep
    below: Money | None = None


@dataclass(frozen=True, slots=True)
class ReminderPlan:
    """The office's steps and the local time of day from which they are owed (rule 91)."""

    steps: tuple[ReminderStep, ...]
    at: time
    spare_autopay: bool = False  # rule 95: no payment-due mail where autopay is going to pay
    closed: Container[date] = field(default=(), repr=False)  # to the office, beside weekends
    moves: MailOnClosedDay = MailOnClosedDay.SAME

    def day_of(self, step: ReminderStep, due_on: date) -> date:
        """Return the local day from which a step is owed, moved where the office is closed."""
        return reminder_day(step.kind, step.days, due_on, self.closed, self.moves)

    def last_day_of(self, step: ReminderStep, due_on: date) -> date:
        """Return the last local day of a step; a past-due mail that was moved has as long."""
        moved = self.day_of(step, due_on) - (due_on + timedelta(days=step.days))
        later = moved if step.kind is MessageKind.PAST_DUE else timedelta()
        return due_on + timedelta(days=step.last_day) + later

    def standing(
        self, step: ReminderStep, due_on: date, now: datetime, zone: ZoneInfo
    ) -> StepStanding:
        """
        Tell how it stands with a step at a moment.

        Never by "the date is today": a run that was missed is made up for as long as the mail
        makes sense, and what was sent is kept by the outbox (ruling 17).
        """
        if now.astimezone(zone).date() > self.last_day_of(step, due_on):
            return StepStanding.TOO_LATE
        has_come = time_has_come(self.day_of(step, due_on), self.at, now, zone)
        return StepStanding.OWED if has_come else StepStanding.NOT_YET

    def owed(self, due_on: date, now: datetime, zone: ZoneInfo) -> tuple[OwedStep, ...]:
        """
        Return the steps that are owed for a due date.

        Of two past-due steps that were both missed, an account gets the later one alone: nobody
        is written to twice in one night about the same bill.
        """
        found = [
            step
            for step in self.steps
            if self.standing(step, due_on, now, zone) is StepStanding.OWED
        ]
        return tuple(_without_superseded(found))

    def is_over(self, due_on: date, now: datetime, zone: ZoneInfo) -> bool:
        """Tell whether it is too late for every past-due mail: who got none is not sent one."""
        return all(
            self.standing(step, due_on, now, zone) is StepStanding.TOO_LATE
            for step in self.steps
            if step.kind is MessageKind.PAST_DUE
        )


def plan_reminders(
    *,
    days_before_due: int,
    days_after_due: int,
    at: time,
    cut_off_days: int,
    spare_autopay: bool = False,
    ladder: Iterable[LadderStep] = (),
    closed: Container[date] = (),
    moves: MailOnClosedDay = MailOnClosedDay.SAME,
) -> ReminderPlan:
    """
    Make the office's plan of its settings (rules 91-93).

    The payment-due mail is sent until the due date, never after it; a past-due mail until
    `cut_off_days` after the day it was meant for.
    """
    due, late = MessageKind.PAYMENT_DUE, MessageKind.PAST_DUE
    steps = [ReminderStep(due, due.value, -days_before_due, 0)]
    further = sorted(ladder, key=lambda one: one.days_after_due)
    for one in (LadderStep(late.value, days_after_due), *further):
        last_day = one.days_after_due + cut_off_days
        steps.append(ReminderStep(late, one.name, one.days_after_due, last_day, one.smallest))
    return ReminderPlan(tuple(steps), at, spare_autopay, closed, moves)


def time_has_come(day: date, at: time, now: datetime, zone: ZoneInfo) -> bool:
    """
    Tell whether a local time of a day has come; once it has come it stays so (ruling 16).

    A time that the clocks skip in spring comes when they jump over it. One that they show twice
    in fall comes the first time.
    """
    wall = datetime.combine(day, at)
    has_passed_once = now >= wall.replace(tzinfo=zone).astimezone(UTC)
    return has_passed_once or now.astimezone(zone).replace(tzinfo=None) >= wall


def _without_superseded(steps: list[ReminderStep]) -> Iterator[OwedStep]:
    for place, step in enumerate(steps):
        later = [one.smallest for one in steps[place + 1 :] if one.kind is step.kind]
        yield OwedStep(step, min(later, default=None))


TO_LEAVE = timedelta(days=2)  # a bill that leaves later after its close has left late


@dataclass(frozen=True, slots=True)
class Exemption:
    """
    What an office holds to be its own fault, and for how long.

    `days` count from the day on which the failure was mended; until then it lasts anyway.
    `office_days` are the office's closed days: a close is late by them.
    """

    days: int
    office_days: Container[date] = field(default=(), repr=False)

    def since(self, now: datetime) -> datetime:
        """Return the moment before which what was mended hurts nobody any more."""
        return now - timedelta(days=self.days)

    def late_from(self, period_ends_on: date, zone: ZoneInfo) -> datetime:
        """
        Return the moment from which a period's autopay is scheduled late (rules 5-7, 59, 73).

        An office in time closes and schedules on the first day that it may; who is drawn from at
        once on that day has chosen so, or has enrolled late.
        """
        next_day = earliest_close(period_ends_on, self.office_days) + ONE_DAY
        return datetime.combine(next_day, time.min, tzinfo=zone).astimezone(UTC)
