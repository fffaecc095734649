"""/metrics for Prometheus: asked anew of the books at each scrape, nothing counted in a process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import OperationalError

from database.postings import count_unposted
from database.queries.feed import newest_written_at
from database.queries.periods import newest_first
from database.tables import (
    bill_run,
    delivery,
    look_round,
    period_close,
    posting,
    run_step,
    scheduled_payment,
    work_done,
)
from office.equipment.office import Office
from office.health.conditions import State
from office.health.health import Health, look_at_books, without_books

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[str, str, dict[str, str], float]  # name, help, labels, value
PERIODS = 3


def scrape(office: Office) -> bytes:
    """
    Return the office's figures; no customer stands in them.

    Any machine answers alike, as all is read from the books, and within a second, as no server is
    asked; where the books do not answer, that is the answer.
    """
    registry = CollectorRegistry(auto_describe=False)
    try:
        registry.register(_Figures([*_of_health(look_at_books(office)), *_of_books(office)]))
    except OperationalError:
        health = without_books(office.clock.wall(), office.command)
        registry.register(_Figures(list(_of_health(health))))
    return generate_latest(registry)


class _Figures(Collector):
    """Samples, grouped by their names as the format wants it."""

    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for name, text, labels, value in self._samples:
            family = families.setdefault(name, GaugeMetricFamily(name, text, labels=tuple(labels)))
            family.add_metric(tuple(labels.values()), value)
        yield from families.values()


def _of_health(health: Health) -> Iterator[Sample]:
    for one in health.conditions:
        for state in State:
            labels = {"condition": one.name, "state": state.value}
            text = "1 for the state that a condition is in."
            yield "billclose_condition_state", text, labels, float(one.state is state)
        if one.since:
            name = "billclose_condition_since_timestamp_seconds"
            yield name, "Since when a trouble lasts.", {"condition": one.name}, _seconds(one.since)


def _of_books(office: Office) -> Iterator[Sample]:
    yield (
        "billclose_build_info",
        "1; which release and schema.",
        {"version": office.version, "schema": _schema(office)},
        1.0,
    )
    with office.database.reading() as books:
        written_at = newest_written_at(books)
        if written_at is not None:
            text = "How old the newest file of the feed is."
            age = (office.due_now() - written_at).total_seconds()
            yield "billclose_feed_age_seconds", text, {}, age
        for row in books.execute(sa.select(work_done)):
            name = "billclose_work_last_success_timestamp_seconds"
            text = "When a nightly command last ended well."
            yield name, text, {"command": row.command}, _seconds(row.ended_at)
        for row in books.execute(sa.select(look_round.c.look, look_round.c.looked_at)):
            name = "billclose_round_last_timestamp_seconds"
            text = "When somebody last looked whether it has work."
            yield name, text, {"look": row.look}, _seconds(row.looked_at)
        yield from _counts(books, delivery.c.status, "billclose_deliveries", "Mails", "status")
        yield from _counts(books, posting.c.state, "billclose_postings", "Postings", "state")
        yield from _counts(
            books,
            scheduled_payment.c.state,
            "billclose_scheduled_payments",
            "Scheduled payments",
            "state",
        )
        newest = (
            sa.select(bill_run.c.period, bill_run.c.state, period_close.c.closed_at)
            .outerjoin(period_close, period_close.c.period == bill_run.c.period)
            .order_by(*newest_first())
            .limit(PERIODS)
        )
        periods = books.execute(newest).all()
        for row in periods:
            labels = {"period": row.period, "state": str(row.state)}
            yield "billclose_period_state", "1; how the newest periods stand.", labels, 1.0
        closed = next((row.period for row in periods if row.closed_at is not None), "")
        steps = sa.select(run_step.c.step, run_step.c.started_at, run_step.c.finished_at)
        for row in books.execute(steps.where(run_step.c.period == closed)):
            name = "billclose_close_step_duration_seconds"
            seconds = (row.finished_at - row.started_at).total_seconds()
            yield name, "How long each step of the last close took.", {"step": row.step}, seconds
    unposted = float(str(count_unposted(office.database).amount))
    yield "billclose_unposted_amount_dollars", "Money taken and not posted.", {}, unposted


def _counts(
    books: sa.engine.Connection, column: sa.Column[str], name: str, what: str, label: str
) -> Iterable[Sample]:
    query = sa.select(column, sa.func.count()).group_by(column).order_by(column)
    for value, number in books.execute(query):
        yield name, f"{what} by {label}.", {label: str(value)}, float(number)


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


def _schema(office: Office) -> str:
    """Return the revision that the database stands at."""
    with office.database.reading() as books:
        return str(MigrationContext.configure(books).get_current_revision() or "")
