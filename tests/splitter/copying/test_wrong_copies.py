"""Whatever a fault of the writer could leave in a copy, with tags or without, it does not leave."""

from __future__ import annotations

import io
from datetime import date

import pytest
from pikepdf import Array, Dictionary, Name, String

from domain.bills import BillRange
from domain.money import Money
from splitter.copying.copier import BillCopier
from splitter.copying.verifying import ForeignAccounts, examine
from splitter.reading.copies import CopyReader
from splitter.reading.page import DocumentText
from splitter.text.normalizing import text_checksum
from splitter.text.patterns import compile_patterns
from tests.splitter.pdf_builders import a_bulk_file, a_page, opened, write_pdf
from tests.splitter.tagged_builders import write_tagged

ACCOUNTS = ("11-111111-11", "22-222222-22", "33-333333-33")
PATTERNS = compile_patterns(a_bulk_file(account=r"Account: ([0-9-]+)"))
FOREIGN = ForeignAccounts(frozenset(ACCOUNTS))


def untagged(path):
    """Each bill's first page names it, the second one is alike in all."""
    rows = [
        page
        for number, account in enumerate(ACCOUNTS)
        for page in (a_page(account), a_page("", f"Usage {number}.17"))
    ]
    return write_pdf(path, rows)


def tagged(path):
    return write_tagged(path, accounts=tuple(a for a in ACCOUNTS for _ in range(2)))


class Desk:
    """A bulk file of three bills with two pages each, and the first bill as it must be."""

    def __init__(self, path, write):
        self.file = write(path)
        self.copier = BillCopier.open(self.file)
        document = DocumentText(self.file, PATTERNS)
        try:
            told = tuple(text_checksum(document.facts(page)[1]) for page in (0, 1))
        finally:
            document.close()
        amount, due_on = Money.parse("12.50"), date(2026, 11, 20)
        self.bill = BillRange(ACCOUNTS[0], (0, 1), amount, due_on, text_checksums=told)

    def examined(self, copy):
        reader = CopyReader(PATTERNS)
        return examine(copy, self.bill, PATTERNS, FOREIGN, audits=False, reader=reader)


@pytest.fixture(scope="module", params=[untagged, tagged])
def desk(request, tmp_path_factory):
    return Desk(tmp_path_factory.mktemp("bulk") / "bills.pdf", request.param)


def test_the_right_copy_leaves(desk):
    assert () == desk.examined(desk.copier.copy([0, 1])).findings


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([0, 3], id="a page of somebody else"),
        pytest.param([2, 3], id="somebody else's bill"),
        pytest.param([0], id="a page is missing"),
        pytest.param([0, 1, 1], id="a page stands twice"),
        pytest.param([0, 1, 2], id="a page too many"),
        pytest.param([], id="no page"),
    ],
)
def test_a_copy_of_other_pages_does_not_leave(desk, pages):
    assert desk.examined(desk.copier.copy(pages)).findings


def rewritten(copy, change):
    with opened(copy) as pdf:
        change(pdf, pdf.pages[0].obj)
        written = io.BytesIO()
        pdf.save(written)
    return written.getvalue()


def annotation(pdf, page, **entries):
    mark = Dictionary(Type=Name.Annot, Rect=[9, 9, 99, 99], **entries)
    page.Annots = Array([pdf.make_indirect(mark)])


def a_link_into_a_document(pdf, page):
    annotation(pdf, page, Subtype=Name.Link, Dest=Array([page, Name.Fit]))


def a_link_that_runs_something(pdf, page):
    act = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
    annotation(pdf, page, Subtype=Name.Link, A=act)


def a_note_that_leads_to_its_page(pdf, page):
    annotation(pdf, page, Subtype=Name.Text, Contents=String(ACCOUNTS[1]), P=page)


def a_form_field(pdf, page):
    annotation(pdf, page, Subtype=Name.Widget, T=String(ACCOUNTS[1]))
    pdf.Root.AcroForm = Dictionary(Fields=page.Annots)


def a_file_beside_it(pdf, _page):
    pdf.attachments["other.txt"] = ACCOUNTS[1].encode()


def an_author(pdf, _page):
    pdf.docinfo["/Author"] = ACCOUNTS[1]


def an_object_that_nobody_uses(pdf, _page):
    pdf.Root.Unknown = pdf.make_indirect(Dictionary(Thumb=pdf.make_stream(b"x")))


def a_tag_with_more_in_it(pdf, page):
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    told = Dictionary(Type=Name.StructElem, S=Name.P, P=root, Pg=page, R=1, T=String(ACCOUNTS[1]))
    root.K = pdf.make_indirect(told)
    pdf.Root.StructTreeRoot, pdf.Root.MarkInfo = root, Dictionary(Marked=True)


def another_page_in_no_list(pdf, page):
    pdf.Root.Spare = pdf.make_indirect(Dictionary(page))


@pytest.mark.parametrize(
    "change",
    [
        a_link_into_a_document, a_link_that_runs_something, a_note_that_leads_to_its_page,
        a_form_field, a_file_beside_it, an_author, an_object_that_nobody_uses,
        a_tag_with_more_in_it, another_page_in_no_list,
    ],
)  # fmt: skip
def test_a_copy_with_something_more_does_not_leave(desk, change):
    assert desk.examined(rewritten(desk.copier.copy([0, 1]), change)).findings


def places(copy):
    return range(10, len(copy), max(1, len(copy) // 37))


def test_a_copy_that_was_cut_off_does_not_leave(desk):
    copy = desk.copier.copy([0, 1])

    for end in (*places(copy), len(copy) - 7):
        examined = desk.examined(copy[:end])
        assert examined.findings, end


def test_a_copy_whose_table_leads_elsewhere_is_never_taken_for_clean(desk):
    """A reader that mends the table may find all of it: then it is looked through in full."""
    copy = desk.copier.copy([0, 1])
    start = copy.rindex(b"startxref\n") + 10
    end = copy.index(b"\n", start)
    table = int(copy[start:end])

    for shift in (-9, -1, 1, 20):
        spoiled = copy[:start] + b"%d" % (table + shift) + copy[end:]
        examined = desk.examined(spoiled)
        assert examined.findings or examined.is_audited


def test_a_copy_that_another_page_was_added_to_does_not_leave(desk):
    """An update behind the end takes the place of what stands before it."""
    copy = desk.copier.copy([0, 1])
    other = desk.copier.copy([2, 3])

    assert desk.examined(copy + other).findings
    assert desk.examined(copy + b"\n" + other).findings


def test_what_says_something_else_anywhere_in_a_page_does_not_leave(desk):
    """Each stream of a page, replaced by that of another bill's page."""
    copy, other = desk.copier.copy([0, 1]), desk.copier.copy([2, 3])
    with opened(other) as donor:
        contents = [page.Contents.read_bytes() for page in donor.pages]

    for number, content in enumerate(contents):
        spoiled = rewritten(
            copy,
            lambda pdf, _page, number=number, content=content: pdf.pages[number].Contents.write(
                content
            ),
        )
        assert desk.examined(spoiled).findings, number
