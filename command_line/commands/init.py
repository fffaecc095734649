"""`billclose init`: a home with its settings and its database."""

from __future__ import annotations

from pathlib import Path

import click

from command_line.options import json_option, say_done
from domain.failures import Misuse

A_CLOSE_NEEDS = 4  # connections to PostgreSQL at a time


@click.command()
@click.option("--rehearsal", is_flag=True, help="For rehearsals and tests: --as-of acts in it.")
@json_option
@click.pass_obj
def init(home: Path, rehearsal: bool, as_json: bool) -> None:
    """Write a commented billclose.toml, create the database."""
    revision, new = prepare_home(home, rehearsal=rehearsal)
    allowed, room = _room(home)
    say_done(
        as_json,
        {"home": str(home), "created": new, "schema": revision, "connections": allowed},
        f"{'Created' if new else 'Ready:'} office in {home} (schema {revision}).",
        f"Settings: {home / 'billclose.toml'}. Next: billclose --home {home} close BUNDLE",
        *([room] if room else []),
    )


def _room(home: Path) -> tuple[int | None, str]:
    """Return how many connections the database allows, and what that means for a close."""
    from contextlib import closing

    from office.home import open_database
    from office.settings.settings import open_settings

    with closing(open_database(home, open_settings(home))) as books:
        allowed = books.connections_allowed()
    if allowed is None:
        return None, ""
    said = f"A close needs {A_CLOSE_NEEDS} connections to PostgreSQL; it allows {allowed:,}"
    if allowed < A_CLOSE_NEEDS:
        said += ": raise the connection limit of the user of database.url before the first close"
    return allowed, f"{said}."


def prepare_home(home: Path, *, rehearsal: bool = False) -> tuple[str, bool]:
    """
    Make a home, or look that an old one is of this state; return the schema and whether it is new.

    Settings that are there stay as they are: an office's own home never becomes one for
    rehearsals. Raises Misuse where the home cannot be written, or
    its database is another program's or of an earlier state.
    """
    from database.migrating import migrate
    from office.home import open_database, require_home
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
        return migrate(database), new
    finally:
        database.close()
