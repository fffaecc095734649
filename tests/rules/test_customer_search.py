"""What is typed to find a customer: words, numbers, meters, and which line has them."""

from __future__ import annotations

import pytest

from domain.customer_service import FoundBy
from rules.customer_search import (
    findable_text,
    found_in,
    looked_for,
    meter_number,
    person_number,
    run_together,
    search_words,
    searchable,
)


def the_text() -> str:
    return findable_text(
        "01.1037.1", "Pat", "O'Neil", "12 Elm Way", "PO Box 7", "Larkspur", "CO", "80123",
        "pat.oneil@x.example", "(303) 555-0147", mailboxes="user@y.example",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("0110371", [FoundBy.NUMBER]),
        ("01 1037 1", [FoundBy.NUMBER]),  # a number with spaces
        ("pat oneil", [FoundBy.NAME, FoundBy.EMAIL]),
        ("oneil pat 12", [FoundBy.NAME, FoundBy.ADDRESS, FoundBy.EMAIL]),
        ("pat", [FoundBy.NAME, FoundBy.EMAIL]),
        ("pat elm", [FoundBy.NAME, FoundBy.ADDRESS, FoundBy.EMAIL]),  # no line has both
        ("12 elm", [FoundBy.ADDRESS]),  # not the 12 of a phone beside it
        ("box larkspur 80123 co", [FoundBy.ADDRESS]),
        ("patoneil", [FoundBy.EMAIL]),
        ("3035550147", [FoundBy.PHONE]),
        ("303 555 0147", [FoundBy.PHONE]),
        ("useryexample", [FoundBy.PORTAL_USER]),
        ("user example", [FoundBy.PORTAL_USER]),  # not the e-mail, which has one of the two
        ("nobody", []),
    ],
)
def test_the_line_that_has_every_word_is_named_or_each_that_has_some(typed, found):
    assert found == list(found_in(the_text(), search_words(typed)))


def test_a_part_of_a_meters_number_is_named_last():
    assert (FoundBy.PHONE, FoundBy.METER) == found_in(the_text(), ("5550147",), "m5550147x")
    assert (FoundBy.METER,) == found_in(the_text(), ("m99",), "m99")
    assert () == found_in(the_text(), ("m98",), "m99")
    assert () == found_in(the_text(), ("m98",))


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (("m99",), "m99"),
        (("m9",), None),  # on every second meter
        (("meter",), None),
        (("m9", "88"), "m988"),
        (("12", "elm"), None),  # a house's
        ((), None),
    ],
)
def test_a_part_of_a_meters_number_is_three_letters_and_digits_or_more(words, number):
    assert number == meter_number(words)


@pytest.mark.parametrize(
    ("words", "joined"),
    [(("303", "555"), "303555"), (("a1", "b2"), "a1b2"), (("303",), None), (("12", "elm"), None)],
)
def test_words_with_digits_may_be_one_number(words, joined):
    assert joined == run_together(words)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("17", 17), ("customer 17", 17), ("CUSTOMER 17", 17), (" 999999999 ", 999_999_999),
        ("1000000000", None), ("", None), ("customer", None), ("user 17", None), ("a17", None),
        ("17 18", None), ("customer 17 18", None), ("customer customer 17", None),
        ("\N{ARABIC-INDIC DIGIT ONE}7", None), ("1\N{SUPERSCRIPT TWO}", None),
    ],
)  # fmt: skip
def test_a_person_is_found_by_the_number(typed, number):
    assert number == person_number(typed)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("O'N\N{LATIN SMALL LETTER E WITH ACUTE}il, Pat;Ann", ("oneil", "pat", "ann")),
        ("O'Neil,Pat;ANN", ("oneil", "pat", "ann")),
        ("01.1037.1", ("0110371",)),
        ("M\N{LATIN SMALL LETTER U WITH DIAERESIS}ller\N{EN DASH}Way", ("mullerway",)),
        ("", ()),
    ],
)
def test_words_are_as_they_are_heard(typed, words):
    assert words == search_words(typed)


def test_one_letter_is_looked_for_as_a_whole_word_and_each_word_stands_once():
    assert ("apt", " 2 ") == (looked_for("apt"), looked_for("2"))
    assert " elm way 12 " == searchable("Elm Way 12, elm way")
