"""What one or several readings of a page say."""

from __future__ import annotations

from datetime import date

import pytest

from domain.money import Money
from splitter.text.normalizing import looks_broken, normalized
from splitter.text.page_facts import Reading, is_conclusive, to_facts
from splitter.text.patterns import compile_patterns
from tests.splitter.pdf_builders import a_bulk_file


def read(text, *, by_position=True):
    return Reading(normalized(text), normalized(text), by_position)


def facts_of(*readings, is_blank=False, is_whole=True, **changes):
    patterns = compile_patterns(a_bulk_file(**changes))
    return to_facts(0, readings, patterns, is_blank=is_blank, is_whole=is_whole)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("Account: 01–1037–1", id="en dashes"),
        pytest.param("Account:\u00a001‑1037‑1", id="hard spaces and hyphens"),
        pytest.param("Account: 01\u00ad1037\u00ad1", id="soft hyphens"),
        pytest.param("Account: 01- 1037- 1", id="gaps after dashes"),
        pytest.param("Account:\r\n01-1037-1", id="the number on the next line"),
    ],
)
def test_an_account_is_found_in_spite_of(written):
    assert facts_of(read(written)).accounts == ("01-1037-1",)


def test_amounts_and_due_dates_that_cannot_be_read_are_not_there():
    facts = facts_of(
        read("Amount Due: $1,2.50 Amount Due: −$3.10 Due Date: 13/40/2026 Due Date: 11/20/2026"),
        amount_due=r"Amount Due:\s*(\S+)",
    )

    assert (Money(-3_10),) == facts.amounts
    assert (date(2026, 11, 20),) == facts.due_dates


def test_engines_that_read_different_accounts_are_both_reported():
    facts = facts_of(read("Account: 11"), read("Account: 22", by_position=False), read("22"))

    assert facts.accounts == ("11", "22")


def test_digits_drawn_backwards_do_not_make_an_account():
    facts = facts_of(
        read("12-345678-90 is what stands there"),
        read("Account: 09-876543-21", by_position=False),
    )

    assert not facts.has_text


def test_an_account_broken_over_two_lines_is_left_to_a_person():
    facts = facts_of(read("Account: 01-1037-\n1"))

    assert not facts.has_text


def test_half_an_account_does_not_speak_against_the_whole():
    facts = facts_of(read("Account: 01-1037-\n1"), read("Account: 01-1037-1"))

    assert facts.accounts == ("01-1037-1",)
    assert facts.has_text


def test_nobody_says_that_a_page_names_none_when_an_engine_failed():
    assert facts_of(read("Meter readings"), is_whole=True).has_text
    assert not facts_of(read("Meter readings"), is_whole=False).has_text


def test_a_page_without_text_is_readable_only_when_it_is_blank():
    assert facts_of(read(""), is_blank=True).has_text
    assert not facts_of(read(""), is_blank=False).has_text


def test_a_font_without_a_character_table_is_no_text():
    assert not facts_of(read("\x01\x03\x04 \ue001\ue002 a")).has_text


def test_a_separator_is_found_whatever_its_spaces():
    facts = facts_of(read("BATCH\r\nSEPA RATOR 17"), separator="BATCH SEPARATOR")

    assert facts.is_separator


def test_the_printed_page_number_is_read():
    assert facts_of(read("page 2 of 3")).number == (2, 3)
    assert facts_of(read("Page 1 of 3, Page 2 of 3")).number is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("Account: 01.1037.1\nWater", True, id="an account stands in its line"),
        pytest.param("Account: 0\n1.\n10\n3\n7\n.1\nx\ny", False, id="letters stand in lines"),
        pytest.param("Account: 01.1037\n.1\nWater", False, id="a scrap of digits follows"),
        pytest.param("Water", False, id="no account is named"),
    ],
)
def test_one_reading_settles_it_when(written, expected):
    assert expected == is_conclusive(read(written), compile_patterns(a_bulk_file()))


def test_short_lines_of_a_short_text_do_not_look_broken():
    assert not looks_broken("a\nb\nc")


@pytest.mark.parametrize("text", ["Larkspur", "Customer No. 03.4774.2"])
def test_letters_each_in_a_line_look_broken(text):
    assert looks_broken("\n".join(text))
