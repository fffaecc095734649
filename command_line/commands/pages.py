"""`billclose pages`: the pages of a period's bulk files, and a person's word on one of them."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import as_of_option, json_option, open_office, say_done
from domain.failures import Misuse

if TYPE_CHECKING:
    from splitter.runs.page_rulings import PageView

AGAIN = "The next `close` or `check` of {period} splits it again, with the same checks."
reason_option = click.option("--reason", default="", metavar="TEXT", help="Why; audited.")


class PagesGroup(click.Group):
    """Takes `pages PERIOD …` for `pages list PERIOD …`: what is no command is a period."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = (*self.commands, "--help", "-h")
        if args and args[0] not in known:
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=PagesGroup)
def pages() -> None:
    """List the pages of PERIOD and settle those that a person must look at.

    `pages PERIOD --unassigned` lists pages that belong to nobody, `pages show PERIOD FILE N` shows
    one, `pages give` and `pages drop` say whose it is, `pages forget` takes that back.
    """


@pages.command(name="list")
@click.argument("period")
@click.option("--unassigned", is_flag=True, help="Only pages that belong to nobody.")
@json_option
@click.pass_obj
def list_sorted(home: Path, period: str, unassigned: bool, as_json: bool) -> None:
    """List where each page of PERIOD went, and why."""
    from command_line.tables import write_table
    from splitter.runs.page_rulings import list_pages

    office = open_office(home, None)
    found = list_pages(office.database, period, office.exports_folder, unassigned_only=unassigned)
    rows = [asdict(one) for one in found]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
    elif rows:
        write_table(list(rows[0]), rows)
    else:
        click.echo("No page belongs to nobody." if unassigned else f"{period} is not split yet.")


@pages.command()
@click.argument("period")
@click.argument("file")
@click.argument("number", type=click.IntRange(1))
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the page's picture is written (PNG); else into a folder for you alone.",
)
@json_option
@click.pass_obj
def show(
    home: Path, period: str, file: str, number: int, picture: Path | None, as_json: bool
) -> None:
    """Show page NUMBER of FILE: its picture, its text, and why it is where it is."""
    from splitter.runs.page_rulings import show_page

    office = open_office(home, None)
    view = show_page(office.database, period, office.exports_folder, file, number)
    place = picture or Path(tempfile.mkdtemp(prefix="billclose-page-")) / f"page-{number}.png"
    _draw(view, number, place)
    if as_json:
        figures: dict[str, Any] = asdict(view.sorted)
        figures |= {"names": view.names, "text": view.text, "picture": str(place)}
        click.echo(json.dumps(figures, indent=1))
        return
    told = view.sorted
    click.echo(f"Page {number} of {file}: {told.disposition}. {told.reason}")
    if told.account:
        whose = "It is in the bill of" if told.disposition == "bill" else "The bill before it is of"
        click.echo(f"{whose} {told.account}.")
    if told.seems:
        click.echo(f"It seems to be of {told.seems}.")
    if told.ruling:
        click.echo(f"A person's word: {told.ruling}.")
    click.echo(f"Its picture: {place}\n--- its text\n{view.text}")


def _draw(view: PageView, number: int, place: Path) -> None:
    """Write a page's picture for its user alone; it is drawn in a process of its own."""
    from splitter.printing.page_pictures import write_picture

    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_picture(view.path, number - 1, place)


@pages.command()
@click.argument("period")
@click.argument("file")
@click.argument("number", type=click.IntRange(1))
@click.option("--to", "account", required=True, metavar="ACCOUNT", help="Whose page it is.")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def give(
    home: Path,
    period: str,
    file: str,
    number: int,
    account: str,
    reason: str,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """Give page NUMBER of FILE to an account; one that names another is not given away."""
    if not account.strip():
        raise Misuse("Give the account with --to.")
    _rule(home, period, file, number, account, reason, as_of)
    told = f"is given to {account}"
    _say_ruled(as_json, {"ruling": "given", "to": account}, period, file, number, told)


@pages.command()
@click.argument("period")
@click.argument("file")
@click.argument("number", type=click.IntRange(1))
@reason_option
@as_of_option
@json_option
@click.pass_obj
def drop(
    home: Path,
    period: str,
    file: str,
    number: int,
    reason: str,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """Set page NUMBER of FILE aside: it belongs to nobody, as a separator does."""
    _rule(home, period, file, number, "", reason, as_of)
    _say_ruled(as_json, {"ruling": "dropped"}, period, file, number, "is set aside")


@pages.command()
@click.argument("period")
@click.argument("file")
@click.argument("number", type=click.IntRange(1))
@reason_option
@as_of_option
@json_option
@click.pass_obj
def forget(
    home: Path,
    period: str,
    file: str,
    number: int,
    reason: str,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """Take back what was said about page NUMBER of FILE."""
    from splitter.runs.page_rulings import forget_ruling

    office = open_office(home, as_of)
    forget_ruling(
        office.database, period, office.exports_folder, file, number,
        reason=reason, now=office.due_now(), who=office.who,
    )  # fmt: skip
    told = "counts as if nothing had been said of it"
    _say_ruled(as_json, {"ruling": None}, period, file, number, told)


def _say_ruled(
    as_json: bool, ruling: dict[str, Any], period: str, file: str, number: int, told: str
) -> None:
    figures = {"period": period, "file": file, "page": number, **ruling}
    say_done(as_json, figures, f"Page {number} of {file} {told}. {AGAIN.format(period=period)}")


def _rule(
    home: Path,
    period: str,
    file: str,
    number: int,
    account: str,
    reason: str,
    as_of: datetime | None,
) -> None:
    from splitter.runs.page_rulings import rule_page

    office = open_office(home, as_of)
    rule_page(
        office.database, period, office.exports_folder, file, number,
        to=account.strip(), reason=reason, now=office.due_now(), who=office.who,
    )  # fmt: skip
