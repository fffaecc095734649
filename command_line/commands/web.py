"""`billclose web`: the office's pages and what customers reach over the web."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from command_line.options import open_office

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
    office = open_office(home)  # what is missing in home or settings is said at once
    if not office.settings.web.url:
        os.environ["BILLCLOSE_WEB__URL"] = f"http://{host}:{port}"  # what mails link to
    os.environ["BILLCLOSE_HOME"] = str(home.resolve())
    click.echo(f"The web desk is at http://{host}:{port}. Ctrl-C ends it.", err=True)
    words = [sys.executable, "-c", SERVE, host, str(port)]
    os.execv(sys.executable, words)  # noqa: S606 - no shell is meant
