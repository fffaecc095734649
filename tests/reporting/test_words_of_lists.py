"""People read words in a list, on the page and in files; programs read what they always did."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import sqlalchemy as sa

from database.tables import mass_mailing
from database.types import Moment
from reporting.lists.asking import contains
from reporting.lists.catalog import LISTS
from reporting.lists.reading import shown_rows
from reporting.lists.writing import to_text, to_xlsx, write_csv
from rules.mail.communications import SAID, WITHOUT_ADDRESS, LeftOut
from web.office.lists import to_shown

KEPT = json.dumps({"suppressed": 2, "accounts-without-address": 1_200})
READ = "2: mails to them came back; 1,200: accounts without an e-mail address"
DENVER = ZoneInfo("America/Denver")
NOON = datetime(2026, 11, 4, 12, tzinfo=UTC)


@pytest.fixture
def written(database):
    """A mass mail in the books, as its list has it."""
    with database.writing() as books:
        books.execute(
            mass_mailing.insert().values(
                number=1, content="x", day=date(2026, 11, 4), subject="Rates", body="New rates.",
                audience='["customers"]', left_out=KEPT, recorded_at=NOON, recorded_by="anna",
            )
        )  # fmt: skip
    with database.reading() as books:
        return list(shown_rows(books.execute(LISTS["mailings"].select())))


def test_every_reason_to_leave_a_mailbox_out_has_its_words():
    assert {*LeftOut, WITHOUT_ADDRESS} == set(SAID)


def test_who_a_mass_mail_left_out_is_said_in_words(written):
    headings = ["number", "left_out"]
    (row,) = written
    lines = io.StringIO()
    write_csv(headings, written, lines)
    sheet = openpyxl.load_workbook(io.BytesIO(to_xlsx(headings, written, "mailings"))).active

    assert f"1,{READ}" in lines.getvalue().replace('"', "")
    assert sheet is not None and READ == sheet["B2"].value
    assert READ == to_text(to_shown("left_out", row["left_out"], ZoneInfo("America/Denver")))
    assert KEPT == json.loads(json.dumps(row["left_out"]))


@pytest.mark.parametrize(
    ("typed", "found"),
    [("came back", 1), ("Without an E-MAIL", 1), ("1200", 1), ("no communications", 0)],
)
def test_it_is_found_by_the_words_that_are_read(database, written, typed, found):
    shown = LISTS["mailings"].select().subquery()
    with database.reading() as books:
        query = sa.select(sa.func.count()).select_from(shown)
        assert found == books.scalar(query.where(contains(shown, "left_out", typed, UTC)))


@pytest.mark.parametrize(
    "moment",
    [
        NOON,
        datetime(2026, 11, 3, 5, 30, tzinfo=UTC),  # the day before, by the office's clocks
        datetime(2026, 11, 1, 8, 30, 59, tzinfo=UTC),  # an hour that the clocks show twice
        datetime(2027, 1, 1, 6, 59, tzinfo=UTC),
    ],
    ids=str,
)
def test_a_moment_is_found_by_what_is_shown_of_it_and_by_each_part(database, moment):
    shown = sa.select(sa.literal(moment, Moment()).label("taken_at")).subquery()
    written = to_shown("taken_at", moment, DENVER)
    hour = timedelta(hours=2)
    others = [to_shown("taken_at", one, DENVER) for one in (moment - hour, moment + hour)]

    def is_found(typed: str) -> bool:
        with database.reading() as books:
            query = sa.select(shown).where(contains(shown, "taken_at", typed, DENVER))
            return books.execute(query).first() is not None

    assert all(is_found(written[:size]) for size in (4, 7, 10, 13, 16))
    assert is_found(f"{written[5:7]}/{written[8:10]}/{written[:4]}")
    assert not any(is_found(other) for other in others)
