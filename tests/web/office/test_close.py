"""The close in a browser: an export chosen or uploaded, rehearsed, closed, approved or refused."""

from __future__ import annotations

import io
import re
import shutil
import time
import zipfile
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from command_line.options import wall_clock
from database.definitions.desk import desk_work
from database.runs import find_run
from database.tables import audit, period_close, waiver
from domain.desk_work import WorkKind, WorkState
from domain.identity import Role
from office.clock import Clock
from office.equipment.office import Office
from office.settings.settings import open_settings
from tests.flows.desk import AS_OF, Desk
from tests.flows.fixtures import prepared, server, town
from tests.flows.town import MISPRINTED, write_town
from tests.web.customers.conftest import PASSWORD
from tests.web.office import begun_work
from tests.web.office.begun_work import held_back
from tests.web.office.conftest import TRIAL
from web.office.begun.close_work import is_going_on, newest_work

__all__ = ["prepared", "server", "town"]
PERIOD = "2026-10"
LONGEST = 400  # seconds


@pytest.fixture
def office(prepared, server, town, tmp_path, monkeypatch):
    """A home with empty books in which October's export lies, beside a Prefect server."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    home = prepared.copied(tmp_path / "office").home
    shutil.copytree(town, home / "exports" / "larkspur")
    settings = open_settings(home).model_copy(update={"web": TRIAL})
    made = Office(home, settings, Clock(wall_clock, datetime.fromisoformat(AS_OF)), "web desk")
    yield made
    made.database.close()


@pytest.fixture
def here(monkeypatch, server):
    """
    From when it is called: do in this process, once it is waited for, what a page begins.

    A process of its own loads for as long as three closes take; one of them shows that it starts.
    """
    kept = []

    def start_here():
        kept.append(held_back(monkeypatch))

    start_here.carry_out = lambda: begun_work.carry_out(kept[-1], server)
    start_here.begun = lambda: kept[-1]
    return start_here


def test_a_close_is_rehearsed_begun_by_a_clerk_and_approved_by_a_supervisor(
    office, signed_in, here
):
    clerk, supervisor = signed_in(Role.CLERK), signed_in(Role.SUPERVISOR)
    page = clerk.get("/office/close").text
    assert ["exports/larkspur"] == re.findall(r'<option value="([^"]*)"', page)
    for name in ('for="export">Billing export<', ">Rehearse<", ">Close the period<"):
        assert name in page

    begun = clerk.post("/office/close/rehearse", export="exports/larkspur")

    assert f"/office/close/{PERIOD}" == begun.headers["location"]
    rehearsed = waited(office)
    assert (WorkState.DONE, "clerk 1") == (rehearsed.state, rehearsed.who), rehearsed.sentence
    assert find_run(office.database, PERIOD) is None
    page = clerk.get(f"/office/close/{PERIOD}").text
    assert "Rehearsed: these figures are what a close would bring." in page
    assert re.search(r"<dt>Closing balance</dt><dd>-?\$[\d,]+\.\d\d</dd>", page)
    assert 'Negative bill <code class="soft">negative-bill</code>' in page

    here()
    clerk.post("/office/close/begin", export="exports/larkspur")

    here.carry_out()
    assert WorkState.WAITING is waited(office).state
    for browser, role in ((clerk, Role.CLERK), (supervisor, Role.SUPERVISOR)):
        sign_in_again(browser, role)  # the rehearsed clock moved to the zone of the first export
    assert f'<a href="/office/close/{PERIOD}">{PERIOD}</a>' in clerk.get("/office/close").text
    page = clerk.get(f"/office/close/{PERIOD}").text
    assert ">Approve<" not in page
    assert 403 == clerk.post(f"/office/close/{PERIOD}/approve").status_code
    page = supervisor.get(f"/office/close/{PERIOD}").text
    digest = re.search(r'name="digest" value="([0-9a-f]+)"', page)[1]

    without = supervisor.post(f"/office/close/{PERIOD}/refuse", digest=digest)
    stale = supervisor.post(f"/office/close/{PERIOD}/approve", digest="0" * 64)
    assert (422, True) == (without.status_code, "A refusal needs a reason" in without.text)
    assert (422, True) == (stale.status_code, "The figures have changed" in stale.text)
    supervisor.get(f"/office/close/{PERIOD}")
    refused = supervisor.post(f"/office/close/{PERIOD}/refuse", digest=digest, reason="too early")
    assert 303 == refused.status_code
    assert "refused" == find_run(office.database, PERIOD).state

    supervisor.get(f"/office/close/{PERIOD}")
    for _ in range(2):  # pressed twice, or in two tabs
        supervisor.post(f"/office/close/{PERIOD}/approve", digest=digest)

    assert 1 == len(here.begun())
    late = clerk.post("/office/close/begin", period=PERIOD)  # while that goes on
    told = clerk.get(late.headers["location"]).text
    assert "What you pressed was not begun: the close of supervisor 2 goes on." in told
    assert 1 == len(here.begun())
    here.carry_out()
    assert WorkState.DONE is waited(office).state
    note_refused_close(office)  # as one that was begun beside a command is
    assert " is refused" not in clerk.get(f"/office/close/{PERIOD}").text
    with office.database.reading() as books:
        assert 1 == books.scalar(sa.select(sa.func.count()).select_from(period_close))
        acts = books.execute(sa.select(audit.c.action, audit.c.who).order_by(audit.c.id)).all()
    assert ("begin rehearsal", "clerk 1") in acts
    assert ("refuse approval", "supervisor 2") in acts
    assert ("approve", "supervisor 2") in acts
    assert ">Close the period<" not in clerk.get(f"/office/close/{PERIOD}").text


def test_an_export_is_uploaded_by_whoever_may_close_and_only_if_it_is_one(office, town, signed_in):
    clerk, auditor = signed_in(Role.CLERK), signed_in(Role.AUDITOR)
    page = clerk.get("/office/close").text
    auditor.get("/office/close")

    answers = [
        upload(clerk, zipped(town)),
        upload(clerk, b"PK no archive"),
        upload(clerk, b""),
        upload(auditor, zipped(town)),
        upload(clerk, zipped(town), csrf="wrong"),
    ]

    assert page.count("<option") == 1
    assert [303, 422, 422, 403, 403] == [answer.status_code for answer in answers]
    assert str(office.home) not in answers[1].text
    kept = list((office.home / "uploads").iterdir())
    assert [".zip"] == [file.suffix for file in kept]
    assert 0o600 == kept[0].stat().st_mode & 0o777
    assert 2 == clerk.get("/office/close").text.count("<option")


@pytest.mark.parametrize("path", ["../elsewhere", "/etc", "exports/larkspur/../larkspur", ""])
def test_nothing_is_begun_for_a_path_that_the_page_does_not_offer(office, signed_in, path):
    clerk = signed_in(Role.CLERK)
    clerk.get("/office/close")

    answer = clerk.post("/office/close/begin", export=path)

    assert (422, True) == (answer.status_code, "Choose a billing export" in answer.text)
    with office.database.reading() as books:
        assert 0 == books.scalar(sa.select(sa.func.count()).select_from(desk_work))


def test_work_whose_process_never_came_or_is_gone_has_stopped(office, signed_in):
    clerk = signed_in(Role.CLERK)
    now = office.due_now()
    with office.database.writing() as books:
        books.execute(
            desk_work.insert().values(
                key="1", kind=WorkKind.CLOSE, period=PERIOD, bundle="", who="clerk 1",
                state=WorkState.BEGUN, began_at=datetime.fromisoformat("2026-11-01T00:00+00:00"),
            )
        )  # fmt: skip

    assert not is_going_on(newest_work(office, PERIOD), now)
    assert "The close stopped." in clerk.get(f"/office/close/{PERIOD}").text


def test_a_close_that_stuck_postings_refuse_leads_to_the_page_that_posts_them(office, signed_in):
    """Rule 87: whoever closes on these pages may have no terminal for what the sentence says."""
    clerk = signed_in(Role.CLERK)
    note_refused_close(office, code="postings-stuck")

    page = clerk.get(f"/office/close/{PERIOD}").text

    assert '<a href="/office/payments/pending">Payments, Pending, Retry now</a>' in page


def note_refused_close(office, code: str = "locked") -> None:
    with office.database.writing() as books:
        books.execute(
            desk_work.insert().values(
                key="2", kind=WorkKind.CLOSE, period=PERIOD, bundle="", who="supervisor 2",
                state=WorkState.REFUSED, began_at=office.due_now() + timedelta(seconds=1),
                code=code, sentence="Somebody else works on it.",
            )
        )  # fmt: skip


def waited(office):
    """Wait until the newest work has ended."""
    until = time.monotonic() + LONGEST
    while (row := newest_work(office, PERIOD)).state is WorkState.BEGUN:
        log = office.home / "logs" / "office-pages.log"
        assert time.monotonic() < until, log.read_text()[-2_000:]
        time.sleep(0.2)
    return row


def sign_in_again(browser, role: Role) -> None:
    fields = {"email": f"{role}@larkspur.example", "password": PASSWORD}
    assert 303 == browser.send("/office/sign-in", **fields).status_code


def upload(browser, content: bytes, csrf: str = ""):
    files = {"file": ("october.zip", content, "application/zip")}
    return browser.ask_with_files("/office/close/upload", {"csrf": csrf or browser.token}, files)


def zipped(folder) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    return content.getvalue()


def test_a_check_that_stops_the_close_is_waived_with_the_yes(
    prepared, server, tmp_path, signed_in_at, here, monkeypatch
):
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    desk = Desk(prepared.copied(tmp_path / "office").home, server.environment)
    assert 3 == desk.close(write_town(tmp_path / "misprinted", MISPRINTED)).status
    settings = open_settings(desk.home).model_copy(update={"web": TRIAL})
    office = Office(desk.home, settings, Clock(wall_clock, datetime.fromisoformat(AS_OF)), "desk")
    supervisor = signed_in_at(office, Role.SUPERVISOR, "a")
    page = supervisor.get(f"/office/close/{PERIOD}").text
    digest = re.search(r'name="digest" value="([0-9a-f]+)"', page)[1]
    asked = {"digest": digest, "waive-bill-amount": "yes"}
    here()

    without = supervisor.post(f"/office/close/{PERIOD}/approve", **asked)
    done = supervisor.post(f"/office/close/{PERIOD}/approve", **asked, reason="one cent")

    assert 'name="waive-bill-amount"' in page and 'name="waive-page' not in page
    assert "/office/exceptions/findings/decide?key=2026-10/bill-amount/" in page
    assert (422, True) == (without.status_code, "it is audited." in without.text)
    assert 303 == done.status_code
    with office.database.reading() as books:
        assert [("bill-amount", "one cent")] == [
            (row.check_name, row.reason) for row in books.execute(sa.select(waiver))
        ]
