"""A period and an account by what was typed: found, or said with what was meant."""

from __future__ import annotations

import pytest

from database.queries.periods import newest_exported_account, require_account, require_period
from domain.failures import Misuse
from tests.builders import RUN, a_household, stage_run


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2026-1O", "did you mean 2026-10?"),
        ("2026-11", "did you mean 2026-10?"),
        ("november", "the newest in the books: 2026-10."),
    ],
)
def test_an_unknown_period_is_told_with_what_was_meant(database, typed, said):
    stage_run(database, a_household())

    with database.reading() as books, pytest.raises(Misuse) as refused:
        require_period(books, typed)

    assert f"No export of period {typed} has been imported; {said}" == refused.value.message
    assert "unknown-period" == refused.value.code


def test_empty_books_say_how_to_begin(database):
    with database.reading() as books, pytest.raises(Misuse, match="`billclose import BUNDLE`"):
        require_period(books, RUN)


def test_an_account_is_found_by_its_letters_and_digits_alone(database):
    stage_run(database, a_household("01.1037.1"))

    with database.reading() as books:
        assert "01.1037.1" == require_account(books, RUN, "01-1037-1").account
        assert RUN == newest_exported_account(books, "0110371").period
        assert newest_exported_account(books, "9") is None
        with pytest.raises(Misuse, match="Period 2026-10 has no account 7; `billclose find"):
            require_account(books, RUN, "7")
