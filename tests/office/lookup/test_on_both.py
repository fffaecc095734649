"""What clerks look up, on both databases: no query that only one of them takes."""

from __future__ import annotations

import pytest

from office.lookup.showing import show_account
from office.lookup.standing import read_standing
from office.lookup.why.explaining import explain_account
from office.procedures.lists import select_list
from reporting.lists.asking import ListRequest, column_names, narrowed
from reporting.lists.catalog import LISTS
from tests.builders import a_household, a_mandate, close_run, stage_run
from tests.office.health_builders import an_office_at

NUMBER = "01.1037.1"


@pytest.fixture
def office(database, tmp_path):
    stage_run(database, a_household(NUMBER, a_mandate(NUMBER), name="ABBOTT, ANN"))
    close_run(database)
    return an_office_at(tmp_path, database, "2026-11-03T09:00")


def test_show_why_and_status_answer(office):
    assert NUMBER == show_account(office, NUMBER).account
    assert explain_account(office, NUMBER).sentences
    assert read_standing(office).months


@pytest.mark.parametrize("what", LISTS)
def test_every_list_is_read_sorted_backwards_and_cut(office, what):
    listed = select_list(office, what)
    names = column_names(listed.subquery())

    with office.database.reading() as books:
        for name in names:
            request = ListRequest((), (f"-{name}",), 3)
            assert books.execute(narrowed(listed, LISTS[what].order, request)).all() is not None
