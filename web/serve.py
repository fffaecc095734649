"""Serving the desk of the office that BILLCLOSE_HOME names, behind the office's own proxy."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from database.migrating import require_schema
from office.clock import Clock
from office.equipment.office import Office
from office.home import require_home
from office.settings.settings import open_settings
from web.desk import desk_of
from web.office.renewing import require_whole
from web.patience import PatientProtocol

# Connections that are open and silent count too: a lower limit would be reached by people who have
# just read a page. The work itself is bounded by the pool of threads that does it, and who sends or
# takes nothing loses the place (web/patience.py).
MOST_CONNECTIONS = 1_000
IDLE_SECONDS = 5
STOP_SECONDS = 15


def serve(host: str, port: int, as_of: str = "") -> None:
    """Answer until interrupted; the log goes to standard error and names nobody."""
    home = Path(os.environ.get("BILLCLOSE_HOME", "."))
    require_home(home)
    clock = Clock(lambda: datetime.now(UTC), datetime.fromisoformat(as_of) if as_of else None)
    office = Office(home, open_settings(home), clock, "web desk")
    require_schema(office.database)
    require_whole(office)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    uvicorn.run(
        desk_of(office),
        http=PatientProtocol,
        host=host,
        port=port,
        access_log=False,  # it would hold the tokens of the links and who asked
        log_config=None,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
