"""Opening the office for a command: home, settings, clock."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import click

from domain.failures import Misuse

if TYPE_CHECKING:
    from office.equipment.office import Office
    from office.settings.settings import Settings


def is_at_terminal() -> bool:
    """Tell whether somebody is there who reads what is said and can answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> bool:
    """Ask for a yes; where nobody can answer, the answer is no."""
    return is_at_terminal() and click.confirm(question, default=False, err=True)


F = TypeVar("F", bound=Callable[..., Any])


def wall_clock() -> datetime:
    return datetime.now(UTC)


def parse_as_of(_context: Any, _parameter: Any, value: str | None) -> datetime | None:
    """Read a rehearsed business time, local time of the utility, such as 2026-11-02T09:00."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Misuse(f"--as-of {value!r} is no local time such as 2026-11-02T09:00.") from None
    if moment.tzinfo is not None:
        raise Misuse("--as-of is a local time of the utility, without a zone of its own.")
    return moment


def as_of_option(command: F) -> F:
    return click.option(
        "--as-of",
        callback=parse_as_of,
        metavar="TIME",
        help="Business time for rehearsals, local, such as 2026-11-02T09:00.",
    )(command)


def json_option(command: F) -> F:
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
    )(command)


def say_done(as_json: bool, figures: dict[str, Any], *lines: str) -> None:
    """Say what was done: as one document, whose status is "done" unless told, or in its lines."""
    if as_json:
        lines = (json.dumps({"status": "done", **figures}, indent=1),)
    click.echo("\n".join(lines))


def say_time(office: Office, moment: datetime) -> str:
    """Write a moment as the utility's own clocks showed it, for people."""
    from database.runs import newest_timezone

    zone = ZoneInfo(newest_timezone(office.database))
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def despite_option(command: F) -> F:
    return click.option(
        "--despite-stuck-postings",
        callback=in_words,
        metavar="REASON",
        help="Though payments are not posted; audited.",
    )(command)


def despite_stale_option(command: F) -> F:
    return click.option(
        "--despite-stale-balances",
        callback=in_words,
        metavar="REASON",
        help="Though the billing system's feed is missing or too old; audited.",
    )(command)


def overlaps_option(command: F) -> F:
    return click.option(
        "--overlaps",
        callback=in_words,
        metavar="REASON",
        help="Though days of it were closed already for its accounts; audited.",
    )(command)


def even_if_nothing_option(command: F) -> F:
    return click.option(
        "--even-if-nothing",
        is_flag=True,
        help="Run the flow although there is nothing to do, so that Prefect shows a run.",
    )(command)


def reason_option(command: F) -> F:
    return click.option(
        "--reason", required=True, callback=in_words, metavar="TEXT", help="Why; audited."
    )(command)


def in_words(_context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """Take a reason, if one is given, without the space around it; raises Misuse for no words."""
    if text is not None and not text.strip():
        raise Misuse(f"{option.opts[0]} must not be empty: it is audited.")
    return text.strip() if text else text


# Commands that only look, and may do so at any business time in any home.
LOOKING = (
    *(
        "list",
        "find",
        "show",
        "why",
        "status",
        "calendar",
        "health",
        "preview",
        "approvals",
        "unknown",
        "journal",
        "deposits",
    ),
    *("autopay show", "hold list", "communication list", "bounces list", "mail show", "mail list"),
    *("checks list", "checks muted", "checks try"),
)


def require_rehearsal(settings: Settings, as_of: datetime | None) -> None:
    """
    Raise Misuse where a time of one's own would act in an office that is none for rehearsals.

    A slip of the year would mail, charge and close as of then: elsewhere --as-of is for dry runs
    and for looking.
    """
    if as_of is None or settings.clock.rehearsal or _only_looks(click.get_current_context()):
        return
    raise Misuse(
        "--as-of acts only in a home for rehearsals, whose settings say clock.rehearsal = true "
        "(`billclose init --rehearsal` makes one); here it is for --dry-run and for looking. "
        "Leave it out to work at today's time.",
        "no-rehearsal",
    )


def _only_looks(context: click.Context) -> bool:
    if context.params.get("dry_run"):
        return True
    words = " ".join(context.command_path.split()[1:])
    return words in LOOKING and not context.params.get("tell")


def open_office(home: Path, as_of: datetime | None = None) -> Office:
    """
    Open the office of a home whose database is there, until the command ends.

    Raises Misuse where there is none, or where `as_of` would act and must not.
    """
    from database.migrating import require_schema
    from office.clock import Clock
    from office.equipment.office import Office
    from office.home import require_home
    from office.identity import origin, person
    from office.settings.settings import open_settings

    require_home(home)
    settings = open_settings(home)
    require_rehearsal(settings, as_of)
    office = Office(home, settings, Clock(wall_clock, as_of), person(), origin=origin())
    if not settings.database.url and not (home / "billclose.db").is_file():
        raise Misuse(
            f"There is no database in {home}; run `billclose --home {home} init` first.",
            "no-database",
        )
    close_after_command(office)
    require_schema(office.database)
    _tell_of_period(office)
    return office


def _tell_of_period(office: Office) -> None:
    """Let a command that is about a period say so where it fails: in the document, by the books."""
    from command_line.standing import of_period

    context = click.get_current_context()
    period = context.params.get("period")
    if isinstance(period, str) and period:
        context.with_resource(of_period(office, period, is_of_close=False))


def close_after_command(office: Office) -> None:
    """Close an office's connections when the command ends that opened it."""
    click.get_current_context().call_on_close(office.database.close)


DONE = 0
UNEXPECTED = 1  # what was done stands, running again continues
WRONG_USE = 2  # wrong arguments or settings
REFUSED = 3  # by a guard or a blocking check; nothing was changed
NEEDS_PERSON = 4  # done, but something needs a person
