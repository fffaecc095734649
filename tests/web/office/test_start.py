"""The office's first page: what is wrong stands in red above everything else."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from database.tables import incident
from domain.identity import Role
from office.lookup.headline import read_headline
from tests.office.health_builders import an_office_at
from tests.web.office.conftest import TRIAL
from web.desk import desk_of

WRONG = "What is wrong"
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def red(page: str) -> str:
    """Return what stands in the red frame; empty where there is none."""
    _, begins, rest = page.partition('<section class="summary" aria-labelledby="troubles">')
    return rest.partition("</section>")[0] if begins else ""


class TestInDecember:
    """November is over and nobody has closed it."""

    @pytest.fixture
    def desk(self, office):
        later = an_office_at(office.home, office.database, "2026-12-20T09:00", web=TRIAL)
        return desk_of(later)

    def test_a_close_that_was_forgotten_is_red_on_the_first_page_rule_8(self, signed_in):
        said = red(signed_in(Role.CLERK).get("/office").text)

        assert WRONG in said
        assert ">The export of a period is overdue: 2026-11</a>" in said
        assert '<a href="/office/close">Upload the export of 2026-11</a>' in said

    def test_a_command_is_labelled_for_whoever_is_at_a_terminal_and_typed_nowhere_else(
        self, signed_in
    ):
        said = red(signed_in(Role.CLERK).get("/office").text)

        typed = re.findall("At a terminal: <code>billclose [^<]*</code>", said)
        assert typed and "`" not in said
        assert said.count("billclose ") == len(typed)


def test_a_service_that_is_away_is_red_until_it_is_back_rules_186_to_189(signed_in, books):
    clerk = signed_in(Role.CLERK)
    before = red(clerk.get("/office").text)
    with books.writing() as connection:
        connection.execute(
            incident.insert().values(
                key="mail-server-down/1", condition="mail-server-down", since=NOON, noticed_at=NOON,
                detail="It refuses us.",
                remedy="Ask IT to start it.", command="billclose mail send",
            )
        )  # fmt: skip

    now = red(clerk.get("/office").text)

    assert "mail-server-down" not in before
    said = " ".join(now.split())
    assert (
        '<a href="/office/runbook/mail-server-down">The mail server takes no mail</a></strong>'
        '<br>It refuses us. Ask IT to start it. <a href="/office/emails">See which mails wait</a>'
        '<br><small class="soft">At a terminal: <code>billclose mail send</code></small>'
    ) in said


class TestTheLineOfTheMonth:
    @pytest.fixture
    def page(self, office, signed_in):
        return signed_in(Role.CLERK).get("/office").text

    def test_each_clause_leads_to_what_it_is_about(self, office, page):
        clause = read_headline(office).clauses[0]

        assert f'<a href="/office/close/{clause.period}"' in page
        assert clause.text in page

    def test_what_is_to_be_done_leads_to_the_page_where_it_is_done(self, office, page):
        for act in read_headline(office).acts:
            assert f">{act.sentence}</a>" in page

    def test_the_years_periods_stand_below_and_other_years_are_a_link_away(self, page, signed_in):
        assert "The periods of 2026</h2>" in page
        assert '<a href="/office?year=2027#year">' in page

        following = signed_in(Role.AUDITOR).get("/office?year=2027").text

        assert "The periods of 2027</h2>" in following
        assert "2027-12</td>" in following

    @pytest.mark.parametrize("typed", ["", "x", "1", "99999999999", "²²²²", "-5"])
    def test_a_year_that_is_none_is_this_one(self, signed_in, typed):
        page = signed_in(Role.CLERK).get(f"/office?year={typed}")

        assert (200, True) == (page.status_code, "The periods of 2026</h2>" in page.text)
