"""Copies of a bulk file that pdfium read are read back by the direct reader, as strictly."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.bills import BillRange
from domain.money import Money
from splitter.copying import verifying
from splitter.copying.copier import BillCopier
from splitter.copying.layout import read_layout
from splitter.copying.verifying import ForeignAccounts, examine
from splitter.direct_text import page_text
from splitter.direct_text.content import fragments
from splitter.reading.copies import CopyReader
from splitter.reading.page import DocumentText
from splitter.text.normalizing import text_checksum
from splitter.text.patterns import compile_patterns
from tests.splitter.content_builders import write_contents
from tests.splitter.pdf_builders import a_bulk_file, a_page, write_pdf

PATTERNS = compile_patterns(a_bulk_file())
ACCOUNTS = ("01.1037.1", "02.2048.2", "03.3059.3")
FOREIGN = ForeignAccounts(frozenset(ACCOUNTS))
PAGES = [
    page
    for number, account in enumerate(ACCOUNTS)
    for page in (
        a_page(account, f"Usage {number}.17", number="1 of 2"),
        a_page("", f"More usage {number}.29", number="2 of 2"),
    )
]


@pytest.fixture(scope="module")
def bulk(tmp_path_factory):
    return write_pdf(tmp_path_factory.mktemp("bulk") / "bills.pdf", PAGES)


@pytest.fixture(scope="module")
def copier(bulk):
    return BillCopier.open(bulk)


@pytest.fixture(scope="module")
def checksums(bulk):
    """What pdfium reads on the pages of the bulk file."""
    document = DocumentText(bulk, PATTERNS)
    try:
        return [text_checksum(document.facts(page)[1]) for page in range(len(PAGES))]
    finally:
        document.close()


def the_bill(number, checksums):
    pages = (2 * number, 2 * number + 1)
    told = tuple(checksums[page] for page in pages)
    amount, due_on = Money.parse("12.50"), date(2026, 11, 20)
    return BillRange(ACCOUNTS[number], pages, amount, due_on, told)


def looked_at(copy, bill, reader):
    return examine(copy, bill, PATTERNS, FOREIGN, audits=False, reader=reader)


def test_a_good_copy_is_read_without_pdfium(copier, checksums, monkeypatch):
    monkeypatch.setattr(verifying, "_read_back", lambda *_: pytest.fail("pdfium was asked"))
    reader = CopyReader(PATTERNS)
    for number in range(3):
        bill = the_bill(number, checksums)
        found = looked_at(copier.copy(bill.pages), bill, reader)
        assert (found.findings, found.is_read_back) == ((), True)


HEAD = b"/Head Do BT /Plain 9 Tf 72 742 Td (Water \\267 Sewer) Tj ET "
BOX = (
    b"BT /Plain 11 Tf 72 %d Td (Account: %s) Tj 0 -20 Td (Due Date: 11/20/2026) Tj ET"
    b" BT /Plain 12 Tf 72 400 Td (Amount Due:) Tj ET BT /Bold 17 Tf 300 399 Td ($12.50) Tj ET"
)


def a_boxed_file(folder, contents):
    """A bulk file with a letterhead in a form, and the amount beside its label, a point lower."""
    path = write_contents(folder / "bills.pdf", contents)
    document = DocumentText(path, PATTERNS)
    try:
        read = [document.facts(page) for page in range(len(contents))]
    finally:
        document.close()
    bills = [
        BillRange(
            facts.accounts[0], (page,), facts.amounts[0], facts.due_dates[0], (text_checksum(text),)
        )
        for page, (facts, text) in enumerate(read)
    ]
    return BillCopier.open(path), bills


def test_a_letterhead_and_a_large_amount_beside_its_label_are_no_reason_to_ask_pdfium(
    tmp_path, monkeypatch
):
    contents = [HEAD + BOX % (600 - at, one.encode()) for at, one in enumerate(ACCOUNTS)]
    copier, bills = a_boxed_file(tmp_path, contents)
    drawn, reader = [], CopyReader(PATTERNS)
    with monkeypatch.context() as patched:
        patched.setattr(verifying, "_read_back", lambda *_: pytest.fail("pdfium was asked"))
        patched.setattr(page_text, "fragments", lambda *of: drawn.append(of[0]) or fragments(*of))
        for bill in bills:
            assert not looked_at(copier.copy(bill.pages), bill, reader).findings

    assert 1 == sum(b"City of Larkspur" in content for content in drawn)  # known afterwards
    for bill, other in pairwise(bills):
        assert looked_at(copier.copy(other.pages), bill, CopyReader(PATTERNS)).findings


@pytest.mark.parametrize(
    "drawn",
    [
        pytest.param(
            b"BT /Plain 9 Tf 72 300 Td (Thanks) Tj ET BT /Plain 9 Tf 72.5 299 Td (Thanks) Tj ET ",
            id="a shadow",
        ),
        pytest.param(
            b"BT /Plain 9 Tf 300 300 Td (b) Tj ET BT /Plain 9 Tf 72 301 Td (a) Tj ET ",
            id="one line drawn from its end",
        ),
    ],
)
def test_what_pdfium_takes_in_another_order_is_left_to_it(tmp_path, drawn, monkeypatch):
    copier, (bill,) = a_boxed_file(tmp_path, [BOX % (600, ACCOUNTS[0].encode()) + b" " + drawn])
    copy = copier.copy(bill.pages)
    asked = []
    read_back = verifying._read_back
    monkeypatch.setattr(verifying, "_read_back", lambda *of: asked.append(of) or read_back(*of))

    assert not looked_at(copy, bill, CopyReader(PATTERNS)).findings
    ((_, text),) = CopyReader(PATTERNS).read(read_layout(copy))
    assert text_checksum(text) != bill.text_checksums[0]
    assert asked


def test_the_fonts_of_copies_that_begin_alike_are_read_once(copier, checksums, monkeypatch):
    asked = []
    read_font = page_text.read_font
    monkeypatch.setattr(
        page_text, "read_font", lambda source, raw: asked.append(raw) or read_font(source, raw)
    )
    reader = CopyReader(PATTERNS)
    for number in range(3):
        bill = the_bill(number, checksums)
        assert not looked_at(copier.copy(bill.pages), bill, reader).findings
    assert len(asked) == len(set(asked))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(PAGES) - 1), min_size=1, max_size=4), st.integers(0, 2))
def test_a_copy_of_other_pages_does_not_leave(copier, checksums, pages, number):
    bill = the_bill(number, checksums)
    copy = copier.copy(pages)
    directly = looked_at(copy, bill, CopyReader(PATTERNS))
    by_pdfium = examine(copy, bill, PATTERNS, FOREIGN, audits=False)
    assert directly == by_pdfium
    assert bool(directly.findings) == (tuple(pages) != bill.pages)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_copy_that_was_changed_does_not_leave_unless_it_says_the_same(copier, checksums, data):
    """Whatever byte is another one: what passes is what pdfium, which reads it anew, passes."""
    bill = the_bill(0, checksums)
    copy = bytearray(copier.copy(bill.pages))
    place = data.draw(st.integers(0, len(copy) - 1))
    copy[place] ^= data.draw(st.integers(1, 255))
    if passes_directly(bytes(copy), bill):
        assert not examine(bytes(copy), bill, PATTERNS, FOREIGN, audits=False).findings


def passes_directly(copy, bill):
    with pytest.MonkeyPatch.context() as patched:  # where pdfium would be asked it has not passed
        patched.setattr(verifying, "_read_back", lambda *_: [verifying.UNREADABLE])
        return not looked_at(copy, bill, CopyReader(PATTERNS)).findings


def test_what_the_bill_must_show_is_asked_of_the_direct_reader_too(copier, checksums):
    bill = the_bill(0, checksums)
    copy = copier.copy(bill.pages)
    read = CopyReader(PATTERNS).read(read_layout(copy))
    assert [facts.accounts for facts, _ in read] == [(ACCOUNTS[0],), ()]
    for wrong in (
        BillRange(ACCOUNTS[1], bill.pages, bill.amount_due, bill.due_on, bill.text_checksums),
        BillRange(ACCOUNTS[0], bill.pages, Money.parse("1.00"), bill.due_on, bill.text_checksums),
        BillRange(ACCOUNTS[0], bill.pages, bill.amount_due, date(2026, 1, 1), bill.text_checksums),
        BillRange(ACCOUNTS[0], bill.pages, bill.amount_due, bill.due_on, (1, 2)),
    ):
        assert looked_at(copy, wrong, CopyReader(PATTERNS)).findings


def test_the_font_of_another_copy_is_not_taken_for_its_own(tmp_path, copier, checksums):
    """Two files name their font alike and mean another one: what is known is known by bytes."""

    def in_courier(canvas, _page):
        canvas.setFont("Courier", 9)
        canvas.drawString(72, 300, "Thank you")

    other = BillCopier.open(write_pdf(tmp_path / "other.pdf", PAGES, in_courier))
    reader = CopyReader(PATTERNS)
    for source in (copier, other, copier, other):
        layout = read_layout(source.copy([0, 1]))
        assert reader.read(layout) == CopyReader(PATTERNS).read(layout)


@pytest.mark.parametrize(
    ("written", "changed"),
    [
        pytest.param(b"/Catalog/Pages", b"/Catalog/Pagfs", id="the catalog names no pages"),
        pytest.param(b"<</Type/Catalog", b"<</Typf/Catalog", id="the catalog is none"),
        pytest.param(b"0 0 612 792", b"0 0 612 692", id="text stands beside the page"),
        pytest.param(b"0 0 612 792", b"0 0 -12 792", id="the page has no breadth"),
    ],
)
def test_what_other_readers_would_not_find_is_not_read_directly(
    copier, checksums, written, changed
):
    bill = the_bill(0, checksums)
    copy = copier.copy(bill.pages)
    assert passes_directly(copy, bill)
    assert written in copy
    assert not passes_directly(copy.replace(written, changed), bill)
