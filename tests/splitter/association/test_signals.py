"""Each signal where it alone decides, and what outvotes it."""

from __future__ import annotations

import pytest

from domain.bills import PageFacts
from splitter.association.exemptions import NEVER_IGNORED, SIGNALS
from splitter.association.knowledge import Knowledge, KnownCustomer
from splitter.bulk_file.assignment import assign_pages
from tests.splitter.association.sorting import (
    first_page,
    held,
    number_of,
    sort_pages,
    usage_page,
)

MANY = 30  # bills: enough for habits


def clean_file(bills: int = MANY, *, numbered: bool = False) -> list[str]:
    pages = []
    for customer in range(bills):
        pages.append(first_page(customer, number="Page 1 of 2" if numbered else ""))
        pages.append(usage_page(customer, number="Page 2 of 2" if numbered else ""))
    return pages


def letter_page(*lines: str) -> str:
    """A page like no other one of the file."""
    return "\n".join(("A letter about your meter and the water", *lines, "With kind regards"))


def with_page(page: str) -> list[str]:
    """A clean file, and behind its second bill another page."""
    pages = clean_file()
    return [*pages[:4], page, *pages[4:]]


def with_letter(*lines: str) -> list[str]:
    """A clean file, and behind its second bill a page of its own kind."""
    return with_page(letter_page(*lines))


CUSTOMERS = Knowledge.of(
    KnownCustomer(
        number_of(customer),
        (f"{name} {chr(65 + customer % 26)}uxley{customer}x",),
        (f"{100 + customer} Oak Street",),
    )
    for customer, name in enumerate(["Jane", "John", "Rosa", "Omar", "Lena"] * 8)
)


def test_a_clean_file_is_held_nowhere():
    for numbered in (False, True):
        sorted_pages = sort_pages(clean_file(numbered=numbered), knowledge=CUSTOMERS)

        assert {} == held(sorted_pages)
        assert [2] * MANY == [len(bill.pages) for bill in sorted_pages.bills]
        assert not [bill for bill in sorted_pages.bills if bill.lacks]


@pytest.mark.parametrize(
    ("line", "signal"),
    [
        pytest.param("Page 1 of 1", "numbers", id="it begins a bill"),
        pytest.param("Pagina 1 de 1", "numbers", id="in Spanish"),
        pytest.param("Page 1/1", "numbers", id="with a stroke"),
        pytest.param("Amount Due: $987.65", "values", id="another amount is due"),
        pytest.param("Due Date: 12/24/2026", "values", id="on another day"),
        pytest.param(f"Service of {number_of(9)}", "accounts", id="another account"),
        pytest.param("Abonado 12-345678-99", "shapes", id="written like an account"),
        pytest.param("Account Number:", "label", id="a label without a value"),
        pytest.param(
            f"Account no. {number_of(9).replace('-', ' ')}", "accounts", id="account with spaces"
        ),
        pytest.param(
            f"{number_of(9)[:10]}\n{number_of(9)[10:]}", "accounts", id="account over two lines"
        ),
    ],
)
def test_a_page_is_held_by_one_signal_alone(line, signal):
    sorted_pages = sort_pages(with_letter(line))

    assert {4: (signal,)} == held(sorted_pages)


def with_serials(changed: int) -> list[str]:
    """All pages repeat the number of their bill, and one has another."""
    pages = []
    for customer in range(MANY):
        serial = f"Serial MX-{500000 + 31 * customer}"
        pages += [first_page(customer, serial), usage_page(customer, serial)]
    pages[changed] = usage_page(4, "Serial MX-999999")
    return pages


def counted_through() -> list[str]:
    """The file counts its pages, and a first page is lost."""
    pages = []
    for customer in range(MANY):
        pages += [first_page(customer), *[usage_page(customer)] * (1 + customer % 2)]
    pages = [f"{page}\nPage {n} of {len(pages)}" for n, page in enumerate(pages, start=1)]
    return [page for page in pages if number_of(9) not in page]


def garbled() -> list[str]:
    """The text of one page is of no language, though its number goes on."""
    pages = []
    for customer in range(MANY):
        pages += [first_page(customer, number="1/2"), usage_page(customer, number="2/2")]
    pages[9] = "".join(chr(ord(sign) + 1) if sign.isalpha() else sign for sign in pages[9])
    return pages


def with_addresses_before() -> list[str]:
    """Each bill comes behind a page with its address."""
    pages = []
    for customer in range(MANY):
        address = f"Mail to\n{customer} Elm Road\nLarkspur CO\nPlace stamp here"
        pages += [address, first_page(customer)]
    return pages


def of_one_length(*changed: str) -> list[str]:
    pages = [first_page(customer) for customer in range(60)]
    return [*pages[:10], first_page(10, account=changed[0]), *pages[11:]]


ALONE = {
    "numbers": lambda: with_letter("Page 1 of 1"),
    "file-numbers": counted_through,
    "accounts": lambda: with_letter(f"Service of {number_of(9)}"),
    "values": lambda: with_letter("Amount Due: $987.65"),
    "names": lambda: with_letter("Dear Rosa Cuxley2x,"),
    "order": with_addresses_before,
    "looks": lambda: with_page("City of Larkspur Utilities\nNo water"),
    "label": lambda: with_letter("Account Number:"),
    "shapes": lambda: with_letter("Abonado 12-345678-99"),
    "words": garbled,
    "twice": lambda: with_page(usage_page(77)),
    "echo": lambda: with_serials(9),
    "odd-account": lambda: of_one_length("Account Number: 12-3456"),
}
AT_THE_START = 0  # a nameless page there follows no bill, whatever is ignored


@pytest.mark.parametrize("signal", [one for one in SIGNALS if one not in NEVER_IGNORED])
def test_each_signal_holds_a_page_that_no_other_one_holds(signal):
    pages = ALONE[signal]()
    exempt = {"ignore": (signal,), "ignore_reason": "For this test."}

    holding = held(sort_pages(pages, knowledge=CUSTOMERS))
    ignoring = held(sort_pages(pages, knowledge=CUSTOMERS, **exempt))

    holding.pop(AT_THE_START, None)
    ignoring.pop(AT_THE_START, None)
    assert {(signal,)} == set(holding.values()) - {()}  # what comes behind a held page has none
    assert {} == ignoring


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("Dear Rosa Cuxley2x,", id="a salutation"),
        pytest.param("Customer name: Cuxley2x, Rosa", id="the last name first"),
        pytest.param("102 Oak St", id="an address, written otherwise"),
    ],
)
def test_a_page_that_bears_anothers_name_is_held(line):
    pages = with_letter(line)

    assert {} == held(sort_pages(pages))
    assert {4: ("names",)} == held(sort_pages(pages, knowledge=CUSTOMERS))


def test_a_page_with_the_bills_own_name_follows_it():
    assert {} == held(sort_pages(with_letter("Dear John Buxley1x,"), knowledge=CUSTOMERS))


def test_a_page_that_begins_as_pages_with_an_account_do_is_held():
    pages = clean_file()
    pages.insert(4, "City of Larkspur Utilities\nYour water will be shut off on the twentieth")

    assert {4: ("looks",)} == held(sort_pages(pages))


def test_a_page_may_begin_as_all_pages_do():
    pages = [f"City of Larkspur Utilities\n{page}" for page in with_letter("Dear customer,")]

    assert {} == held(sort_pages(pages))


def test_a_page_that_looks_like_first_pages_is_held():
    pages = clean_file()
    pages[6] = first_page(3, account="").replace("Amount Due: $23.50", "")

    assert ("looks",) == held(sort_pages(pages))[6]


def test_a_page_with_a_number_of_its_own_is_held_where_most_repeat_their_bills():
    pages = []
    for customer in range(MANY):
        meter = f"Meter {83000000 + 31 * customer}"
        other = f"Meter {71000000 + customer}" if customer % 7 == 3 else meter
        pages += [first_page(customer, meter), usage_page(customer, other)]

    told = held(sort_pages(pages))

    assert {2 * n + 1 for n in range(MANY) if n % 7 == 3} == set(told)
    assert {("echo",)} == set(told.values())


def test_a_second_page_does_not_follow_a_bill_without_a_number_where_bills_count_from_one():
    pages = []
    for customer in range(MANY):
        number = "1 of 2" if customer % 2 else ""
        pages.append(first_page(customer, number=number))
        pages += [usage_page(customer, number="2 of 2")] if number else []
    lost = next(n for n, page in enumerate(pages) if number_of(9) in page)
    del pages[lost]

    assert ("numbers",) == held(sort_pages(pages))[lost]


def test_a_table_that_repeats_its_few_words_is_not_garbled():
    rows = [f"{month:02}/2026 {97 * month} gal {91 * month} gal yesteryear" for month in range(12)]
    pages = []
    for customer in range(MANY):
        pages += [first_page(customer), "\n".join(["Twelve months of your use", *rows])]

    assert {} == held(sort_pages(pages))


def test_pages_before_their_bills_are_held_until_the_office_says_so():
    pages = with_addresses_before()

    assert set(range(0, 2 * MANY, 2)) == set(held(sort_pages(pages)))
    settled = sort_pages(pages, nameless="before")
    assert {} == held(settled)
    assert [(2 * n, 2 * n + 1) for n in range(MANY)] == [bill.pages for bill in settled.bills]


@pytest.mark.parametrize(
    ("page", "account"),
    [
        pytest.param("Account Number:\n3874 Spring St", "3874", id="the next line's house"),
        pytest.param("Account Number: 12-3456", "12-3456", id="a piece"),
        pytest.param(f"Former Account Number: {number_of(5)}", number_of(5), id="a former account"),
    ],
)
def test_a_page_names_nobody_by(page, account):
    pages = [first_page(customer) for customer in range(60)]
    pages[10] = first_page(10, account=page)

    sorted_pages = sort_pages(pages)

    assert {10: ("odd-account",)} == held(sorted_pages)
    assert account not in [bill.account for bill in sorted_pages.bills if 10 in bill.pages]


@pytest.mark.parametrize(
    "line",
    [
        "Please write your account number on your check when you send us your payment by mail",
        "Questions? Call 555-010-2000 or 1-800-555-0199",
        "Larkspur CO 80500-1234, Permit 12-0034",
        "Meter 83920184, read on 10/28/2026",
        "Dear Customer,",
        "Estimado cliente:",
    ],
)
def test_a_page_follows_its_bill_whatever_else_it_prints(line):
    assert {} == held(sort_pages(with_letter(line), knowledge=CUSTOMERS))


def test_family_may_stand_on_each_others_pages():
    family = Knowledge.of(
        KnownCustomer(number_of(c), families=("cosigner LL1",) if c < 6 else ())
        for c in range(MANY)
    )
    pages = clean_file()
    summary = "\n".join(["Summary of your properties", *(number_of(c) for c in range(5))])
    pages.insert(2, summary)

    assert {} == held(sort_pages(pages, knowledge=family))
    pages[2] = f"{summary}\n{number_of(20)}"
    assert {2: ("accounts",)} == held(sort_pages(pages, knowledge=family))


def test_one_text_behind_many_bills_is_common_matter():
    news = ["Newsletter of November\nPage 1 of 2", "Leaf pickup of the city\nPage 2 of 2"]
    pages = []
    for customer in range(MANY):
        pages += [first_page(customer, number="Page 1 of 1"), *(news if customer % 2 else [])]

    sorted_pages = sort_pages(pages)

    assert {} == held(sorted_pages)
    assert not [bill for bill in sorted_pages.bills if bill.lacks]


def test_a_bill_without_its_last_page_is_incomplete():
    pages = clean_file(numbered=True)
    del pages[7]

    lacking = [bill for bill in sort_pages(pages).bills if bill.lacks]

    assert [(number_of(3), "It ends with page 1 of 2.")] == [(b.account, b.lacks) for b in lacking]


def test_what_the_office_ignores_is_counted():
    pages = with_letter("Amount Due: $987.65")

    sorted_pages = sort_pages(pages, ignore=("values",))

    assert {} == held(sorted_pages)
    assert ("values are not compared: 1 pages would have been held.",) == sorted_pages.warnings


def test_with_reports_only_the_page_stays_and_is_doubted():
    sorted_pages = sort_pages(with_letter("Page 1 of 1"), reports_only=True)

    assert {} == held(sorted_pages)
    assert [4] == [page.page for page in sorted_pages.doubted]


def hidden_number(account: str, behind: set[int], *, bills: int = MANY) -> dict[int, tuple]:
    """Sort a file where nobody sees this number on some customers' pages and behind the third."""
    facts = []
    for customer in range(bills):
        unseen = (account,) if customer in behind else ()
        facts.append(PageFacts(len(facts), (number_of(customer),), unseen=unseen))
        if customer == 3:
            facts.append(PageFacts(len(facts), unseen=(account,), has_text=True))
    return held(assign_pages(facts))


@pytest.mark.parametrize(
    ("account", "behind", "is_held"),
    [
        pytest.param("99-999999-99", set(), True, id="on this page alone"),
        pytest.param("99-999999-99", {1, 2}, True, id="on two customers' pages too"),
        pytest.param("99-999999-99", {1, 2, 5, 8, 9}, True, id="on a few customers' pages"),
        pytest.param("99-999999-99", set(range(MANY)), False, id="the utility's own, on all"),
        pytest.param(number_of(7), set(range(MANY)), True, id="a customer's of the file, on all"),
        pytest.param(number_of(3), set(), False, id="the bill's own"),
    ],
)
def test_a_number_that_nobody_sees_is_anothers_unless_it_is_on_everybodys_pages(
    account, behind, is_held
):
    assert is_held == (4 in hidden_number(account, behind))
