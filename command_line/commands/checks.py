"""`billclose checks`: what the office wants of its checks, and what they would have found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import (
    as_of_option,
    json_option,
    open_office,
    reason_option,
    say_done,
)
from domain.failures import Misuse
from domain.money import Money

if TYPE_CHECKING:
    from data_checks.register.limits import LimitSet
    from office.equipment.office import Office
    from office.procedures.checks import TriedReview


@click.group()
def checks() -> None:
    """Show and set what the office wants of its checks; `list checks` shows what they found.

    A severity is block, warn, fold (good to know, and no exception) or off; limits may differ by
    service and rate code. What is set is audited with its reason.
    """


@checks.command(name="list")
@click.argument("check", default="")
@json_option
@click.pass_obj
def list_choices(home: Path, check: str, as_json: bool) -> None:
    """List every check with its severity and limits, and where each comes from."""
    from data_checks.choices.chosen import require_check
    from office.procedures.checks import choices_in_force

    if check:
        require_check(check)
    office = open_office(home)
    rows = [row for row in choices_in_force(office) if check in ("", row["check"])]
    _write(rows, as_json, "There is no check.")


@checks.command(name="set")
@click.argument("check")
@click.argument("words", nargs=-1, required=True, metavar="[SERVICE[/RATE]] NAME=VALUE …")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def set_choice(
    home: Path,
    check: str,
    words: tuple[str, ...],
    reason: str,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """Set a severity or limits of CHECK, for all, a service or one of its rate codes."""
    from data_checks.choices.chosen import record_choice

    changes = _changes(check, words)
    office = open_office(home, as_of)
    with office.database.writing() as books:
        for change in changes:
            record_choice(books, change, reason=reason, now=office.due_now(), who=office.who)
    set_now = [
        {"name": one.name, "value": one.value, "service": one.service, "rate_code": one.rate_code}
        for one in changes
    ]
    lines = []
    for change in changes:
        where = "/".join(filter(None, (change.service, change.rate_code)))
        lines.append(f"{check}{f' for {where}' if where else ''}: {change.name} is {change.value}.")
    say_done(as_json, {"check": check, "set": set_now}, *lines)


@checks.command()
@click.argument("check")
@click.argument("account")
@click.option("--service", default="", help="Of this service alone.")
@click.option("--until", required=True, metavar="DATE", help="The last day that it is known.")
@click.option("--up-to", default="", metavar="AMOUNT", help="Above this at stake it counts again.")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def mute(
    home: Path,
    check: str,
    account: str,
    service: str,
    until: str,
    up_to: str,
    reason: str,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """Let findings of CHECK about ACCOUNT be known until a day: listed, and not counted."""
    from office.procedures.checks import mute_account

    last_day, most = _day(until), _amount(up_to)
    office = open_office(home, as_of)
    mute_account(office, check, account, service=service, until=last_day, up_to=most, reason=reason)
    say_done(
        as_json,
        {
            "check": check,
            "account": account,
            "service": service,
            "until": last_day.isoformat(),
            "up_to": "" if most is None else str(most),
        },
        f"{check} of {account} is known until {last_day}"
        f"{f', up to {most.dollars()} at stake' if most is not None else ''}.",
    )


@checks.command()
@click.argument("check")
@click.argument("account")
@click.option("--service", default="", help="As it was muted.")
@as_of_option
@json_option
@click.pass_obj
def unmute(
    home: Path, check: str, account: str, service: str, as_of: datetime | None, as_json: bool
) -> None:
    """End a mute before its day."""
    from data_checks.choices.chosen import require_check
    from data_checks.choices.muting import unmute as lift

    require_check(check)
    office = open_office(home, as_of)
    with office.database.writing() as books:
        lift(books, check, account, service=service, now=office.due_now(), who=office.who)
    figures = {"check": check, "account": account, "service": service}
    say_done(as_json, figures, f"{check} of {account} counts again.")


@checks.command()
@json_option
@click.pass_obj
def muted(home: Path, as_json: bool) -> None:
    """List what is muted, and what was."""
    from data_checks.choices.muting import list_mutes

    office = open_office(home)
    today = office.local_today()
    with office.database.reading() as books:
        rows = [
            {
                "check": one.check,
                "account": one.account,
                "service": one.service,
                "until": one.until.isoformat(),
                "up_to": "" if one.up_to is None else str(one.up_to),
                "in_force": one.lifted_at is None and one.until >= today,
                "reason": one.reason,
                "set_by": one.set_by,
            }
            for one in list_mutes(books)
        ]
    _write(rows, as_json, "Nothing is muted.")


@checks.command(name="try")
@click.argument("check")
@click.argument("words", nargs=-1, metavar="[SERVICE[/RATE]] NAME=VALUE …")
@click.option("--period", default="", help="This period alone, staged or closed.")
@click.option(
    "--periods",
    default=6,
    show_default=True,
    type=click.IntRange(1),
    help="So many of the newest.",
)
@json_option
@click.pass_obj
def try_limits(
    home: Path, check: str, words: tuple[str, ...], period: str, periods: int, as_json: bool
) -> None:
    """Count what CHECK would have found with other limits; nothing is changed.

    CHECK may be a period: what would this month have found, check by check, with today's limits?
    """
    from data_checks.choices.chosen import ALL

    office = open_office(home)
    if check not in ALL and not words:
        rows, nothing = _try_period(office, check), "Nothing was found."
    else:
        changes = _changes(check, words) if words else []
        rows, nothing = _try_check(office, check, changes, period, periods), "No period is closed."
    _write(rows, as_json, nothing)


@checks.command()
@as_of_option
@json_option
@click.pass_obj
def suite(home: Path, as_of: datetime | None, as_json: bool) -> None:
    """Write register.toml, the office's own lines of the suite of figures, to be edited."""
    from office.procedures.checks import COMMENTED, SUITE, read_suite

    office = open_office(home, as_of)
    file = office.home / SUITE
    figures: dict[str, Any] = {"file": str(file), "written": not file.exists()}
    if file.exists():
        lines = len(read_suite(file))
        say_done(
            as_json, figures | {"lines": lines}, f"{file} has {lines} lines of the office's own."
        )
        return
    file.touch(mode=0o600)
    file.write_text(COMMENTED, encoding="utf-8")
    told = f"{file} is written: edit it, and the next close goes by it."
    say_done(as_json, figures | {"lines": 0}, told)


def _try_period(office: Office, period: str) -> list[dict[str, Any]]:
    from data_checks.choices.chosen import require_check
    from database.runs import find_run
    from office.procedures.checks import try_review

    if find_run(office.database, period) is None and not period[:1].isdigit():
        require_check(period)  # neither a period nor a check: says what was probably meant
    tried = try_review(office, period)
    _tell_what_is_before({period: tried})
    return [
        {"check": check, "found": count, "per_1000_bills": _per_thousand(count, tried.bills)}
        for check, count in sorted(tried.found.items())
    ]


def _try_check(
    office: Office, check: str, changes: list[LimitSet], period: str, periods: int
) -> list[dict[str, Any]]:
    from data_checks.register.catalog import LIMITS
    from office.procedures.checks import newest_periods, try_review

    if check not in LIMITS:
        raise Misuse(f"{check} looks at one period alone and has no limits to try.")
    chosen = [period] if period else newest_periods(office, periods)
    now = {one: try_review(office, one) for one in chosen}
    then = {one: try_review(office, one, changes) for one in chosen} if changes else now
    _tell_what_is_before(now)
    return [
        {
            "period": one,
            "bills": now[one].bills,
            "months_before": now[one].months,
            "found": now[one].found.get(check, 0),
            "would_find": then[one].found.get(check, 0),
            "per_1000_bills": _per_thousand(then[one].found.get(check, 0), now[one].bills),
        }
        for one in chosen
    ]


def _tell_what_is_before(tried: Mapping[str, TriedReview]) -> None:
    """Say which periods have too little before them: a 0 of theirs says nothing."""
    from data_checks.register.usual import ENOUGH
    from domain.words import say_count

    for period, one in tried.items():
        if one.months < ENOUGH:
            before = say_count(one.months, "month") if one.months else "nothing"
            click.echo(
                f"{period} has {before} before it, so that most of it could not be compared: "
                "`billclose import --history` takes past exports in.",
                err=True,
            )


def _per_thousand(count: int, bills: int) -> str:
    return f"{1000 * count / bills:.1f}" if bills else "0.0"


def _changes(check: str, words: tuple[str, ...]) -> list[LimitSet]:
    """Read `[SERVICE[/RATE]] NAME=VALUE …`; raises Misuse for anything else."""
    from data_checks.choices.chosen import require_choice
    from data_checks.register.limits import LimitSet

    place, values = ("", words) if "=" in words[0] else (words[0], words[1:])
    service, _, rate = place.partition("/")
    if not values or any("=" not in word for word in values):
        raise Misuse("Give NAME=VALUE, such as factor=2.5 or severity=block.")
    changes = []
    for word in values:
        name, _, value = word.partition("=")
        require_choice(check, name.strip(), value.strip())
        changes.append(LimitSet(check, name.strip(), value.strip(), service, rate))
    return changes


def _day(written: str) -> date:
    from domain.dates import parse_date

    try:
        return parse_date(written)
    except ValueError:
        raise Misuse(f"--until {written!r} is no day such as 2026-12-31.") from None


def _amount(written: str) -> Money | None:
    try:
        return Money.parse(written) if written else None
    except ValueError:
        raise Misuse(f"--up-to {written!r} is no amount such as 100.00.") from None


def _write(rows: list[dict[str, Any]], as_json: bool, nothing: str) -> None:
    from command_line.tables import write_table

    echo: Callable[[str], None] = click.echo
    if as_json:
        echo(json.dumps(rows, indent=1))
    elif rows:
        write_table(list(rows[0]), rows)
    else:
        echo(nothing)
