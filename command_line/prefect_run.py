"""Running a flow from the command line: the server beside it, its logs, its outcome."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from data_checks.checking import warm_up
from office.prefect_server import prefect_server
from office.wiring import Office, at_work


def run_flow(office: Office, load: Callable[[], Any], home: Path, **parameters: Any) -> Any:
    """
    Run a flow in this process for an office and return its final state.

    `load` imports the flow: it is called when the environment names the server, because Prefect
    reads it at import. What the flow raised is raised here again. `home` is where our own server
    keeps its runs.
    """
    with (
        prefect_server(home / "prefect", office.settings.prefect.api_url) as server,
        _output_kept_clean(),
    ):
        warming = warm_up()  # the slow part of the checks, while the server starts
        flow = load()
        from prefect.logging.handlers import APILogWorker

        _log_to_file(home)
        server.wait_until_ready()
        server.bury_dead_runs()
        warming.join()
        with at_work(office):
            state = flow(**parameters, return_state=True)
        APILogWorker.drain_all()
        run_id = str(state.state_details.flow_run_id)
        server.wait_until_recorded(run_id)
    outcome = state.result(raise_on_failure=False)
    if isinstance(outcome, BaseException):
        raise outcome
    return state


def _log_to_file(home: Path) -> None:
    """Send Prefect's log to a private file: on the screen the clerk sees the steps."""
    from prefect.logging.handlers import PrefectConsoleHandler

    folder = home / "logs"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "prefect.log"
    file.touch(mode=0o600)
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for console in [found for found in root.handlers if type(found) is PrefectConsoleHandler]:
        root.removeHandler(console)
        root.addHandler(handler)


@contextlib.contextmanager
def _output_kept_clean() -> Iterator[None]:
    """Keep standard output for our own document: what libraries print goes to standard error."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with contextlib.redirect_stdout(sys.stderr):
        yield
