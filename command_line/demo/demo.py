"""`billclose demo`: an invented city closes its month."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from command_line.options import json_option, open_office
from domain.failures import Misuse

if TYPE_CHECKING:
    from command_line.demo.customers import DemoCustomer
    from office.equipment.office import Office


MARK = ".demo"  # says that a home was made by the demo and may be made anew
PERIOD = "2026-10"
AS_OF = datetime(2026, 11, 2, 9)  # noqa: DTZ001  local time of the city: the first business day


@click.command()
@click.option("--accounts", default=500, show_default=True, type=click.IntRange(20, 200_000))
@json_option
@click.pass_context
def demo(context: click.Context, accounts: int, as_json: bool) -> int:
    """Make a city of some 500 accounts in a new home, close its month, say where to look.

    Without --home the new home is demo-home in this folder.
    """
    from command_line.commands.close import run_close
    from command_line.commands.init import prepare_home
    from command_line.demo.customers import register_customers
    from command_line.demo.export import write_demo_city
    from command_line.demo.staff import register_staff

    is_told = context.find_root().get_parameter_source("home") is not ParameterSource.DEFAULT
    place: Path = context.obj if is_told else Path("demo-home").absolute()
    _clear(place)
    prepare_home(place, rehearsal=True)
    (place / MARK).touch()
    click.echo(f"An invented city of {accounts:,} accounts closes {PERIOD} in {place}.", err=True)
    bundle = write_demo_city(place / "export", accounts=accounts, period=PERIOD)
    click.echo(f"  ✓ its billing system's export    {bundle}", err=True)

    office = open_office(place, AS_OF)
    status = run_close(office, PERIOD, str(bundle.resolve()), as_json=as_json)
    office = open_office(place, AS_OF)
    people = (*register_customers(office), *register_staff(office))
    click.echo(_where_to_look(office, place, people), err=as_json)
    return status


def _clear(place: Path) -> None:
    """Remove an earlier demo; a home that is an office's own stays untouched."""
    if not place.exists() or not any(place.iterdir()):
        return
    if not (place / MARK).exists():
        raise Misuse(f"{place} is not empty and no demo's home; give another --home.", "home")
    shutil.rmtree(place)


def _where_to_look(office: Office, place: Path, people: tuple[DemoCustomer, ...]) -> str:
    """Name the six places at which a newcomer sees what a close is."""
    import sqlalchemy as sa

    from command_line.demo.customers import PASSWORD
    from database.tables import bill

    with office.database.reading() as books:
        pdf = books.execute(
            sa.select(bill.c.pdf).order_by(bill.c.pages.desc(), bill.c.account_key).limit(1)
        ).scalar_one()
    mails = sorted((place / "mail").glob("*.eml"))
    batches = sorted((place / "print").rglob("*.pdf"))
    places = [
        ("the report", place / "reports" / f"close-{PERIOD}.html"),
        ("a bill", place / "bills" / pdf),
        (f"one of {len(mails)} mails", mails[0] if mails else "-"),
        ("the print batch", batches[0] if batches else "-"),
        ("every step", f"{office.command} up    (the Prefect UI)"),
        ("the portal", f"{office.command} web --as-of 2026-11-03T09:00"),
        ("office, console", "there at /office and /csr"),
    ]
    lines = [f"  {name:18} {where}" for name, where in places]
    signs_in = [f"  {'':18} as {one.what}: {one.address}" for one in people]
    if people:
        signs_in.append(f"  {'':18} password: {PASSWORD}")
    more = f"  and: {office.command} list scheduled-payments"
    return "\n".join(["", "Where to look:", *lines, *signs_in, more])
