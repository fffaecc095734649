"""`billclose sandbox`: a cash-receipting service to try things with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from domain.failures import Misuse

if TYPE_CHECKING:
    from cash_receipting.sandbox_service import Faults


@click.command()
@click.option("--port", default=8765, show_default=True, help="On this machine alone; 0: any.")
@click.option("--file", "books", type=click.Path(path_type=Path), help="Its database.")
@click.option("--token", envvar="BILLCLOSE_SANDBOX_TOKEN", default="", help="What it asks for.")
@click.option("--faults", type=click.Path(path_type=Path), help="A JSON file with its faults.")
@click.pass_obj
def sandbox(home: Path, port: int, books: Path | None, token: str, faults: Path | None) -> None:
    """Run a small cash-receipting service until interrupted: for tests and rehearsals.

    PUT /faults makes it fail: {"down": true}, {"slow_seconds": 2}, {"error_after": 3},
    {"lose_answers": 1}, {"rejects": ["01.1037.1"]}.
    """
    from cash_receipting.sandbox_service import open_sandbox

    planned = _read_faults(faults)
    path = books or home / "sandbox-receipts.db"
    try:
        server = open_sandbox(path, port=port, token=token, faults=planned)
    except OSError as fault:
        raise Misuse(f"Port {port} cannot be used: {fault.strerror}.", "port") from None
    click.echo(f"cash receipting sandbox on {server.url}")
    with server:
        server.serve_forever()


def _read_faults(file: Path | None) -> Faults | None:
    from cash_receipting.sandbox_service import Faults

    if file is None:
        return None
    try:
        return Faults.parse(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError) as wrong:
        raise Misuse(f"{file} holds no faults: {wrong}.", "faults") from None
