"""The first of the month at a browser: a clerk closes October, and a supervisor says yes."""

from __future__ import annotations

import os
import time
import zipfile
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from command_line.options import wall_clock
from database.runs import find_run
from database.tables import audit, delivery
from domain.identity import Role
from domain.runs import RunState
from office.clock import Clock
from office.equipment.office import Office
from office.settings.close import WebSettings
from office.settings.settings import open_settings
from tests.browser.portal.conftest import DESKTOP, PHONE, Portal, _served
from tests.flows.desk import AS_OF, at_server
from tests.flows.fixtures import prepared, server
from tests.flows.town import MISPRINTED, TOWN, write_town
from tests.forked import forks, load_before_forks
from tests.mail.real_servers import free_port
from tests.web.customers.conftest import PASSWORD
from tests.web.office.begun_work import arguments_of
from web.desk import desk_of
from web.office.begun import close_work
from web.office.begun.close_work import is_going_on, newest_work

__all__ = ["prepared", "server"]
load_before_forks("tests.scenarios.warmed_up", closes=True)
PERIOD, ACCOUNT = "2026-10", "01.1001.1"
PLACE = f"/office/close/{PERIOD}"
LONGEST = 400  # seconds: a close in a process of its own, on a machine that has other things to do


@pytest.fixture
def portal(prepared, server, tmp_path, monkeypatch):
    """An office with empty books on its web pages, whose closes run in processes of their own."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    start(os.getpid)  # loads what the others are forked with, for which nobody waits at a page
    started = SimpleNamespace(Popen=forked, DEVNULL=None)
    monkeypatch.setattr(close_work, "subprocess", started)
    home = prepared.copied(tmp_path / "office").home
    port = free_port()
    url = f"http://localhost:{port}"
    web = WebSettings(url=url, staff_totp=False)
    settings = open_settings(home).model_copy(update={"web": web})
    clock = Clock(wall_clock, datetime.fromisoformat(AS_OF))
    office = Office(home, settings, clock, "web desk")
    with _served(desk_of(office), port):
        yield Portal(office, url)
    office.database.close()


def forked(words, stdout, **_):
    """Start what a page begins by a fork of what has loaded a close, which takes long."""
    start(_work, arguments_of(words), dict(os.environ), stdout.name)


def start(do, *arguments):
    forks(closes=True).Process(target=do, args=arguments).start()


def _work(words, environment, log):
    os.environ.update(environment)
    with Path(log).open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    with at_server(environment["PREFECT_API_URL"]):
        close_work.work(*words)


# A story whose every act has a test of its own: the work that pages begin in web/office/test_close,
# what the pages look like meanwhile in test_month_pages and test_four_eyes.
@pytest.mark.release
def test_an_export_is_refused_corrected_rehearsed_and_closed_with_a_bill_held_and_released(
    portal, staff, tmp_path
):
    clerk, supervisor = staff(Role.CLERK, DESKTOP), staff(Role.SUPERVISOR, PHONE)

    upload(clerk, zipped(write_town(tmp_path / "misprinted", MISPRINTED), "october.zip"))
    begin(clerk, "Rehearse", "october.zip")
    ended(clerk)
    clerk.see("The rehearsal is refused")
    clerk.see("bill-amount")
    clerk.see("01.1002.2")
    clerk.look("month-refused")
    assert find_run(portal.office.database, PERIOD) is None

    upload(clerk, zipped(write_town(tmp_path / "corrected", TOWN), "october-again.zip"))
    begin(clerk, "Rehearse", "october-again.zip")
    ended(clerk)
    clerk.see("Rehearsed: these figures are what a close would bring.")
    clerk.look("month-rehearsed")
    assert find_run(portal.office.database, PERIOD) is None

    begin(clerk, "Close the period", "october-again.zip")
    clerk.go("about:blank")
    wait(portal.office)
    for person, role in ((clerk, Role.CLERK), (supervisor, Role.SUPERVISOR)):
        sign_in_again(person, role)  # the rehearsed clock moved to the zone of the first export
    clerk.open(PLACE)
    clerk.see("It waits for the yes of a supervisor.")
    clerk.look("month-waits")
    assert RunState.WAITING is find_run(portal.office.database, PERIOD).state

    clerk.open(f"/office/customers/{ACCOUNT}")
    clerk.write(Reason="The meter was read twice")
    clerk.press("Hold this bill")
    clerk.see("The bill is held back.")
    clerk.look("month-held")

    supervisor.open(PLACE)
    supervisor.look("month-decision")
    supervisor.press("Approve")
    ended(supervisor)
    supervisor.see("The period is finished.")
    supervisor.look("month-closed")
    assert "ann.abbott@example.com" not in mailed(portal)
    assert "eve.ellis@example.com" in mailed(portal)

    clerk.open("/office/outsorted")
    clerk.see("The meter was read twice")
    clerk.open(f"/office/customers/{ACCOUNT}")
    clerk.press("Release")
    clerk.see("The bill is released.")
    clerk.look("month-released")
    clerk.open("/office/outsorted")
    clerk.see("No bill is held back.")
    assert [
        ("begin rehearsal", "clerk 1"),
        ("begin rehearsal", "clerk 1"),
        ("begin close", "clerk 1"),
        ("outsort bill", "clerk 1"),
        ("approve", "supervisor 2"),
        ("begin close", "supervisor 2"),  # which goes on behind the yes
        ("release bill", "clerk 1"),
    ] == acts(portal)


def zipped(folder, name):
    file = folder.parent / name
    with zipfile.ZipFile(file, "w") as archive:
        for one in folder.iterdir():
            archive.write(one, one.name)
    return file


def upload(person, file):
    person.open("/office/close")
    person.page.get_by_label("Upload a billing export (.zip)").set_input_files(file)
    person.press("Upload")
    person.see("The export is here")


def begin(person, button, name):
    """Press a button of the export that the page has chosen, and see that it is the one meant."""
    person.open("/office/close")
    chosen = person.page.locator("#export option:checked").inner_text()
    assert f"{PERIOD}: Town of Larkspur, {name}, uploaded 2026-11-02 " in chosen
    assert chosen.endswith("by clerk 1")
    person.press(button)
    person.see(f"Close of {PERIOD}")


def ended(person):
    """Wait until what was begun has ended, by the books, and the page shows it by itself."""
    wait(person.portal.office)
    person.page.get_by_text("is going on, begun by").wait_for(state="detached")
    person.page.wait_for_load_state()


def wait(office):
    until = time.monotonic() + LONGEST
    while is_going_on(newest_work(office, PERIOD), office.due_now()):
        log = office.home / "logs" / "office-pages.log"
        assert time.monotonic() < until, log.read_text()[-2_000:]
        time.sleep(0.2)


def sign_in_again(person, role):
    person.page.context.clear_cookies()
    person.open("/office/sign-in")
    person.write(Email_address=f"{role}@larkspur.example", Password=PASSWORD)
    person.press("Sign in")
    person.see(f"Signed in as {role}")


def mailed(portal):
    with portal.office.database.reading() as books:
        return set(books.scalars(sa.select(delivery.c.address)))


def acts(portal):
    """Return what the people did about the close, in order."""
    done = ("begin rehearsal", "begin close", "approve", "outsort bill", "release bill")
    query = sa.select(audit.c.action, audit.c.who).where(audit.c.action.in_(done))
    with portal.office.database.reading() as books:
        return [(row.action, row.who) for row in books.execute(query.order_by(audit.c.id))]
