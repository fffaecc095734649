"""`billclose journal`: the books for the accountants, in double entry."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from command_line.options import as_of_option, json_option, open_office, say_done


@click.command()
@click.option("--period", metavar="PERIOD", help="That period's bills and payments alone.")
@click.option(
    "--format", "form", type=click.Choice(["hledger"]), default="hledger", show_default=True,
    help="How it is written.",
)  # fmt: skip
@click.option(
    "--to", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write it into this file, else on the screen.",
)  # fmt: skip
@as_of_option
@json_option
@click.pass_obj
def journal(
    home: Path,
    period: str | None,
    form: str,
    file: Path | None,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """
    Write bills, payments, returns, fees and payouts as a double-entry journal; no names.

    The clearing account ends at what the gateway has taken and not yet paid out.
    """
    from database.runs import get_run, newest_timezone
    from reporting.documents.journal import Journal, write_hledger
    from reporting.private_files import replacing

    office = open_office(home, as_of)
    if period is not None:
        get_run(office.database, period)
    zone = ZoneInfo(newest_timezone(office.database))
    with office.database.reading() as books:
        pieces = write_hledger(Journal(books, zone, period).transactions())
        if as_json and file is None:
            say_done(True, {"format": form, "file": None, "journal": "".join(pieces)})
        elif file is None:
            for piece in pieces:
                click.echo(piece, nl=False)
        else:
            with replacing(file) as out:
                out.writelines(piece.encode() for piece in pieces)
            if as_json:
                say_done(True, {"format": form, "file": str(file)})
    return 0
