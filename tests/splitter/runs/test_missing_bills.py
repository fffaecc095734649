"""Where a bill is missing, the pages behind the one before it may be its own."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.accounts import account_key
from splitter.runs.missing_bills import hold_beside_missing, order_of_file, places_of_missing
from tests.splitter.association.sorting import first_page, held, number_of, sort_pages, usage_page

MANY = 30
KEYS = [account_key(number_of(customer)) for customer in range(MANY)]
AS_EXPORTED = {key: place for place, key in enumerate(KEYS)}


def bills_of_one_or_two_pages() -> list[tuple[int, str]]:
    """Pages with whose they are: each second customer has a page of use, which names nobody."""
    pages = []
    for customer in range(MANY):
        pages.append((customer, first_page(customer)))
        if customer % 2:
            pages.append((customer, usage_page(customer)))
    return pages


PAGES = bills_of_one_or_two_pages()


def lost(customer: int) -> tuple[list[str], dict[str, str], int]:
    """The file without a customer's first page, the missing account, and where its use stands."""
    pages = list(PAGES)
    place = next(n for n, page in enumerate(pages) if page[0] == customer)
    del pages[place]
    texts = [text for _, text in pages]
    return texts, {KEYS[customer]: number_of(customer)}, place


def test_a_page_behind_the_bill_before_a_missing_one_is_held():
    texts, missing, place = lost(7)
    joined = sort_pages(texts)

    settled = hold_beside_missing(joined, missing, [AS_EXPORTED])

    assert {} == held(joined)
    assert {place: ("missing-bill",)} == held(settled)
    (page,) = settled.unassigned
    assert (KEYS[6], f"the bill of {number_of(7)} is missing") == (
        page.before,
        page.reason.partition(", and ")[2].partition(" and would")[0],
    )
    assert (place - 1,) == next(
        bill.pages for bill in settled.bills if bill.account == number_of(6)
    )


def test_nothing_is_held_where_no_bill_is_missing_or_no_order_is_known():
    texts, missing, _ = lost(7)
    joined = sort_pages(texts)
    shuffled = {key: (7 * place) % MANY for key, place in AS_EXPORTED.items()}

    assert joined == hold_beside_missing(joined, {}, [AS_EXPORTED])
    assert joined == hold_beside_missing(joined, missing, [shuffled])


def test_the_order_is_the_one_that_the_file_is_in():
    texts, _, _ = lost(7)
    shuffled = {key: (7 * place) % MANY for key, place in AS_EXPORTED.items()}

    assert AS_EXPORTED == order_of_file(sort_pages(texts), [shuffled, AS_EXPORTED])
    assert order_of_file(sort_pages(texts[:4]), [AS_EXPORTED]) is None


def test_a_page_that_says_whose_it_is_stays():
    pages = []
    for customer in range(MANY):
        serial = f"Serial MX-{500000 + 31 * customer}"
        pages += [first_page(customer, serial), usage_page(customer, serial)]
    del pages[14:16]  # the whole bill of the eighth

    joined = sort_pages(pages)

    assert joined == hold_beside_missing(joined, {KEYS[7]: number_of(7)}, [AS_EXPORTED])


def test_pages_held_between_the_two_are_the_missing_ones():
    texts, missing, place = lost(7)
    texts[place] += "\nPage 2 of 2\nAmount Due: $987.65"
    joined = sort_pages(texts)

    assert [place] == [page.page for page in joined.unassigned]
    assert joined == hold_beside_missing(joined, missing, [AS_EXPORTED])


def test_where_only_a_report_is_wanted_the_page_is_doubted():
    texts, missing, place = lost(7)

    settled = hold_beside_missing(sort_pages(texts), missing, [AS_EXPORTED], reports_only=True)

    assert {} == held(settled)
    assert [(place, ("missing-bill",))] == [(page.page, page.signals) for page in settled.doubted]


def test_the_missing_bill_is_told_with_the_pages_around_it():
    texts, missing, place = lost(7)

    (told,) = places_of_missing(3, sort_pages(texts), missing, [AS_EXPORTED])

    assert (KEYS[7], 3, KEYS[6], place, place + 1) == (
        told.account_key,
        told.bulk,
        told.before_key,
        told.before_page,
        told.after_page,
    )


@settings(max_examples=25)
@given(st.sets(st.sampled_from(range(1, MANY)), max_size=6), st.booleans())
def test_every_page_is_in_just_one_place_and_no_page_of_a_lost_bill_in_anothers(gone, reports_only):
    firsts = {n for n, (customer, _) in enumerate(PAGES) if n == 0 or PAGES[n - 1][0] != customer}
    pages = [page for n, page in enumerate(PAGES) if not (page[0] in gone and n in firsts)]
    missing = {KEYS[customer]: number_of(customer) for customer in gone}
    joined = sort_pages([text for _, text in pages])

    settled = hold_beside_missing(joined, missing, [AS_EXPORTED], reports_only=reports_only)

    told = [page for bill in settled.bills for page in bill.pages]
    told += [page.page for page in settled.unassigned]
    assert list(range(len(pages))) == sorted(told)
    doubted = {page.page for page in settled.doubted}
    strangers = {
        page
        for bill in settled.bills
        for page in bill.pages
        if KEYS[pages[page][0]] != account_key(bill.account)
    }
    assert strangers <= doubted
