"""`billclose sandbox`: a cash-receipting service and a billing system to try things with."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from command_line.options import wall_clock
from domain.failures import Misuse

if TYPE_CHECKING:
    from billing_system.feed.sandbox_service import SandboxBillingServer
    from cash_receipting.sandbox_service import ServiceFaults


@click.command()
@click.option("--port", default=8765, show_default=True, help="On this machine alone; 0: any.")
@click.option("--billing-port", default=8766, show_default=True, help="The billing system's.")
@click.option(
    "--file", "books", type=click.Path(path_type=Path), help="Cash receipting's database."
)
@click.option("--token", envvar="BILLCLOSE_SANDBOX_TOKEN", default="", help="What both ask for.")
@click.option("--faults", type=click.Path(path_type=Path), help="A JSON file with its faults.")
@click.pass_obj
def sandbox(
    home: Path, port: int, billing_port: int, books: Path | None, token: str, faults: Path | None
) -> None:
    """Run a cash-receipting service and a billing system to rehearse with, until interrupted.

    What cash receipting enters comes back with the billing system's next feed. PUT /faults makes
    either fail: {"down": true}, {"lose_answers": 1}; docs/running.md has them all. POST /movements,
    /accounts and /feed book a payment at the counter, change an account and write the feed's file.
    """
    from cash_receipting.sandbox_service import open_sandbox

    planned = _read_faults(faults)
    path = books or home / "sandbox-receipts.db"
    try:
        billing = _open_billing(home, billing_port, token)
        server = open_sandbox(
            path, port=port, token=token, faults=planned, tell=billing.take_receipt
        )
    except OSError as fault:
        raise Misuse(f"A port cannot be used: {fault.strerror}.", "port") from None
    click.echo(f"cash receipting sandbox on {server.url}")
    click.echo(f"billing system sandbox on {billing.url}")
    with server, billing:
        threading.Thread(target=billing.serve_forever, daemon=True).start()
        server.serve_forever()


def _open_billing(home: Path, port: int, token: str) -> SandboxBillingServer:
    from billing_system.feed.sandbox_service import open_billing_sandbox

    path = home / "sandbox-billing.db"
    return open_billing_sandbox(path, _local_clock(home), port=port, token=token)


def _local_clock(home: Path) -> Callable[[], datetime]:
    """Return the utility's local time, where the home's books know its zone; else UTC."""
    from database.runs import newest_timezone
    from office.home import open_database
    from office.settings.settings import open_settings

    zone = ZoneInfo("UTC")
    if (home / "billclose.toml").is_file() and (home / "billclose.db").is_file():
        database = open_database(home, open_settings(home))
        zone = ZoneInfo(newest_timezone(database))
        database.close()
    return lambda: wall_clock().astimezone(zone).replace(tzinfo=None, microsecond=0)


def _read_faults(file: Path | None) -> ServiceFaults | None:
    from cash_receipting.sandbox_service import ServiceFaults

    if file is None:
        return None
    try:
        return ServiceFaults.parse(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError) as wrong:
        raise Misuse(f"{file} holds no faults: {wrong}.", "faults") from None
