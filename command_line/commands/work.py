"""`billclose work`: batches of bills for whichever machine closes a period."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import json_option, open_office
from domain.failures import TemporaryFailure
from domain.words import say_count

if TYPE_CHECKING:
    from splitter.batches.run import BatchWorker

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
        said = f"{made.period}: batch {made.number:03d}, {say_count(made.bills, 'bill')}"
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
