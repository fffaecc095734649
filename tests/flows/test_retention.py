"""What our own Prefect server forgets: runs that ended 400 days ago, with all that they left."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.server.database import provide_database_interface
from prefect.server.services.db_vacuum import vacuum_old_flow_runs
from prefect.settings import (
    PREFECT_SERVER_DATABASE_CONNECTION_URL,
    PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD,
    temporary_settings,
)
from prefect.states import Completed, Failed, Running, Suspended

from office.prefect_server.server import SERVER_SETTINGS
from tests.flows.desk import at_server

PERIOD = "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD"


@flow(name="of long ago")
def long_ago():
    """A flow that is never carried out."""


@pytest.fixture
def history(server, tmp_path):
    """A copy of the server's books, in which runs ended so many days ago."""
    planned = {
        "ended 401 days ago": (Completed(), 401),
        "failed 401 days ago": (Failed(), 401),
        "ended 399 days ago": (Completed(), 399),
        "suspended 401 days ago": (Suspended(), 401),
        "running since 401 days": (Running(), 401),
    }
    with at_server(server.running.api_url), get_client(sync_client=True) as client:
        for name, (state, _) in planned.items():
            run = client.create_flow_run(long_ago, name=name)
            client.set_flow_run_state(run.id, state, force=True)
    (found,) = Path(server.environment["PREFECT_HOME"]).glob("prefect.db")
    copy = tmp_path / "copy"
    with closing(sqlite3.connect(found)) as theirs, closing(sqlite3.connect(copy)) as ours:
        theirs.backup(ours)
        for name, (_, days) in planned.items():
            ended = datetime.fromtimestamp(time.time(), UTC) - timedelta(days=days)
            ours.execute(
                "UPDATE flow_run SET end_time = ? WHERE name = ? AND end_time IS NOT NULL",
                (ended.strftime("%Y-%m-%d %H:%M:%S.%f"), name),
            )
        ours.commit()
    return copy


def test_runs_that_ended_401_days_ago_are_gone_and_a_suspended_close_stays(history):
    settings = {
        PREFECT_SERVER_DATABASE_CONNECTION_URL: f"sqlite+aiosqlite:///{history}",
        PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD: SERVER_SETTINGS[PERIOD],
    }

    with temporary_settings(settings):
        asyncio.run(vacuum_old_flow_runs(db=provide_database_interface()))

    with closing(sqlite3.connect(history)) as left:
        rows = left.execute("SELECT name FROM flow_run WHERE name LIKE '% days%'")
        names = {name for (name,) in rows}
        states = left.execute(
            "SELECT count(*) FROM flow_run_state WHERE flow_run_id NOT IN (SELECT id FROM flow_run)"
        ).fetchone()
    assert {"ended 399 days ago", "suspended 401 days ago", "running since 401 days"} == names
    assert (0,) == states
