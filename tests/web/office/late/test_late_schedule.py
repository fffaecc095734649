"""A schedule that comes late: rehearsed in the browser, its groups chosen, nobody else charged."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from datetime import datetime

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from command_line.commands.schedule_autopay import ask_for_groups
from command_line.options import wall_clock
from database.tables import audit, scheduled_payment
from domain.desk_work import SCHEDULES, WorkState
from domain.identity import Role
from office.clock import Clock
from office.equipment.office import Office
from office.procedures.closing.late_schedule import groups_to_choose
from office.settings.settings import open_settings
from tasks.group_choice import question
from tests.flows.fixtures import closed, prepared, server, town
from tests.web.office import begun_work
from tests.web.office.begun_work import held_back
from tests.web.office.conftest import TRIAL
from web.office.begun.close_work import newest_work

__all__ = ["closed", "prepared", "server", "town"]
PERIOD, LATE = "2026-10", "2026-11-18T09:00"
PAGE = f"/office/payments/schedule/{PERIOD}"


@pytest.fixture
def office(closed, server, tmp_path, monkeypatch):
    """An office that closed in time and forgot to schedule autopay, two weeks later."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    home = closed.copied(tmp_path / "office").home
    with contextlib.closing(sqlite3.connect(home / "billclose.db")) as books, books:
        books.execute("DELETE FROM gateway_payment")
        books.execute("DELETE FROM autopay_unscheduled")
    settings = open_settings(home).model_copy(update={"web": TRIAL})
    made = Office(home, settings, Clock(wall_clock, datetime.fromisoformat(LATE)), "web desk")
    yield made
    made.database.close()


@pytest.fixture
def carry_out(monkeypatch, server):
    """Do in this process, when it is called, what a page has begun."""
    begun = held_back(monkeypatch)
    return lambda: begun_work.carry_out(begun, server)


def scheduled(office) -> int:
    with office.database.reading() as books:
        return books.scalar(sa.select(sa.func.count()).select_from(scheduled_payment))


def schedule(browser, digest: str, *chosen: str):
    fields = {f"group-{name}": "yes" for name in chosen}
    return browser.post(f"{PAGE}/begin", digest=digest, **fields)


def digest_of(page: str) -> str:
    return re.search(r'name="digest" value="(\w*)"', page)[1]


def test_of_a_late_schedule_the_groups_are_shown_and_the_chosen_ones_alone_are_taken(
    office, signed_in, carry_out
):
    clerk = signed_in(Role.CLERK)
    clerk.get(PAGE)
    without = schedule(clerk, "")
    clerk.get(PAGE)
    clerk.post(f"{PAGE}/rehearse")
    carry_out()
    page = clerk.get(PAGE).text

    assert (422, True) == (without.status_code, "Rehearse first" in without.text)
    assert "This schedule is late." in page
    assert ["group-immediate", "group-short-notice"] == re.findall(r'name="(group-[\w-]+)"', page)
    assert "checked" not in page
    assert "<strong>Charged today</strong>" in page
    assert 0 == scheduled(office)

    nobody = schedule(clerk, digest_of(page))
    clerk.get(PAGE)
    stale = schedule(clerk, "0" * 64, "immediate")
    clerk.get(PAGE)
    taken = schedule(clerk, digest_of(page), "immediate")
    carry_out()
    row = newest_work(office, PERIOD, SCHEDULES)

    assert (422, True) == (nobody.status_code, "Choose at least one group" in nobody.text)
    assert (422, True) == (stale.status_code, "rehearsed again meanwhile" in stale.text)
    assert (303, WorkState.DONE) == (taken.status_code, row.state), row.sentence
    assert 0 < scheduled(office) < 3
    assert re.search("payments? (is|are) left out", clerk.get(PAGE).text)
    assert f">{PERIOD}</a>: " in clerk.get("/office/payments/schedule").text
    with office.database.reading() as books:
        acts = books.execute(
            sa.select(audit.c.who, audit.c.detail).where(audit.c.action == "begin schedule")
        ).all()
    assert [("clerk 1", True)] == [(one.who, '["immediate"]' in one.detail) for one in acts]


def test_of_the_same_books_command_prefect_and_page_ask_the_same(office, signed_in, carry_out):
    """Ruling 21: the same answer by every door."""
    clerk = signed_in(Role.CLERK)
    clerk.get(PAGE)
    clerk.post(f"{PAGE}/rehearse")
    carry_out()

    by_page = asked_in(re.sub("<[^>]+>", "", clerk.get(PAGE).text))
    by_prefect = asked_in(question(PERIOD, groups_to_choose(office, PERIOD)))
    with CliRunner().isolation(input="none\n") as (_, said, _):
        answer = ask_for_groups(office, PERIOD)
    by_command = asked_in(said.getvalue().decode())

    assert [] == answer
    assert ["immediate", "short-notice", "over-maximum"] == [name for name, _, _ in by_page]
    assert by_page == by_prefect == by_command
    assert 0 == scheduled(office)


def asked_in(text: str) -> list[tuple[str, str, str]]:
    """Find each group with its payments and their amount, however a door words it."""
    return re.findall(r"([a-z]+-?[a-z]+)\W+(\d+) (?:payments?,|of) \$([\d,.]+\d)", text)


def test_groups_that_changed_since_the_rehearsal_are_not_scheduled(office, signed_in, carry_out):
    clerk = signed_in(Role.CLERK)
    clerk.get(PAGE)
    clerk.post(f"{PAGE}/rehearse")
    carry_out()
    page = clerk.get(PAGE).text
    with office.database.writing() as books:
        books.execute(sa.text("UPDATE balance_due SET amount_due = amount_due + 100"))

    schedule(clerk, digest_of(page), "immediate", "short-notice")
    carry_out()

    assert "has changed since the rehearsal" in clerk.get(PAGE).text
    assert 0 == scheduled(office)
