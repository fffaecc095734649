"""`billclose init`: a home with its settings and its database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.options import json_option, say_done, wall_clock
from domain.failures import Misuse

if TYPE_CHECKING:
    from database.books import Database
    from office.settings.settings import Settings

A_CLOSE_NEEDS = 4  # connections to PostgreSQL at a time


@click.command()
@click.option("--rehearsal", is_flag=True, help="For rehearsals and tests: --as-of acts in it.")
@click.option(
    "--backup",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Bring the books of an older billclose up to date; write FILE (.tar.gz) before.",
)
@json_option
@click.pass_obj
def init(home: Path, rehearsal: bool, backup: Path | None, as_json: bool) -> None:
    """Write a commented billclose.toml, create the database."""
    revision, new, earlier = prepare_home(home, rehearsal=rehearsal, backup=backup)
    allowed, room, slow = _room(home)
    carried = [
        f"Brought up to date from schema {earlier}, with every row; before that all was written "
        f"into {backup}.",
    ]
    say_done(
        as_json,
        {
            "home": str(home),
            "created": new,
            "schema": revision,
            "earlier": earlier,
            "connections": allowed,
            "reads_every_text": bool(slow),
        },
        *(carried if earlier else []),
        f"{'Created' if new else 'Ready:'} office in {home} (schema {revision}).",
        f"Settings: {home / 'billclose.toml'}. Next: billclose --home {home} close BUNDLE",
        *(sentence for sentence in (room, slow) if sentence),
    )


def _room(home: Path) -> tuple[int | None, str, str]:
    """
    Return how many connections the database allows, what that means for a close, and what it
    means for finding customers that PostgreSQL lacks an extension.
    """
    from contextlib import closing

    from database.definitions.making import EXTENSION, lacks_trigrams
    from office.home import open_database
    from office.settings.settings import open_settings

    with closing(open_database(home, open_settings(home))) as books:
        allowed = books.connections_allowed()
        with books.reading() as reading:
            lacks = lacks_trigrams(reading)
    if allowed is None:
        return None, "", ""
    said = f"A close needs {A_CLOSE_NEEDS} connections to PostgreSQL; it allows {allowed:,}"
    if allowed < A_CLOSE_NEEDS:
        said += ": raise the connection limit of the user of database.url before the first close"
    slow = (
        f"This PostgreSQL has no {EXTENSION}: a customer is found by reading every text, which a "
        f"large city notices. Its administrator may run `CREATE EXTENSION {EXTENSION}`; "
        "then run `billclose init` again."
    )
    return allowed, f"{said}.", slow if lacks else ""


def prepare_home(
    home: Path, *, rehearsal: bool = False, backup: Path | None = None, is_restored: bool = False
) -> tuple[str, bool, str | None]:
    """
    Make a home, or bring an old one up to date; return its schema, whether it is new, and the
    schema that it had where that was an earlier one.

    Settings that are there stay as they are: an office's own home never becomes one for
    rehearsals. Raises Misuse where the home cannot be written, its database is another program's
    or a newer one's, or where an earlier one's is not restored just now and no `backup` is named.
    """
    from database.migrating import Upgrade, migrate, needs_carrying
    from office.home import open_database, require_home
    from office.identity import person
    from office.secrets.files import make_secret
    from office.secrets.prefect_access import make_auth
    from office.settings.settings import FILE, commented_file, open_settings

    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise Misuse(f"The home {home} cannot be made: {fault.strerror}.", "home") from None
    require_home(home)
    settings_file = home / FILE
    new = not settings_file.exists()
    if new:
        settings_file.touch(mode=0o600)
        text = commented_file()
        if rehearsal:
            text = text.replace("#rehearsal = false", "rehearsal = true")
        settings_file.write_text(text, encoding="utf-8")
    make_secret(home)
    make_auth(home)
    settings = open_settings(home)
    if rehearsal and not settings.clock.rehearsal:
        raise Misuse(
            f"{settings_file} is there and says nothing of clock.rehearsal; make a home for "
            "rehearsals in another folder.",
            "no-rehearsal",
        )
    if not settings.database.url:
        (home / "billclose.db").touch(mode=0o600)
    database = open_database(home, settings)
    try:
        earlier = needs_carrying(database)
        if earlier and not is_restored:
            _back_up(home, settings, database, backup)
        upgrade = Upgrade(person(), wall_clock(), backup.name if backup else "")
        return migrate(database, upgrade=upgrade), new, earlier
    finally:
        database.close()


def _back_up(home: Path, settings: Settings, database: Database, backup: Path | None) -> None:
    """Write all that there is into a file before older books are brought up to date."""
    from contextlib import closing

    from database.migrating import require_schema
    from office.clock import Clock
    from office.equipment.office import Office
    from office.identity import person
    from office.procedures.backup import back_up

    if backup is None:
        require_schema(database)  # which says what to do
        return
    office = Office(home, settings, Clock(wall_clock), person())
    with closing(office.database):
        back_up(office, backup, office.due_now())
