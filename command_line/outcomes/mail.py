"""What became of the mails that a command sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from domain.failures import NobodyMailed

if TYPE_CHECKING:
    from office.equipment.office import Office


Figures = dict[str, Any]
UNSENT = ("failed", "deferred", "in_doubt")


def run_mailing(office: Office, load: Callable[[], Any], **parameters: Any) -> Figures:
    """Run a flow that sends mails and return its figures; say so where not one of them left."""
    from office.prefect_server.flow_runs import run_flow

    try:
        figures: Figures = run_flow(office, load, **parameters).result()
    except NobodyMailed as stopped:
        figures = stopped.figures
        click.echo(f"billclose: {stopped.message}", err=True)
    return figures


def is_unsent(figures: Figures) -> bool:
    return any(figures[name] for name in UNSENT)


def say_unsent(figures: Figures) -> list[str]:
    """Say how many mails did not leave, each kind on its own; nothing where all did."""
    return [f"{figures[name]:,} {name.replace('_', '-')}" for name in UNSENT if figures[name]]
