"""A process is killed in the midst of making or settling a plan: all of it is done, or nothing."""

from __future__ import annotations

import signal

import pytest
import sqlalchemy as sa

from database.definitions.arrangements import arrangement, arrangement_installment
from database.tables import audit
from tests.payments.arrangements.plan_process import die_in
from tests.payments.arrangements.test_arranging import make_town, night, plan, state


@pytest.mark.parametrize("before", ["INSERT INTO arrangement_installment", "COMMIT"])
def test_a_plan_that_is_killed_while_it_is_made_leaves_nothing_and_is_made_anew(database, before):
    make_town(database)

    end = die_in("make", url_of(database), before)
    left = rows(database)
    plan(database)

    assert (-signal.SIGKILL, (0, 0, 0)) == (end, left)
    assert (1, 4, 1) == rows(database)


@pytest.mark.parametrize("before", ["INSERT INTO audit", "COMMIT"])
def test_a_night_that_is_killed_leaves_the_plan_to_the_next_which_breaks_it_once(database, before):
    make_town(database)
    plan(database)

    end = die_in("settle", url_of(database), before)
    left = (state(database), missed(database))
    nights = [night(database, "2026-12-09").broken for _ in range(2)]

    assert (-signal.SIGKILL, ("in-force", 0)) == (end, left)
    assert [["01.1037.1"], []] == nights
    assert ("broken", 1) == (state(database), missed(database))


def url_of(database):
    return database.engine.url.render_as_string(hide_password=False)


def rows(database):
    with database.reading() as books:
        tables = (arrangement, arrangement_installment)
        counted = [books.scalar(sa.select(sa.func.count()).select_from(one)) for one in tables]
        made = sa.select(sa.func.count()).where(audit.c.action == "arrange payments")
        return (*counted, books.scalar(made))


def missed(database):
    found = sa.select(sa.func.count()).where(audit.c.action == "arrangement missed")
    with database.reading() as books:
        return books.scalar(found)
