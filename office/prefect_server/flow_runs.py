"""Running a flow from the command line: the server beside it, its logs, its outcome."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import httpx

from domain.causes import say_cause
from domain.failures import TemporaryFailure
from office.equipment.office import Office, at_work
from office.health.work import note_ended_well
from office.logs import formatter
from office.prefect_server.last_words import FULL_BYTES
from office.prefect_server.server import office_server
from office.secrets.redaction import install

LOG_BYTES, LOGS_KEPT = 10_000_000, 5


def run_flow(office: Office, load: Callable[[], Any], **parameters: Any) -> Any:
    """
    Run a flow in this process for an office and return its final state.

    `load` imports the flow, and what else takes long to import, while the server starts: the
    environment names it by then, which Prefect reads at import. What the flow raised is raised
    here again.
    """
    with (
        office_server(office.home, office.settings.prefect) as server,
        _output_kept_clean(),
    ):
        flow = load()
        with _log_in_file(office):
            server.wait_until_ready()
            server.bury_dead_runs()
            with at_work(office), _server_failures_named(office.home, server.api_url):
                state = flow(**parameters, return_state=True)
        server.wait_until_recorded(str(state.state_details.flow_run_id))
    with _server_failures_named(office.home, server.api_url):
        outcome = state.result(raise_on_failure=False)
        if isinstance(outcome, BaseException):
            raise outcome
        if state.is_completed():
            note_ended_well(office, flow.name)
    return state


@contextlib.contextmanager
def _server_failures_named(home: Path, api_url: str) -> Iterator[None]:
    """
    Say what a Prefect server failed at; where the disk beside it is full, that.

    What it did not take down ends a run anywhere, before its first step or between two: it is
    nobody's fault in our own books, and the same command goes on where it was.
    """
    from prefect.exceptions import PrefectException
    from sqlalchemy.exc import DatabaseError

    try:
        yield
    except (PrefectException, httpx.HTTPError, DatabaseError, RuntimeError) as failure:
        of_server = _failure_of_server(failure, api_url)
        if of_server is None and isinstance(failure, RuntimeError):
            raise
        if shutil.disk_usage(home).free < FULL_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(home)) from failure
        if of_server is None:
            raise
        raise TemporaryFailure(
            f"The Prefect server at {api_url} {_say_failed(of_server)}. What was done stands; see "
            "that it is well (its log, its database, how busy its machine is), then run the same "
            "command again to go on."
        ) from failure


def _failure_of_server(failure: BaseException | None, api_url: str) -> httpx.HTTPError | None:
    """Return the request to the Prefect server that a failure came of; None where none did."""
    seen: set[int] = set()
    while failure is not None and id(failure) not in seen:
        seen.add(id(failure))
        if isinstance(failure, httpx.HTTPError) and _was_asked_of(failure, api_url):
            return failure
        failure = failure.__cause__
    return None


def _was_asked_of(failure: httpx.HTTPError, api_url: str) -> bool:
    try:
        return str(failure.request.url).startswith(api_url)
    except RuntimeError:  # no request belongs to it
        return False


def _say_failed(failure: httpx.HTTPError) -> str:
    """Say it in a few words, without what the server said: that may repeat what it was told."""
    if isinstance(failure, httpx.HTTPStatusError):
        return f"answered {failure.response.status_code} to what a run told it"
    return f"did not answer what a run told it ({say_cause(failure)})"


@contextlib.contextmanager
def _log_in_file(office: Office) -> Iterator[None]:
    """
    Send Prefect's log to a private file: on the screen the clerk sees the steps.

    No line holds an address or a secret, neither there nor at the server. What is on its way to
    the server arrives before that is stopped, whatever happened.
    """
    from prefect.logging.handlers import APILogWorker, PrefectConsoleHandler

    install()
    folder = office.home / "logs"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "prefect.log"
    file.touch(mode=0o600)
    handler = RotatingFileHandler(file, maxBytes=LOG_BYTES, backupCount=LOGS_KEPT, encoding="utf-8")
    handler.setFormatter(formatter(office.settings.logging.format))
    logging.raiseExceptions = False  # a log line that cannot be sent is no news for the clerk
    root = logging.getLogger()
    level, consoles = root.level, [h for h in root.handlers if type(h) is PrefectConsoleHandler]
    root.setLevel(logging.INFO)
    for console in consoles:
        root.removeHandler(console)
    root.addHandler(handler)
    try:
        yield
    finally:
        APILogWorker.drain_all()
        root.removeHandler(handler)
        handler.close()
        for console in consoles:
            root.addHandler(console)
        root.setLevel(level)


@contextlib.contextmanager
def _output_kept_clean() -> Iterator[None]:
    """Keep standard output for our own document: what libraries print goes to standard error."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with contextlib.redirect_stdout(sys.stderr):
        yield
