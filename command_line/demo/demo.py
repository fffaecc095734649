"""`billclose demo`: an invented city closes its month and lives on."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
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
STORY = 4  # days after the close until a draw was returned, and the answer to another one is lost


@click.command()
@click.option("--accounts", default=500, show_default=True, type=click.IntRange(20, 200_000))
@click.option(
    "--days",
    default=STORY,
    show_default=True,
    type=click.IntRange(0, 60),
    help="How many days to live after the close, by a clock that runs fast.",
)
@json_option
@click.pass_context
def demo(context: click.Context, accounts: int, days: int, as_json: bool) -> int:
    """Make a city of some 500 accounts in a new home, close its month, say where to look.

    Without --home the new home is demo-home in this folder. After the close it lives some days,
    30 of them with --days 30: the feed comes in, payments are drawn and returned, mails leave.
    """
    from command_line.commands.init import prepare_home
    from command_line.demo.customers import register_customers
    from command_line.demo.export import UTILITY, write_demo_city
    from command_line.demo.month import beside_one_server, live
    from command_line.demo.staff import register_staff

    is_told = context.find_root().get_parameter_source("home") is not ParameterSource.DEFAULT
    place: Path = context.obj if is_told else Path("demo-home").absolute()
    _clear(place)
    prepare_home(place, rehearsal=True)
    (place / MARK).touch()
    _set_up(place)
    click.echo(f"An invented city of {accounts:,} accounts closes {PERIOD} in {place}.", err=True)
    with beside_one_server(place) as server:
        bundle = write_demo_city(place / "export", accounts=accounts, period=PERIOD)
        click.echo(f"  ✓ its billing system's export    {bundle}", err=True)
        server.wait_until_ready()
        status = _close(place, bundle, as_json=as_json)
        office = open_office(place, AS_OF)
        people = (*register_customers(office), *register_staff(office))
        live(place, UTILITY, AS_OF, days, lambda line: click.echo(line, err=True))
    office = open_office(place, AS_OF + timedelta(days=days))
    click.echo(_where_to_look(office, place, people), err=as_json)
    return status


def _clear(place: Path) -> None:
    """Remove an earlier demo; a home that is an office's own stays untouched."""
    if not place.exists() or not any(place.iterdir()):
        return
    if not (place / MARK).exists():
        raise Misuse(f"{place} is not empty and no demo's home; give another --home.", "home")
    shutil.rmtree(place)


def _set_up(place: Path) -> None:
    """Say in the settings where the feed and the mails that come back are."""
    from command_line.demo.city_hall import FEED
    from command_line.demo.month import make_mailbox
    from office.settings.rewriting import with_value
    from office.settings.settings import FILE

    file = place / FILE
    text = with_value(file.read_text(encoding="utf-8"), "feed", "folder", FEED, '""')
    mailbox = f"maildir:{make_mailbox(place)}"
    file.write_text(with_value(text, "bounces", "source", mailbox, '""'), encoding="utf-8")


def _close(place: Path, bundle: Path, *, as_json: bool) -> int:
    """Stage the export, hold the bill of a meter that was misread back, close all the others."""
    from billing_system.importing import import_export
    from command_line.commands.close import run_close
    from office.equipment.locking import working_on
    from office.procedures.outsorting import hold_back

    office = open_office(place, AS_OF)
    export = office.billing_system.read_export(bundle.resolve())
    with working_on(office, PERIOD):
        import_export(
            office.database,
            export,
            exports_folder=office.exports_folder,
            now=office.clock.now(export.utility.timezone),
            who=office.who,
        )
    if held := _leaking_account(office):
        hold_back(office, held, PERIOD, "the meter is read again")
        click.echo(f"  ✓ the bill of {held} waits: its meter is read again", err=True)
    return run_close(open_office(place, AS_OF), PERIOD, str(bundle.resolve()), as_json=as_json)


def _leaking_account(office: Office) -> str:
    """Return the account whose water runs; empty in a city that is too small for one."""
    import sqlalchemy as sa

    from command_line.demo.households import LEAKING, account_number
    from database.tables import account

    number = account_number(LEAKING)
    with office.database.reading() as books:
        known = books.scalar(sa.select(account.c.account).where(account.c.account == number))
    return known or ""


def _where_to_look(office: Office, place: Path, people: tuple[DemoCustomer, ...]) -> str:
    """Name the six places at which a newcomer sees what a close is, and what waits for a person."""
    import sqlalchemy as sa

    from command_line.demo.customers import PASSWORD
    from database.tables import bill

    with office.database.reading() as books:
        pdf = books.execute(
            sa.select(bill.c.pdf).order_by(bill.c.pages.desc(), bill.c.account_key).limit(1)
        ).scalar_one()
    mails = sorted((place / "mail").glob("*.eml"), key=lambda file: file.name[:5] != "bill-")
    batches = sorted((place / "print").rglob("*.pdf"), key=lambda file: (len(file.parts), file))
    now = office.local_today()
    places = [
        ("the report", place / "reports" / f"close-{PERIOD}.html"),
        ("a bill", place / "bills" / pdf),
        (f"one of {len(mails):,} mails", mails[0] if mails else "-"),
        ("the print batch", batches[0] if batches else "-"),
        ("every step", f"{office.command} up    (the Prefect UI)"),
        ("the portal", f"{office.command} web --as-of {now}T12:00    (office at /office and /csr)"),
    ]
    lines = [f"  {name:18} {where}" for name, where in places]
    signs_in = [f"  {'':18} as {one.what}: {one.address}" for one in people]
    if people:
        signs_in.append(f"  {'':18} password: {PASSWORD}")
    waits = [f"  {count:<3}{what:38} {command}" for count, what, command in _waiting(office)]
    told = ["", "What waits for a person:", *waits] if waits else []
    more = f"  and: {office.command} list scheduled-payments"
    return "\n".join(["", "Where to look:", *lines, *signs_in, more, *told])


def _waiting(office: Office) -> list[tuple[int, str, str]]:
    """Count what a person looks at, where there is any, with the command that shows it."""
    import sqlalchemy as sa

    from database.tables import bounce, gateway_payment, outsorted_bill
    from domain.payments import PaymentState

    def of(state: PaymentState) -> sa.ColumnElement[bool]:
        return gateway_payment.c.state == state

    kinds = (
        ("bill held back", outsorted_bill, outsorted_bill.c.released_at.is_(None), "outsorted"),
        ("payment returned by the bank", gateway_payment, of(PaymentState.RETURNED), "exceptions"),
        ("payment without an answer", gateway_payment, of(PaymentState.UNKNOWN), ""),
        ("mail that came back", bounce, sa.true(), "bounces"),
    )
    found = []
    with office.database.reading() as books:
        for what, table, where, listed in kinds:
            count = books.scalar(sa.select(sa.func.count()).select_from(table).where(where)) or 0
            shown = f"list {listed}" if listed else f"unknown --as-of {office.local_today()}T12:00"
            found += [(count, what, f"{office.command} {shown}")] if count else []
    return found
