"""The options that waive checks, as `check`, `close` and `approve` take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from domain.failures import Misuse

F = TypeVar("F", bound=Callable[..., Any])


def waiver_options(command: F) -> F:
    """Let a command take checks that shall not stop a close, each with the reason."""
    reason = click.option("--reason", multiple=True, metavar="TEXT", help="Why; audited.")
    waive = click.option(
        "--waive", multiple=True, metavar="CHECK", help="Go on in spite of this check."
    )
    return waive(reason(command))


def to_waivers(checks: tuple[str, ...], reasons: tuple[str, ...]) -> dict[str, str]:
    """
    Pair each waived check with its reason; one reason may serve for all.

    Raises Misuse for a check that does not exist, Refused for one that is never waived.
    """
    waivers = _pair(checks, reasons)
    if waivers:
        from data_checks.checking import require_waivable
        from data_checks.choices.chosen import ALL

        require_waivable(waivers, raised=ALL)  # what only warns here is refused by its office
    return waivers


def _pair(checks: tuple[str, ...], reasons: tuple[str, ...]) -> dict[str, str]:
    if checks and not reasons:
        raise Misuse("--waive needs --reason TEXT: the waiver is audited with it.")
    if reasons and not checks:
        raise Misuse("--reason needs --waive CHECK.")
    if any(not reason.strip() for reason in reasons):
        raise Misuse("--reason must not be empty: the waiver is audited with it.")
    if len(reasons) not in (0, 1, len(checks)):
        raise Misuse("Give one --reason for all waived checks, or one for each.")
    if len(reasons) == 1:
        return dict.fromkeys(checks, reasons[0])
    return dict(zip(checks, reasons, strict=True))
