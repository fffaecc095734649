"""`billclose backup` and `billclose restore`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from command_line.options import as_of_option, json_option, open_office, say_done

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--to", "target", required=True, type=FILE, help="The new file, such as a .tar.gz.")
@as_of_option
@json_option
@click.pass_obj
def backup(home: Path, target: Path, as_of: datetime | None, as_json: bool) -> None:
    """Write books, bills and settings into one file, while the office may work.

    The file holds customers' data: keep it as private as the home.
    """
    from database.audit import record_audit
    from office.procedures.backup import back_up
    from office.procedures.closing.checklist import record_backup

    office = open_office(home, as_of)
    now = office.due_now()
    with office.database.writing() as books:
        record_audit(books, now, office.who, "back up", target.name)
    made = back_up(office, target, now)
    record_backup(office, target.name, made.size, office.due_now())
    say_done(
        as_json,
        {
            "file": str(target),
            "files": made.files,
            "size": made.size,
            "missing": list(made.missing),
        },
        f"{made.files:,} files are in {target} ({made.size / 1e6:,.1f} MB). Not in it:",
        *(f"  {sentence}" for sentence in made.missing),
    )


@click.command()
@click.option("--from", "source", required=True, type=FILE, help="A file of `billclose backup`.")
@json_option
@click.pass_obj
def restore(home: Path, source: Path, as_json: bool) -> None:
    """Put a backup into a new home, and bring it up to date."""
    from command_line.commands.init import prepare_home
    from database.audit import record_audit
    from office.procedures.backup import restore as restore_into

    manifest = restore_into(source, home)
    revision, _, earlier = prepare_home(home, is_restored=True)
    office = open_office(home)
    with office.database.writing() as books:
        made_at = manifest["made_at"]
        record_audit(books, office.due_now(), office.who, "restore", source.name, f"of {made_at}")
    say_done(
        as_json,
        {"home": str(home), "made_at": manifest["made_at"], "schema": revision},
        f"{home} is as it was at {manifest['made_at']} (schema {revision}).",
        *([f"Its books were brought up to date from schema {earlier}."] if earlier else []),
        "Mails that left after that would be sent again: compare with the mail server's",
        f"log before you send (billclose --home {home} mail status).",
    )
