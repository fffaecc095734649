"""`billclose web`: the office's pages and what customers reach over the web."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import click

from command_line.options import as_of_option, open_office

PORT = 8480
SERVE = "import sys; from web.serve import serve; serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(1, 65535))
@as_of_option
@click.pass_obj
def web(home: Path, host: str, port: int, as_of: datetime | None) -> None:
    """Serve the customers' portal and the office's web desk until Ctrl-C.

    Meant to stand behind your reverse proxy, which brings the encryption: set web.url to the
    https:// address that customers type. Mails link there.
    """
    office = open_office(home, as_of)  # what is missing in home or settings is said at once
    if not office.settings.web.url:
        os.environ["BILLCLOSE_WEB__URL"] = f"http://{host}:{port}"  # what mails link to
    os.environ["BILLCLOSE_HOME"] = str(home.resolve())
    click.echo(f"The portal is at http://{host}:{port}. Ctrl-C ends it.", err=True)
    words = [sys.executable, "-P", "-c", SERVE, host, str(port), as_of.isoformat() if as_of else ""]
    os.execv(sys.executable, words)  # noqa: S606 - no shell is meant
