"""Bulk files whose bookmarks name the accounts."""

from __future__ import annotations

import json
import re
import shlex
import tempfile
import tomllib
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_line.main import run
from domain.accounts import account_key
from domain.bills import PageFacts
from domain.failures import Misuse, Refused
from splitter.association import claims
from splitter.association.claims import AccountMark, claims_of
from splitter.association.knowledge import Knowledge, KnownCustomer
from splitter.bulk_file.assignment import assign_pages
from splitter.bulk_file.splitting import Splitting, plan, split
from splitter.guessing.guess import guess_bookmarks
from splitter.store.bill_store import BillStore
from tests.splitter.outline_builders import WAYS, by_name, with_bookmarks
from tests.splitter.pdf_builders import (
    a_bulk_file,
    a_page,
    changed,
    everything_in,
    text,
    write_pdf,
)

TITLE = r"Account ([0-9.]+)"
ONE, TWO, THREE = "01.1037.1", "02.2048.2", "03.3059.3"
SILENT = [["Water 12.50"], ["Usage"], ["Water 13.50"], ["Water 14.50"], ["Usage"]]
BILLS = [(f"Account {ONE}", 0), (f"Account {TWO}", 2), (f"Account {THREE}", 3)]


def by_bookmarks(**changes: object):
    return a_bulk_file(**({"by": "bookmarks", "title": TITLE} | changes))


def pages_of(assignment):
    return {bill.account: bill.pages for bill in assignment.bills}


def reasons_of(assignment):
    return {found.page: found.reason for found in assignment.unassigned}


@pytest.fixture
def silent(tmp_path):
    """Pages that print no account at all."""
    return write_pdf(tmp_path / "bills.pdf", SILENT)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_page_belongs_to_the_account_that_its_bookmark_names(silent, way):
    with_bookmarks(silent, BILLS, way)

    assignment = plan(silent, by_bookmarks(), processes=1)

    assert {ONE: (0, 1), TWO: (2,), THREE: (3, 4)} == pages_of(assignment)
    assert () == assignment.unassigned


@pytest.mark.parametrize("order", [BILLS, BILLS[::-1]], ids=["in order", "backwards"])
def test_the_order_of_bookmarks_does_not_matter(silent, order):
    with_bookmarks(silent, order)

    assert [ONE, TWO, THREE] == [bill.account for bill in plan(silent, by_bookmarks()).bills]


def test_copies_bear_no_bookmark_and_no_name_of_another(silent, tmp_path):
    with_bookmarks(silent, BILLS, by_name)

    filed = split(silent, by_bookmarks(), BillStore(tmp_path / "store"), prefix="", processes=1)

    assert [] == [problem.message for problem in filed.problems]
    copies = {bill.account: (tmp_path / "store" / bill.path).read_bytes() for bill in filed.bills}
    assert [ONE, TWO, THREE] == list(copies)
    assert "Water 13.50" in text(copies[TWO])
    for copy in copies.values():
        held = everything_in(copy)
        assert b"Outlines" not in held and b"Dests" not in held and b"Account 0" not in held


def test_bookmarks_of_a_level_count_and_those_above_it_begin_nobodys_pages(tmp_path):
    pages = [["Route 7"], *SILENT, ["Route 8"], ["Water 20.00"]]
    bulk = write_pdf(tmp_path / "bills.pdf", pages)
    route = [(title, page + 1, [("Account 99 meter", page + 1)]) for title, page in BILLS]
    with_bookmarks(bulk, [("Route 7", 0, route), ("Route 8", 6, [("Account 04.4060.4", 7)])])

    assignment = plan(bulk, by_bookmarks(level=2), processes=1)

    assert {ONE: (1, 2), TWO: (3,), THREE: (4, 5), "04.4060.4": (7,)} == pages_of(assignment)
    assert {0: claims.NAMES_NONE, 6: claims.NAMES_NONE} == reasons_of(assignment)


def test_a_page_that_names_another_account_is_held_and_so_is_what_stands_before(tmp_path):
    pages = [["Cover"], a_page(ONE), a_page(TWO), a_page(THREE), a_page(ONE), ["goes on"]]
    bulk = with_bookmarks(
        write_pdf(tmp_path / "bills.pdf", pages), [(f"Account {ONE}", 1), (f"Account {TWO}", 3)]
    )

    assignment = plan(bulk, by_bookmarks(), processes=1)

    assert {ONE: (1,)} == pages_of(assignment)
    held = reasons_of(assignment)
    assert (claims.BEFORE_FIRST, claims.GOES_ON_OTHERWISE) == (held[0], held[2])
    assert (claims.OTHERWISE, claims.GOES_ON_OTHERWISE) == (held[3], held[4])
    assert 5 in held


def test_a_page_that_prints_another_customers_number_is_held_though_it_has_a_bookmark(tmp_path):
    others = "44-012345-19"
    pages = [["Water"], [f"Please pay for {others} by mail"], ["Water"]]
    titles = ["44-012345-18", "44-012345-20", "44-012345-21"]
    bulk = with_bookmarks(
        write_pdf(tmp_path / "bills.pdf", pages),
        [(f"Account {title}", page) for page, title in enumerate(titles)],
    )
    knowledge = Knowledge.of(KnownCustomer(number) for number in [*titles, others])

    with Splitting(bulk, by_bookmarks(title="Account ([0-9-]+)"), processes=1) as splitting:
        assignment = splitting.plan(knowledge=knowledge)

    assert {1: f"It prints {others}, the account of another customer."} == reasons_of(assignment)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([(f"Account {ONE}", 0), (f"Account {TWO}", 0)], claims.SEVERAL_HERE),
        ([(f"Account {ONE} Account {TWO}", 0)], claims.SEVERAL_IN_ONE),
        ([("Insert", 0)], claims.NAMES_NONE),
    ],
)
def test_bookmarks_that_do_not_agree_give_their_pages_to_nobody(silent, entries, reason):
    with_bookmarks(silent, [*entries, BILLS[1]])

    assignment = plan(silent, by_bookmarks(), processes=1)

    assert {TWO: (2, 3, 4)} == pages_of(assignment)
    assert {0: reason, 1: reason} == reasons_of(assignment)


def test_an_account_with_two_bookmarks_apart_has_two_bills(silent):
    with_bookmarks(silent, [BILLS[0], BILLS[1], (f"Account {ONE}", 3)])

    bills = plan(silent, by_bookmarks(), processes=1).bills

    assert [(ONE, (0, 1)), (TWO, (2,)), (ONE, (3, 4))] == [(b.account, b.pages) for b in bills]


def test_the_title_may_be_found_by_the_pattern_of_the_pages(tmp_path):
    bulk = write_pdf(tmp_path / "bills.pdf", [a_page(ONE), ["goes on"], a_page(TWO)])
    with_bookmarks(bulk, [(f"Account: {ONE} SMITH", 0), (f"Account: {TWO}", 2)])

    assert {ONE: (0, 1), TWO: (2,)} == pages_of(plan(bulk, by_bookmarks(title=None), processes=1))


def test_a_bookmark_on_a_separator_counts_for_the_page_behind_it(tmp_path):
    bulk = write_pdf(tmp_path / "bills.pdf", [["BATCH"], ["Water"], ["BATCH"], ["Water 2"]])
    with_bookmarks(bulk, [(f"Account {ONE}", 0), (f"Account {TWO}", 2)])

    assignment = plan(bulk, by_bookmarks(separator="BATCH"), processes=1)

    assert ({ONE: (1,), TWO: (3,)}, (0, 2)) == (pages_of(assignment), assignment.separators)


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ({}, "Bookmark 2 of bills.pdf of 02.2048.2 leads to no page"),
        ({"Dest": pikepdf.Array([99, pikepdf.Name.Fit])}, "leads to no page"),
        ({"Dest": pikepdf.String("nowhere")}, "leads to no page"),
        ({"Dest": pikepdf.Array([])}, "leads to no page"),
        ({"A": pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("x"))}, "leads to no"),
        (
            {"A": pikepdf.Dictionary(S=pikepdf.Name.GoToR, D=pikepdf.Array([0]))},
            "leads to no page",
        ),
    ],
)
def test_a_bookmark_that_leads_to_no_page_stops_the_file(silent, to, told):
    with_bookmarks(silent, [BILLS[0], (f"Account {TWO}", to), BILLS[2]])

    with pytest.raises(Refused, match=told):
        plan(silent, by_bookmarks(), processes=1)


def test_a_bookmark_to_a_page_that_the_file_has_twice_leads_to_none(silent):
    def double(pdf):
        pdf.Root.Pages.Kids.append(pdf.Root.Pages.Kids[2])
        pdf.Root.Pages.Count = 6

    changed(with_bookmarks(silent, BILLS), double)

    with pytest.raises(Refused, match=r"Bookmark 2 of bills.pdf|list of pages"):
        plan(silent, by_bookmarks(), processes=1)


def test_bookmarks_in_a_circle_stop_the_file(silent):
    def bend(pdf):
        pdf.Root.Outlines.Last.Next = pdf.Root.Outlines.First

    changed(with_bookmarks(silent, BILLS), bend)

    with pytest.raises(Refused, match="they go round in a circle behind number 3"):
        plan(silent, by_bookmarks(), processes=1)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([], "has no bookmarks; please export it with them"),
        ([("Part 1", 0)], "names an account at level 1.*please correct the pattern"),
        ([("Part 1", 0, [BILLS[0]])], "levels 1, 2.*say level = 2"),
    ],
)
def test_bookmarks_that_name_nobody_stop_the_file(silent, entries, told):
    with_bookmarks(silent, entries)

    with pytest.raises(Refused, match=told):
        plan(silent, by_bookmarks(), processes=1)


def test_a_title_pattern_without_a_group_is_refused(silent):
    with pytest.raises(Misuse, match="The pattern title 'x' has no group 1"):
        plan(silent, by_bookmarks(title="x"), processes=1)


def test_thousands_of_bookmarks_take_no_longer_each(tmp_path):
    many = 3000
    with pikepdf.new() as pdf:
        for _ in range(many):
            pdf.add_blank_page(page_size=(200, 200))
        pdf.save(tmp_path / "bills.pdf")
    entries = [(f"Account {number:07}", number) for number in range(many)]
    bulk = with_bookmarks(tmp_path / "bills.pdf", entries, by_name)

    assert many == len(plan(bulk, by_bookmarks(), processes=1).bills)


@pytest.mark.parametrize(
    ("bookmarks", "level", "pattern"),
    [
        ([(1, f"Account {one}") for one in (ONE, TWO, THREE)], 1, r"^Account\ ("),
        ([(1, "Route 7"), (2, ONE), (2, TWO), (1, "Route 8"), (2, THREE)], 2, "^([0-9]"),
        ([(1, f"{one} SMITH") for one in (ONE, TWO)], 1, "^([0-9]"),
    ],
)
def test_bookmarks_that_seem_to_name_accounts_are_found(bookmarks, level, pattern):
    guessed = guess_bookmarks(bookmarks)

    assert guessed is not None and level == guessed.level
    assert guessed.pattern.startswith(pattern)
    titles = [title for depth, title in bookmarks if depth == level]
    assert list(guessed.values) == [re.search(guessed.pattern, title)[1] for title in titles]


@pytest.mark.parametrize(
    "bookmarks",
    [
        [],
        [(1, "Part 1"), (1, "Part 2")],
        [(1, f"Account {ONE}")],
        [(1, f"Account {ONE}"), (1, f"Account {ONE}"), (1, f"Account {ONE}")],
        [(1, f"Account {ONE}"), (1, "Water"), (1, "Sewer"), (1, f"Account {TWO}")],
    ],
)
def test_other_bookmarks_are_not_called_accounts(bookmarks):
    assert guess_bookmarks(bookmarks) is None


def test_the_command_pattern_writes_what_splits_such_a_file(silent, tmp_path, capsys):
    with_bookmarks(silent, [("All", 0, BILLS)])

    status = run(["pattern", str(silent), "--json"])
    told = json.loads(capsys.readouterr().out)
    again = run([*shlex.split(told["command"])[1:], "--json"])
    split_by_it = json.loads(capsys.readouterr().out)

    written = tomllib.loads(told["toml"])["documents"][0]
    assert (0, "bookmarks", 2) == (status, written["by"], written["level"])
    assert (0, [ONE, TWO, THREE]) == (again, [bill["account"] for bill in split_by_it["bills"]])


# -- properties, without any PDF

ACCOUNTS = ["10.1", "20.2", "30.3"]
PAGES = st.lists(
    st.tuples(st.sampled_from(["", "", *ACCOUNTS]), st.booleans()), min_size=1, max_size=12
)
MARKS = st.lists(
    st.tuples(st.integers(0, 11), st.lists(st.sampled_from(ACCOUNTS), max_size=2)), max_size=8
)


@settings(max_examples=300, deadline=None)
@given(PAGES, MARKS)
def test_no_page_is_joined_against_its_bookmark_or_its_text(pages, marks):
    facts = [
        PageFacts(page, accounts=(account,) if account and not is_separator else (),
                  is_separator=is_separator, text_checksum=page + 1)
        for page, (account, is_separator) in enumerate(pages)
    ]  # fmt: skip
    told = [AccountMark(1, page, tuple(accounts)) for page, accounts in marks]
    bulk = by_bookmarks()
    try:
        claimed = claims_of(told, bulk).applied(facts)
    except Refused:
        return

    assignment = assign_pages(claimed)

    placed = [page for bill in assignment.bills for page in bill.pages]
    held = [found.page for found in assignment.unassigned]
    assert list(range(len(facts))) == sorted([*placed, *held, *assignment.separators])
    for bill in assignment.bills:
        own = account_key(bill.account)
        for page in bill.pages:
            assert {account_key(one) for one in facts[page].accounts} <= {own}
            before = [mark for mark in told if mark.page <= page]
            last = max(mark.page for mark in before)
            here = {account_key(a) for m in before if m.page == last for a in m.accounts}
            assert {own} == here


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(5)), st.integers(1, 5))
def test_any_order_and_number_of_bookmarks_gives_the_same_bills(order, kept):
    chosen = [(f"Account {page}{page}.1", page) for page in order[:kept]]
    with tempfile.TemporaryDirectory() as folder:
        path = write_pdf(Path(folder) / "bills.pdf", SILENT)
        from splitter.pdf.bookmarks import read_bookmarks
        from splitter.pdf.opening import open_source

        _, tree = open_source(with_bookmarks(path, chosen))
        read = read_bookmarks(tree)

    assert chosen == [(mark.title, mark.page) for mark in read]
