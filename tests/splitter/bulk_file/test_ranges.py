"""Where a bill begins and ends."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.bills import PageFacts
from domain.money import Money
from splitter.bulk_file.assignment import assign_pages


def facts(*pages):
    """Pages told shortly: an account, None, "|" for a separator, or the fields themselves."""
    told = []
    for number, page in enumerate(pages):
        match page:
            case dict():
                told.append(PageFacts(number, **page))
            case "|":
                told.append(PageFacts(number, is_separator=True))
            case None:
                told.append(PageFacts(number))
            case _:
                told.append(PageFacts(number, accounts=(page,)))
    return told


def named(account, x, y):
    return {"accounts": (account,), "number": (x, y)}


def bills(*pages):
    return [(bill.account, bill.pages) for bill in assign_pages(facts(*pages)).bills]


def unassigned(*pages):
    return [page.page for page in assign_pages(facts(*pages)).unassigned]


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        pytest.param(("A1", "A1", "B2"), [("A1", (0, 1)), ("B2", (2,))], id="it is named again"),
        pytest.param(("A1", None, "B2"), [("A1", (0, 1)), ("B2", (2,))], id="it names nobody"),
        pytest.param(("A-1", "A.1"), [("A-1", (0, 1))], id="only dashes and periods differ"),
        pytest.param(
            (named("A1", 1, 2), named("A1", 2, 2)), [("A1", (0, 1))], id="the numbers go on"
        ),
        pytest.param(
            ({"accounts": ("A1", "A-1")}, None), [("A1", (0, 1))], id="it is spelled in two ways"
        ),
    ],
)
def test_a_page_belongs_to_the_bill_when(pages, expected):
    assert expected == bills(*pages)
    assert unassigned(*pages) == []


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        pytest.param(("A1", "B2", "A1"), [("A1", (0,)), ("B2", (1,)), ("A1", (2,))], id="apart"),
        pytest.param(
            (named("A1", 1, 1), named("A1", 1, 1)), [("A1", (0,)), ("A1", (1,))], id="complete"
        ),
        pytest.param(
            (named("A1", 1, 2), named("A1", 1, 2)), [("A1", (0,)), ("A1", (1,))], id="incomplete"
        ),
        pytest.param(("A1", "|", "A1"), [("A1", (0,)), ("A1", (2,))], id="separated"),
    ],
)
def test_an_account_printed_twice_gets_two_bills_when(pages, expected):
    assert expected == bills(*pages)


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        pytest.param((None, "A1"), [0], id="nothing comes before it"),
        pytest.param(("A1", "|", None, None), [2, 3], id="it follows a separator"),
        pytest.param(({"accounts": ("A1", "B2")},), [0], id="it names two accounts"),
        pytest.param(
            ("A1", {"accounts": ("A1", "B2")}, None), [1, 2], id="it follows a page of nobody"
        ),
        pytest.param(("A1", {"has_text": False}), [1], id="it is only a picture"),
        pytest.param(
            (named("A1", 1, 1), {"number": (1, 2)}), [1], id="it begins a bill without an account"
        ),
        pytest.param(({"accounts": ("--",)},), [0], id="its account has neither letter nor digit"),
    ],
)
def test_a_page_is_left_to_a_person_when(pages, expected):
    assert expected == unassigned(*pages)


def test_the_reason_says_why_a_page_is_nobodys():
    assignment = assign_pages(facts("A1", "|", None))

    assert "follows a separator" in assignment.unassigned[0].reason


def test_a_separator_belongs_to_nobody_even_if_it_names_an_account():
    assignment = assign_pages(facts("A1", {"is_separator": True, "accounts": ("B2",)}))

    assert assignment.separators == (1,)
    assert [(bill.account, bill.pages) for bill in assignment.bills] == [("A1", (0,))]


def test_amount_and_due_date_come_from_the_first_page_that_has_them():
    later = {"accounts": ("A1",), "amounts": (Money(5_00), Money(7_00))}
    last = {"amounts": (Money(7_00),), "due_dates": (date(2026, 11, 20),)}

    (bill,) = assign_pages(facts("A1", later, last)).bills

    assert (Money(5_00), date(2026, 11, 20)) == (bill.amount_due, bill.due_on)


SOME_PAGES = some.lists(
    some.builds(
        dict,
        accounts=some.lists(some.sampled_from(["A1", "A-1", "B2", "C3", ""]), max_size=2).map(
            tuple
        ),
        is_separator=some.sampled_from([False, False, False, True]),
        has_text=some.sampled_from([True, True, True, False]),
        number=some.none() | some.tuples(some.integers(1, 3), some.integers(1, 3)),
    ),
    max_size=40,
)


@given(SOME_PAGES)
def test_every_page_is_in_exactly_one_place(pages):
    assignment = assign_pages(facts(*pages))

    placed = [page for bill in assignment.bills for page in bill.pages]
    placed += assignment.separators
    placed += [page.page for page in assignment.unassigned]
    assert list(range(len(pages))) == sorted(placed)


@given(SOME_PAGES)
def test_the_pages_of_a_bill_are_consecutive_and_name_nobody_else(pages):
    for bill in assign_pages(facts(*pages)).bills:
        first, last = bill.pages[0], bill.pages[-1]
        names = {name.replace("-", "") for page in bill.pages for name in pages[page]["accounts"]}

        assert tuple(range(first, last + 1)) == bill.pages
        assert {bill.account.replace("-", "")} == names - {""}
