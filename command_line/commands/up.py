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


PORT = 4200
SERVE = "from deployments.serve import serve_office; serve_office()"
LOOK_SECONDS = 0.5
LOG_LOOKS = 600  # looks between two at the size of the server's log
CHANGES_LOOKS = 20  # and at that of the log of changes of its database


@click.command()
@click.option("--port", default=PORT, show_default=True, help="Where the Prefect UI answers.")
@click.pass_obj
def up(home: Path, port: int) -> int:
    """Start the Prefect server of this office and serve its flows, until Ctrl-C.

    The flows run by the calendar, unless prefect.schedules is false. What dies is started again;
    what keeps dying takes everything down.
    """
    from office.prefect_server.processes import adopt_orphans, alone, end_orphans
    from office.prefect_server.runs import require_own_deployments
    from office.prefect_server.server import office_server

    office = open_office(home)
    os.environ["BILLCLOSE_HOME"] = str(home.resolve())
    has_children = False
    chosen = office.settings.prefect
    try:
        with (
            alone(home / "prefect" / "up.lock", _say_up(home)),
            office_server(home, chosen, port, in_group=True) as server,
        ):
            has_children = True
            signal.signal(signal.SIGTERM, _interrupt)  # as systemd ends it
            adopt_orphans()
            server.wait_until_ready()
            server.bury_dead_runs()
            if not server.is_ours:
                require_own_deployments(office, "")
            click.echo(_welcome(home, server))
            _keep_up(home, server)
    except KeyboardInterrupt:
        pass
    finally:
        if has_children:
            end_orphans()
    return 0


def _say_up(home: Path) -> str:
    from office.secrets.prefect_access import announced

    where = announced(home).removesuffix("/api")
    at = f", its Prefect UI at {where}" if where else ""
    return f"The office in {home} is up already{at}; stop that one first, or use it."


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
        _watch(kept, home / "prefect", server)
    finally:
        _deaf_to_signals()
        stop(serving.process, signal.SIGINT)


class _Serving:
    """The process that serves the flows."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        from office.prefect_server.processes import die_with_parent
        from office.prefect_server.server import FLOW_SETTINGS

        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", SERVE],
            env=FLOW_SETTINGS | os.environ,
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )


def _watch(kept: list[Kept], home: Path, server: PrefectServer) -> None:
    from office.logs import turn_over
    from office.prefect_server.changes import shorten_changes

    looks = 0
    while True:
        for child in kept:
            if sentence := child.look():
                click.echo(f"billclose: {sentence}", err=True)
        looks += 1
        if looks % LOG_LOOKS == 0:
            turn_over(home / "server.log")
        if server.is_ours and looks % CHANGES_LOOKS == 0:
            shorten_changes(home)
        time.sleep(LOOK_SECONDS)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _deaf_to_signals() -> None:
    """Let nobody's second Ctrl-C leave half of it running: what is left takes some seconds."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
