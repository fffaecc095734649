"""Names that are nearly ours, and names that are not."""

from __future__ import annotations

import pytest

from billing_system.export.columns import AUTOPAY, TABLES
from billing_system.export.names import SYNONYMS, distance, nearest, plain

COLUMNS = sorted({column.name for table in TABLES for column in table.columns})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("max_amount", "maximum", id="a synonym"),
        pytest.param("MAXIMUM ", "maximum", id="capitals"),
        pytest.param("Max. Payment", "maximum", id="a synonym with marks"),
        pytest.param("maximums", "maximum", id="plural"),
        pytest.param("maxinum", "maximum", id="another letter"),
        pytest.param("maixmum", "maximum", id="two letters swapped"),
        pytest.param("days-prior", "days_prior", id="a hyphen"),
        pytest.param("DaysPrior", "days_prior", id="grown together"),
        pytest.param("portal user id", "portal_user", id="a word that says nothing"),
        pytest.param("days", None, id="another column"),
        pytest.param("note", None, id="a stranger"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_heading_of_autopay_means(written, meant):
    names = [column.name for column in AUTOPAY.columns]

    assert meant == nearest(written, names)


def test_no_name_of_four_letters_is_taken_for_another():
    assert [None, None] == [nearest("rate", ["date"]), nearest("lame", ["name"])]


@pytest.mark.parametrize("name", COLUMNS)
def test_each_column_is_found_by_its_own_name_in_the_plural_and_in_capitals(name):
    assert name == nearest(f"{name}s", COLUMNS)
    assert name == nearest(name.upper().replace("_", " "), COLUMNS)


def test_synonyms_are_written_as_they_are_compared():
    words = {word for synonyms in SYNONYMS.values() for word in synonyms}

    assert words == set(map(plain, words))


@pytest.mark.parametrize(
    ("one", "other", "letters"),
    [("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("kitten", "sitting", 3)],
)
def test_letters_that_two_names_differ_by_are_counted(one, other, letters):
    assert letters == distance(one, other) == distance(other, one)
