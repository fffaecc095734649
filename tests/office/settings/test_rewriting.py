"""The settings file after one setting was changed: all else of it stays as it was written."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.failures import Misuse
from office.settings.administration import keys_of
from office.settings.rewriting import value_in_file, with_value
from office.settings.settings import commented_file, default_as_toml
from tests.release import so_many

OURS = """# Our office.
[reminders]
# Agreed with the council.
days_before_due = 3  # not 5, see minutes
time = "07:30"

[autopay]
return_fee_codes = [
    "R01",  # no money
    "R09",
]
"""


def default_of(name: str) -> str:
    section, _, key = name.partition(".")
    return default_as_toml(keys_of(section)[key])


def changed(text: str, name: str, value) -> str:
    section, _, key = name.partition(".")
    return with_value(text, section, key, value, default_of(name))


def test_only_the_value_is_another_and_every_comment_stays():
    told = changed(OURS, "reminders.days_before_due", 5)

    assert OURS.replace("= 3 ", "= 5 ") == told


def test_a_default_that_init_wrote_gives_its_place_to_the_value_and_has_it_back():
    fresh = commented_file()
    told = changed(fresh, "reminders.days_before_due", 9)

    assert (
        fresh.replace(
            f"#days_before_due = {default_of('reminders.days_before_due')}", "days_before_due = 9"
        )
        == told
    )
    assert fresh == changed(told, "reminders.days_before_due", None)


def test_what_stands_back_at_its_default_is_a_comment_again():
    told = changed(OURS, "reminders.days_before_due", None)

    line = f"#days_before_due = {default_of('reminders.days_before_due')}  # not 5, see minutes"
    assert OURS.replace("days_before_due = 3  # not 5, see minutes", line) == told


def test_a_section_that_is_not_there_is_added_behind_all_others():
    told = changed(OURS, "checkout.guests", False)

    assert told.startswith(OURS.rstrip("\n"))
    assert False is tomllib.loads(told)["checkout"]["guests"]


@pytest.mark.parametrize(
    "text",
    [
        'reminders = {days_before_due = 3, time = "07:30"}\n',
        "reminders.days_before_due = 3\n",
        "[reminders]\r\ndays_before_due = 3\r\n[autopay]\r\n",
        "[ reminders ]\n  days_before_due=3\n",
        '["reminders"]\n"days_before_due" = 3\n',
        "",
    ],
)
@pytest.mark.parametrize("value", [7, None])
def test_however_it_is_written_it_holds_afterwards_or_is_left_alone(text, value):
    try:
        told = changed(text, "reminders.days_before_due", value)
    except Misuse as refused:
        assert "cannot be changed from here" in refused.message
        return

    assert value == value_in_file(told, "reminders", "days_before_due")
    others = tomllib.loads(text).get("reminders", {}).get("time")
    assert others == tomllib.loads(told).get("reminders", {}).get("time")


WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r"), max_size=60)


@settings(max_examples=so_many(10, release=100))  # each reads the longest file four times
@given(WORDS)
def test_any_words_at_all_are_read_back_as_they_were_written(words):
    told = changed(commented_file(), "messages.landing", words)

    assert words == value_in_file(told, "messages", "landing")
    again = changed(told, "messages.landing", None)
    assert commented_file() == again


@given(st.lists(WORDS, max_size=4), WORDS)
def test_a_list_is_written_over_another_and_its_neighbors_stay(codes, landing):
    told = changed(changed(OURS, "autopay.return_fee_codes", codes), "messages.landing", landing)

    assert codes == value_in_file(told, "autopay", "return_fee_codes")
    assert tomllib.loads(OURS)["reminders"] == tomllib.loads(told)["reminders"]
    assert "# Agreed with the council.\ndays_before_due = 3  # not 5, see minutes\n" in told
