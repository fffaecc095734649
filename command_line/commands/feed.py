"""`billclose feed`: what the billing system tells between two closes."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import (
    DONE,
    NEEDS_PERSON,
    as_of_option,
    json_option,
    open_office,
    reason_option,
    say_done,
)
from domain.failures import Misuse
from domain.money import Money
from domain.words import say_count

if TYPE_CHECKING:
    from office.equipment.office import Office

MOST_SHOWN = 20  # balances at a terminal; --json has them all
TAKE_IN = "take-in"


class _FeedGroup(click.Group):
    """Takes `feed PATH` for `feed take-in PATH`: the usual thing needs no word of its own."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        if not any(word in self.commands for word in args) and "--help" not in args:
            args = [TAKE_IN, *args]
        return super().parse_args(context, args)


@click.group(cls=_FeedGroup)
def feed() -> None:
    """Take in what the billing system tells between two closes: a folder, .zip or .csv at PATH.

    Without a PATH all that has come by feed.folder or feed.url, and customers' choices leave. It
    takes --as-of and --json. `feed accept-gap NUMBER --reason TEXT` goes on without
    a file that will never come.
    """


@feed.command(TAKE_IN, hidden=True)
@click.argument("path", required=False, type=click.Path(path_type=Path))
@as_of_option
@json_option
@click.pass_obj
def take_in(home: Path, path: Path | None, as_of: datetime | None, as_json: bool) -> int:
    """Take in the file of the feed at PATH, or all that has come."""
    office = open_office(home, as_of)
    return _look(office, as_json) if path is None else _take_in(office, path, as_json)


@feed.command("accept-gap")
@click.argument("number", type=int)
@reason_option
@as_of_option
@json_option
@click.pass_obj
def accept_gap(home: Path, number: int, reason: str, as_of: datetime | None, as_json: bool) -> int:
    """Go on without file NUMBER of the feed, which will never come; audited."""
    from office.procedures.feeding import accept_gap as accept

    accept(open_office(home, as_of), number, reason)
    say_done(
        as_json,
        {"file": number},
        f"File {number} of the feed is not waited for. What stood in it is known with the next "
        "export: until then balances may be too high.",
    )
    return DONE


def _take_in(office: Office, path: Path, as_json: bool) -> int:
    from office.procedures.feeding import report_figures, take_in_path

    report = take_in_path(office, path)
    figures = report_figures(report)
    status = "needs-person" if report.findings else "done"
    if as_json:
        click.echo(json.dumps({"status": status, **figures}, indent=1))
    else:
        click.echo("\n".join(_lines(figures)))
    return NEEDS_PERSON if report.findings else DONE


def _look(office: Office, as_json: bool) -> int:
    from office.procedures.feeding import look_for_feed, round_figures

    if office.feed_source is None:
        raise Misuse(
            "Give the feed's PATH, or set feed.folder or feed.url: nobody knows where it is.",
            "feed",
        )
    done = look_for_feed(office)
    figures = round_figures(done)
    if as_json:
        click.echo(json.dumps(figures, indent=1))
    else:
        lines = [line for file in figures["files"] for line in _lines(file)]
        click.echo("\n".join(lines or ["Nothing new has come."]))
        for why in (done.refused, done.stopped_by, done.choices.stopped_by):
            if why:
                click.echo(f"  stopped: {why}")
        told = done.choices
        if told.told or told.taken or told.refused:
            click.echo(
                f"  {say_count(told.told, 'choice')} of customers told, {told.taken:,} taken, "
                f"{told.refused:,} refused: {office.command} list changes"
            )
    return NEEDS_PERSON if done.needs_person or done.stopped_by else DONE


def _lines(file: dict[str, Any]) -> list[str]:
    counts, number = file["movements"], file["sequence"]
    name = f"{file['file']}, file {number}" if number is not None else file["file"]
    lines = [
        f"{name}: {counts['new']:,} new, {Money.parse(file['amount']).dollars()}; "
        f"{counts['ours']:,} of ours come back; {counts['late']:,} in the newest export already; "
        f"{counts['known']:,} known; {file['changes']:,} changes of accounts"
    ]
    for one in file["balances"][:MOST_SHOWN]:
        before, after = (Money.parse(one[when]).dollars() for when in ("before", "after"))
        lines.append(f"  {one['account']:<16}{before:>14} -> {after}")
    if len(file["balances"]) > MOST_SHOWN:
        lines.append(f"  and {len(file['balances']) - MOST_SHOWN:,} more; --json has them all")
    lines += [f"  not used: {name}" for name in file["unused"]]
    return lines + [f"  for a person: {finding}" for finding in file["findings"]]
