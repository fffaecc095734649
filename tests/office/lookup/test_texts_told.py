"""Of a reminder that went as a text `why` says where it went and how it ended."""

from __future__ import annotations

import pytest

from database.definitions.texts import text_message
from office.lookup.why.explaining import explain_account
from office.secrets.files import make_secret
from reporting.lists.catalog import LISTS
from tests.mail.reminder_builders import DUE_MAIL, queue
from tests.mail.texts.test_choosing_texts import ELM, NIGHT, a_reader
from tests.mail.texts.test_choosing_texts import town as town
from tests.office.health_builders import an_office_at


@pytest.fixture
def office(tmp_path, town):
    make_secret(tmp_path)
    return an_office_at(tmp_path, town, "2026-11-17T09:00")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "and waits for its hour"),
        ({"status": "failed", "error": "code 30006"}, "code 30006; a mail takes its place"),
        ({"status": "in-doubt"}, "because the answer was lost; the carrier is asked"),
    ],
)
def test_why_names_the_phone_by_its_end_and_the_fate(office, town, changes, said):
    a_reader(town)
    queue(town, DUE_MAIL, NIGHT)
    with town.writing() as books:
        books.execute(text_message.update().values(**(changes or {"attempts": 0})))

    texts = [one.text for one in explain_account(office, ELM).sentences]

    (found,) = [one for one in texts if "went as a text" in one]
    assert "to the phone ending 0142" in found and said in found


def test_the_list_shows_the_fate_and_no_whole_phone(town):
    a_reader(town)
    queue(town, DUE_MAIL, NIGHT)

    with town.reading() as books:
        (row,) = books.execute(LISTS["texts"].select()).all()

    assert (ELM, "payment-due", "0142", "queued") == (
        row.account, row.kind, row.phone_ending, row.status,
    )  # fmt: skip
    assert "5550142" not in str(row._mapping)
