"""What people call the troubles: each in words, and where it is put right."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployments.calendar import calendar
from domain.troubles import (
    SUBJECTS,
    TITLES,
    TroublePage,
    page_of_trouble,
    say_trouble,
    say_work,
)
from office.health.work import NIGHTLY
from office.settings.settings import Settings
from web.staff_routes import office_routes

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook"
PERIOD = "2026-11"


def test_every_page_of_the_runbook_is_headed_by_the_name_of_its_trouble():
    heads = {
        page.stem: page.read_text().partition("\n")[0].removeprefix("# ")
        for page in RUNBOOK.glob("*.md")
        if page.stem != "README"
    }

    assert heads == TITLES
    assert set(heads) == set(SUBJECTS)


def test_what_goes_by_itself_or_is_started_has_words():
    names = {*NIGHTLY, *(one.name for one in calendar(Settings()))}

    assert [] == sorted(one for one in names if one == say_work(one) or "-" in say_work(one))


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("close-forgotten/2026-11", "A period could be closed and is not: 2026-11"),
        ("disk-nearly-full/temp", "A disk is nearly full: temporary files"),
        ("work-missed/collect-autopay", "A nightly command has not run: the drawing of autopay"),
        ("service-down/cash-receipting", "Cash receipting does not answer"),
        ("clock-off", "The clock of the machine is off"),
        ("new-thing/of-ours", "new thing: of-ours"),
    ],
)
def test_a_condition_is_told_in_words(condition, said):
    assert said == say_trouble(condition)


def test_a_page_where_a_trouble_is_put_right_is_one_of_the_office():
    known = {route.path.replace("{period}", PERIOD) for route in office_routes()}
    names = [f"{kind}/{PERIOD}" for kind in TITLES] + [f"work-missed/{one}" for one in NIGHTLY]
    pages = [page for page in map(page_of_trouble, names) if page]

    assert 14 <= len(pages)
    assert [] == [page.path for page in pages if page.path.partition("?")[0] not in known]


def test_the_page_of_a_period_names_it():
    page = TroublePage("/office/payments/schedule/2026-11", "Schedule the autopay of 2026-11")

    assert page == page_of_trouble("schedule-forgotten/2026-11")


def test_no_sentence_of_the_health_has_a_time_that_the_office_has_to_convert():
    places = (RUNBOOK.parents[1] / "office" / "health").glob("*.py")

    assert [] == [place.name for place in places if "%M} UTC" in place.read_text()]
