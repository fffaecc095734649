"""`billclose init`: a home with its settings and its database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.options import wall_clock
from domain.failures import Misuse

if TYPE_CHECKING:
    from database.books import Database


@click.command()
@click.pass_obj
def init(home: Path) -> None:
    """Write a commented billclose.toml, create or migrate the database."""
    revision, new = prepare_home(home)
    click.echo(f"{'Created' if new else 'Ready:'} office in {home} (schema {revision}).")
    click.echo(f"Settings: {home / 'billclose.toml'}. Next: billclose --home {home} close BUNDLE")


def prepare_home(home: Path) -> tuple[str, bool]:
    """
    Make a home or bring an old one up to date; return the schema and whether it is new.

    Settings that are there stay as they are. Raises Misuse where the home cannot be written.
    """
    from office.home import open_database, require_home
    from office.secrets.files import make_secret
    from office.secrets.prefect_access import make_auth
    from office.settings.settings import FILE, commented_file, read_settings

    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise Misuse(f"The home {home} cannot be made: {fault.strerror}.", "home") from None
    require_home(home)
    settings_file = home / FILE
    new = not settings_file.exists()
    if new:
        settings_file.touch(mode=0o600)
        settings_file.write_text(commented_file(), encoding="utf-8")
    make_secret(home)
    make_auth(home)
    settings = read_settings(home)
    if not settings.database.url:
        (home / "billclose.db").touch(mode=0o600)
    database = open_database(home, settings)
    try:
        return _migrate(database), new
    finally:
        database.close()


def _migrate(database: Database) -> str:
    """Bring the schema up to date; that of books in use is an act, and audited."""
    from database.audit import record_audit
    from database.migrating import migrate, revision_of
    from office.identity import person

    before = revision_of(database)
    revision = migrate(database)
    if before not in (None, revision):
        detail = f"schema {before} to {revision}"
        with database.writing() as books:
            record_audit(books, wall_clock(), person(), "migrate database", "database", detail)
    return revision
