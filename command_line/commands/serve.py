"""`billclose up`: the Prefect server with the office's flows and their schedules."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.options import open_office

if TYPE_CHECKING:
    from office.prefect_server.processes import Kept
    from office.prefect_server.server import PrefectServer
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from command_line.options import json_option
from domain.failures import TemporaryFailure
from domain.words import say_count

if TYPE_CHECKING:
    from splitter.batches.run import BatchWorker


PORT = 4200
SERVE = "from deployments.serve import serve_office; serve_office()"
LOOK_SECONDS = 0.5
LOG_LOOKS = 600  # looks between two at the size of the server's log
POLLS = {"PREFECT_RUNNER_POLL_FREQUENCY": "2"}  # seconds a clerk waits for what he started there


@click.command()
@click.option("--port", default=PORT, show_default=True, help="Where the Prefect UI answers.")
@click.pass_obj
def up(home: Path, port: int) -> int:
    """Start the Prefect server of this office and serve its flows, until Ctrl-C.

    The flows run by the calendar, unless prefect.schedules is false. What dies is started again;
    what keeps dying takes everything down.
    """
    from office.prefect_server.processes import adopt_orphans, end_orphans
    from office.prefect_server.server import office_server

    office = open_office(home)
    os.environ["BILLCLOSE_HOME"] = str(home.resolve())
    has_children = False
    try:
        with office_server(home, office.settings.prefect, port, in_group=True) as server:
            has_children = True
            signal.signal(signal.SIGTERM, _interrupt)  # as systemd ends it
            adopt_orphans()
            server.wait_until_ready()
            server.bury_dead_runs()
            click.echo(_welcome(home, server))
            _keep_up(home, server)
    except KeyboardInterrupt:
        pass
    finally:
        if has_children:
            end_orphans()
    return 0


def _welcome(home: Path, server: PrefectServer) -> str:
    from office.secrets.prefect_access import FILE

    lines = [f"The Prefect UI is at {server.api_url.removesuffix('/api')}. Ctrl-C ends it."]
    if server.is_ours:
        lines.append(f"It asks for the words in {home / FILE}, or those of prefect.auth_string.")
    return "\n".join(lines)


def _keep_up(home: Path, server: PrefectServer) -> None:
    """Serve the flows and look after both processes, until somebody ends it."""
    from office.prefect_server.processes import Kept, stop

    serving = _Serving()
    kept = [
        Kept("The process that serves the flows", lambda: serving.process, serving.start),
        Kept("The Prefect server", lambda: server.process, server.restart),
    ]
    try:
        _watch(kept, home / "prefect" / "server.log")
    finally:
        _deaf_to_signals()
        stop(serving.process, signal.SIGINT)


class _Serving:
    """The process that serves the flows."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        from office.prefect_server.processes import die_with_parent

        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE],
            env=POLLS | os.environ,
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )


def _watch(kept: list[Kept], log: Path) -> None:
    from office.prefect_server.processes import turn_over

    looks = 0
    while True:
        for child in kept:
            if sentence := child.look():
                click.echo(f"billclose: {sentence}", err=True)
        looks += 1
        if looks % LOG_LOOKS == 0:
            turn_over(log)
        time.sleep(LOOK_SECONDS)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _deaf_to_signals() -> None:
    """Let nobody's second Ctrl-C leave half of it running: what is left takes some seconds."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)


PORT = 8480
SERVE = "import sys; from web.serve import serve; serve(sys.argv[1], int(sys.argv[2]))"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(1, 65535))
@click.pass_obj
def web(home: Path, host: str, port: int) -> None:
    """Serve the office's web desk until Ctrl-C; meant to stand behind your reverse proxy.

    It answers /unsubscribe, /exports, /communications, /webhooks/stripe and /health, and nothing
    else. The proxy brings the encryption and passes on the paths that you want to be public.
    """
    open_office(home)  # what is missing in home or settings is said at once
    os.environ["BILLCLOSE_HOME"] = str(home.resolve())
    click.echo(f"The web desk is at http://{host}:{port}. Ctrl-C ends it.", err=True)
    words = [sys.executable, "-c", SERVE, host, str(port)]
    os.execv(sys.executable, words)  # noqa: S606 - no shell is meant


POLL_SECONDS = 2.0
PAUSE_SECONDS = 15.0  # after a failure that may pass


@click.command()
@click.option("--once", is_flag=True, help="Make what waits now, then end.")
@json_option
@click.pass_obj
def work(home: Path, once: bool, as_json: bool) -> int:
    """
    Make batches of bills for whichever machine closes a period, until told to stop.

    This home's settings name the same database and the same bill store as those of the machine
    that closes. Ctrl-C or SIGTERM ends it at once; what it was making another machine makes.
    """
    from office.prefect_server.task_runner import batch_worker

    office = open_office(home)
    with _ended_by_sigterm(), batch_worker(office.home, office.settings) as worker:
        while not once:
            _make_patiently(worker)
            time.sleep(POLL_SECONDS)
        batches, bills = _make_what_waits(worker, as_json=as_json)
    if as_json:
        click.echo(json.dumps({"status": "done", "batches": batches, "bills": bills}, indent=1))
    else:
        click.echo(f"{say_count(batches, 'batch', 'batches')} made, {say_count(bills, 'bill')}.")
    return 0


def _make_patiently(worker: BatchWorker) -> None:
    """Make what waits; what may pass by itself is said and waited for."""
    try:
        _make_what_waits(worker, as_json=False)
    except (TemporaryFailure, OSError) as failure:
        click.echo(f"billclose: {failure}", err=True)
        time.sleep(PAUSE_SECONDS)


def _make_what_waits(worker: BatchWorker, *, as_json: bool) -> tuple[int, int]:
    """Make batches while there are any; return how many, and how many bills they held."""
    batches = bills = 0
    while (made := worker.make_one()) is not None:
        batches, bills = batches + 1, bills + made.bills
        said = f"{made.run}: batch {made.number:03d}, {say_count(made.bills, 'bill')}"
        click.echo(said, err=as_json)
    return batches, bills


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does: the batch under way is put back."""
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt
