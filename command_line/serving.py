"""`billclose up`: the Prefect server with the office's flows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import click

from command_line.opening import open_office

PORT = 4200
SERVE = "from deployments.serve import serve_office; serve_office()"


@click.command()
@click.option("--port", default=PORT, show_default=True, help="Where the Prefect UI answers.")
@click.pass_obj
def up(home: Path, port: int) -> int:
    """Start the Prefect server of this office and serve its flows, until Ctrl-C."""
    from office.prefect_server import prefect_server

    office = open_office(home)
    os.environ["BILLCLOSE_HOME"] = str(home.resolve())
    with prefect_server(home / "prefect", office.settings.prefect.api_url, port) as server:
        server.wait_until_ready()
        click.echo(f"The Prefect UI is at {server.api_url.removesuffix('/api')}. Ctrl-C ends it.")
        signal.signal(signal.SIGTERM, _interrupt)  # as systemd ends it
        serving = subprocess.Popen([sys.executable, "-c", SERVE])
        try:
            return 1 if serving.wait() else 0
        except KeyboardInterrupt:
            serving.send_signal(signal.SIGINT)
            serving.wait()
            return 0


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
