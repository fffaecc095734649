"""Made-up files of many layouts, clean and with faults: no page goes to another customer."""

from __future__ import annotations

import pytest

from bench.association import held_as_in_a_close
from bench.layouts.customers import customers
from bench.layouts.faults import FAULTS, with_faults
from bench.layouts.judging import judge, knowledge_of
from bench.layouts.later_layouts import ALL_LAYOUTS
from bench.layouts.layouts import (
    AMOUNT_PATTERN,
    DUE_PATTERN,
    LAYOUTS,
    make_bills,
    with_families,
)
from splitter.association.knowledge import NOTHING_KNOWN
from tests.splitter.association.sorting import sort_pages

BILLS = 150
EVERY = 15


def bills_of(layout, seed=5):
    several = with_families(layout, customers(BILLS, seed, layout.shape))
    return several, make_bills(layout, several, seed)


def sorted_as(layout, pages, knowledge):
    return sort_pages(
        [page.text for page in pages],
        knowledge=knowledge,
        account=layout.account_pattern,
        amount_due=AMOUNT_PATTERN,
        due_on=DUE_PATTERN,
    )


def sorted_and_judged(layout, pages, faulty, knowledge):
    return judge(pages, faulty, sorted_as(layout, pages, knowledge))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_clean_file_is_held_nowhere_in_a_close(layout):
    several, bills = bills_of(layout)
    pages, _ = with_faults(bills, [], layout.label, BILLS + 1)

    judgement = sorted_and_judged(layout, pages, (), knowledge_of(several))

    assert (0, 0) == (judgement.wrong, judgement.false_holds), judgement.of_first_wrong


LOST = "the first page is lost"
# A lost first page before one without a number that names nobody in any way: nothing on that page
# tells it from one of the bill before it. A close knows that a bill is missing there, see below.
SEEN_BY_NOBODY = {("letters to some", False)}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("is_close", [True, False], ids=["close", "split"])
def test_no_page_goes_to_another_customer_whatever_the_faults(layout, is_close):
    several, bills = bills_of(layout)
    knowledge = knowledge_of(several) if is_close else NOTHING_KNOWN
    faults = dict(FAULTS)
    if (layout.name, is_close) in SEEN_BY_NOBODY:
        del faults[LOST]
    pages, faulty = with_faults(bills, list(faults.values()), layout.label, EVERY)

    judgement = sorted_and_judged(layout, pages, faulty, knowledge)

    assert (0, BILLS // EVERY) == (judgement.wrong, len(faulty)), judgement.of_first_wrong
    if is_close:
        assert 0 == judgement.false_holds


@pytest.mark.parametrize("layout", ALL_LAYOUTS, ids=lambda layout: layout.name)
def test_a_close_joins_no_page_behind_a_lost_first_page_to_another_customer(layout):
    several, bills = bills_of(layout)
    knowledge = knowledge_of(several)
    pages, faulty = with_faults(bills, [FAULTS[LOST]], layout.label, 7)

    held = held_as_in_a_close(sorted_as(layout, pages, knowledge), knowledge)

    judgement = judge(pages, faulty, held)
    assert 0 == judgement.wrong, judgement.of_first_wrong
