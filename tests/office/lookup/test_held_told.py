"""Of a bill that is held back `why` says in every part that nothing of it happens yet."""

from __future__ import annotations

import pytest

from office.lookup.why.explaining import explain_account
from office.secrets.files import make_secret
from tests.builders import a_household
from tests.office.health_builders import an_office_at
from tests.outsorting.builders import ANN, RUN, close_month, free, hold, stage_bills


@pytest.fixture
def told(tmp_path, database):
    """The sentences on mails and reminders of an account whose first bill was held at its close."""
    make_secret(tmp_path)
    stage_bills(database, a_household(ANN))
    hold(database)
    close_month(database)

    def tell() -> list[str]:
        found = explain_account(an_office_at(tmp_path, database, "2026-11-05T09:00"), ANN, RUN)
        return [one.text for one in found.sentences]

    return tell


def test_nobody_gets_it_and_nobody_is_reminded_while_it_is_held(told):
    sentences = told()

    assert f"Nobody is reminded of {RUN}: its bill is held back" in sentences
    assert not [one for one in sentences if " gets the bill, because" in one]
    assert [one for one in sentences if "will get the bill once it is released" in one]


def test_once_released_it_is_told_as_any_other(told, database):
    free(database)

    sentences = told()

    assert [one for one in sentences if " gets the bill, because" in one]
    assert not [one for one in sentences if "held back)" in one]
