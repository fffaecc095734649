"""Figures for Prometheus: all names, no customer, no server asked, and a word of dead books."""

from __future__ import annotations

import re
import socket
from datetime import timedelta

import pytest

from database.tables import look_round, run_step, work_done
from domain.deliveries import MessageKind
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages
from office.health.conditions import Condition, State
from office.health.health import Health
from office.health.incidents import note
from office.health.metrics import scrape
from office.settings.mail import SmtpSettings
from tests.billing_system.feed.builders import tell_change
from tests.builders import RUN
from tests.office.health_builders import an_office_at
from tests.payments.collecting_builders import a_collector, paying

AT = "2026-11-12T06:00"
FIGURES = {
    "billclose_condition_state",
    "billclose_condition_since_timestamp_seconds",
    "billclose_work_last_success_timestamp_seconds",
    "billclose_round_last_timestamp_seconds",
    "billclose_deliveries",
    "billclose_postings",
    "billclose_scheduled_payments",
    "billclose_unposted_amount_dollars",
    "billclose_period_state",
    "billclose_close_step_duration_seconds",
    "billclose_feed_age_seconds",
    "billclose_build_info",
}
DOWN = Condition("mail-server-down", State.TROUBLE, "It does not answer.")


@pytest.fixture
def office(tmp_path, database):
    """An office in whose books something of everything stands."""
    a_collector(database, tmp_path, paying("01.1037.1")).collect()
    office = an_office_at(tmp_path, database, AT)
    now = office.due_now()
    alert = PlannedMessage(MessageKind.ALERT, "down", "ann@example.org", form="down")
    step = {"step": "report run", "position": 11, "summary": "done"}
    look = {"look": "send-mail", "every_minutes": 1, "looked_at": now, "last_reason": ""}
    with database.writing() as books:
        queue_messages(books, [alert], now=now, message_domain="example.org")
        books.execute(run_step.insert().values(period=RUN, **step, started_at=now, finished_at=now))
        books.execute(work_done.insert().values(command="remind", ended_at=now))
        books.execute(look_round.insert().values(**look))
    tell_change(database, "phone", "555 0100", now - timedelta(hours=1))
    with database.writing() as books:
        books.exec_driver_sql("UPDATE feed_file SET taken_in_at = written_at")
    return office


def test_every_figure_is_there_and_names_no_customer(office):
    told = scrape(office).decode()

    assert FIGURES == set(re.findall(r"(?m)^# TYPE (\S+) gauge$", told))
    assert "billclose_feed_age_seconds 3600.0" in told
    assert "billclose_unposted_amount_dollars 80.0" in told
    assert 'billclose_deliveries{status="queued"} 1.0' in told
    assert "01.1037" not in told and "@" not in told


def test_a_scrape_asks_no_server_and_says_what_the_last_watch_found(tmp_path, database):
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # would take us in, and never greet
        deaf.settimeout(0)
        url = f"smtp://127.0.0.1:{deaf.getsockname()[1]}"
        office = an_office_at(tmp_path, database, AT, smtp=SmtpSettings(url=url))
        before = scrape(office).decode()
        note(office, Health((DOWN,)))
        after = scrape(office).decode()
        with pytest.raises(BlockingIOError):  # nobody has come
            deaf.accept()

    assert 'billclose_condition_state{condition="mail-server-down",state="well"} 1.0' in before
    assert 'billclose_condition_state{condition="mail-server-down",state="trouble"} 1.0' in after


def test_a_database_that_is_down_is_told_as_a_figure(tmp_path, database):
    office = an_office_at(tmp_path, database, AT)
    office.__dict__["database"] = type(database)("sqlite:////nowhere/at/all.db")

    told = scrape(office).decode()

    assert 'billclose_condition_state{condition="database-down",state="trouble"} 1.0' in told
