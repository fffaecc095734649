"""Pages that could mislead a reader: the direct reader says nothing, or exactly what is there."""

from __future__ import annotations

import contextlib
import time

import pikepdf
import pytest

from splitter.direct_text.content import MOST_BYTES, fragments
from splitter.direct_text.fonts import read_cmap
from splitter.direct_text.page_facts import DirectFacts
from splitter.pdf.opening import open_source
from splitter.pdf.syntax import UnsupportedPdf
from splitter.text.patterns import compile_patterns
from tests.splitter.content_builders import write_contents
from tests.splitter.pdf_builders import a_bulk_file, a_page, changed, write_pdf

REST = (
    b"BT /Plain 12 Tf 72 500 Td (Amount Due: $12.50) Tj 0 -20 Td (Due Date: 11/20/2026) Tj"
    b" 0 -20 Td (Thank you for your payment) Tj ET"
)
NAMED = b"BT /Plain 12 Tf 72 600 Td (Account: 01.1037.1) Tj ET "


def showing(statement):
    return b"BT /Plain 12 Tf 72 600 Td " + statement + b" ET "


def said(tmp_path, *contents, change=None, **bulk):
    """What the direct reader says of the first page."""
    content = contents[0] if len(contents) == 1 else list(contents)
    path = write_contents(tmp_path / "bills.pdf", [content])
    if change is not None:
        changed(path, change)
    return DirectFacts(*open_source(path), compile_patterns(a_bulk_file(**bulk))).facts(0)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(NAMED, id="a string"),
        pytest.param(NAMED.replace(b"(Acc", b"(\\101cc"), id="an escaped letter"),
        pytest.param(NAMED.replace(b"(Acc", b"(A\\\ncc"), id="a string over two lines"),
        pytest.param(showing(b"<4163636F756E743A2030312E313033372E31> Tj"), id="hexadecimal"),
        pytest.param(showing(b"[(Account: 01)-20(.10)15(37.1)3] TJ"), id="an account in pieces"),
        pytest.param(showing(b"[(Account:)-400(01.1037.1)] TJ"), id="a wide gap for a space"),
        pytest.param(showing(b"(Account: 01.1) Tj (037.1) Tj"), id="an account in two statements"),
        pytest.param(showing(b"(Account: 01.1) Tj () Tj [()] TJ 14 TL (037.1) Tj"),
                     id="empty strings in between"),
        pytest.param(NAMED.replace(b") Tj", b"  \\(new \\(one\\)\\)) Tj"), id="escaped brackets"),
        pytest.param(NAMED.replace(b") Tj", b" (new)) Tj"), id="brackets that match"),
        pytest.param(b"BT /Plain 12 Tf 300 600 Td (01.1037.1) Tj ET BT /Bold 12 Tf 72 600 Td"
                     b" (Account:) Tj ET ", id="the value drawn before its label"),
        pytest.param(b"q 9 0 0 9 0 0 cm /Picture Do Q " + NAMED, id="a picture"),
        pytest.param(b"/Lines Do " + NAMED, id="a form of lines"),
        pytest.param(b"/Head Do " + NAMED, id="a letterhead in a form"),
        pytest.param(b"q /Whole Do Q " + NAMED, id="a letterhead in a form in a form"),
        pytest.param(b"/Named Do ", id="a form that names the account"),
        pytest.param(b"q .5 0 0 .5 0 100 cm /Named Do Q ", id="a smaller one, moved"),
        pytest.param(b"BT /Plain 12 Tf 72 640 Td (/Text Do) Tj ET /Lines Do " + NAMED,
                     id="a text that reads as if it drew a form"),
        pytest.param(b"/Opaque gs /P <</MCID 0>> BDC 1 0 0 rg [3 2] 0 d " + NAMED + b" EMC ",
                     id="colours, lines and marks"),
        pytest.param(b"q .5 0 0 -.5 0 792 cm BT /Plain 24 Tf 1 0 0 -1 144 384 Tm"
                     b" (Account: 01.1037.1) Tj ET Q ", id="a page upside down, twice"),
    ],
)  # fmt: skip
def test_an_account_is_read_from(content, tmp_path):
    facts, _ = said(tmp_path, content + REST)

    assert facts.accounts == ("01.1037.1",)


def test_contents_in_several_streams_are_one(tmp_path):
    facts, _ = said(tmp_path, b"BT /Plain 12 Tf 72 600 Td (Account: 01.1037.1)", b"Tj ET", REST)

    assert facts.accounts == ("01.1037.1",)


LETTERS = [b"BT /Plain 12 Tf %d 600 Td (%c) Tj ET" % (130 + 7 * place, sign)
           for place, sign in enumerate(b"12-345678-90")]  # fmt: skip
LABEL = b"BT /Plain 12 Tf 72 600 Td (Account:) Tj ET "


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(LABEL + b" ".join(LETTERS), id="letters drawn one by one"),
        pytest.param(LABEL + b" ".join(reversed(LETTERS)), id="letters drawn backwards"),
        pytest.param(b" ".join(reversed(LETTERS)), id="an account drawn backwards"),
        pytest.param(NAMED.replace(b".1)", b"-)") + b"BT /Plain 12 Tf 72 580 Td (90) Tj ET ",
                     id="an account broken after its dash"),
        pytest.param(LABEL.replace(b":)", b": 01.103)") + b"BT /Plain 12 Tf 72 580 Td (7) Tj ET ",
                     id="a scrap below an account"),
        pytest.param(b"BT /Plain 12 Tf 72 600 Td (Account: 12-34) Tj 0 -20 Td (Water) Tj ET"
                     b" BT /Plain 12 Tf 152.7 600 Td (56-90) Tj ET ",
                     id="an account that goes on later"),
        pytest.param(NAMED + b"BT /Plain 12 Tf 72 300 Td (Account: 99.9999.9) Tj ET ",
                     id="two accounts"),
        pytest.param(NAMED + b"BT 3 Tr /Plain 12 Tf 72 300 Td (Account: 99.9999.9) Tj ET ",
                     id="invisible text"),
        pytest.param(NAMED + b"BT /Plain 12 Tf -500 300 Td (Account: 99.9999.9) Tj ET ",
                     id="a second account beside the page"),
        pytest.param(NAMED + b"1 1 1 rg BT /Plain 12 Tf 72 300 Td (Account: 99.9999.9) Tj ET ",
                     id="a second account in white"),
        pytest.param(NAMED.replace(b"/Plain", b"/Unknown"), id="a font without a table"),
        pytest.param(NAMED.replace(b"/Plain", b"/Symbol"), id="a font of symbols"),
        pytest.param(NAMED.replace(b"/Plain", b"/Missing"), id="a font that is not there"),
        pytest.param(NAMED.replace(b"01.1037.1", b"01\\2551037\\2551"), id="soft hyphens"),
        pytest.param(NAMED.replace(b": ", b":\\240"), id="a space that does not break"),
        pytest.param(NAMED.replace(b"72 600 Td", b"0 1 -1 0 72 600 Tm"), id="turned text"),
        pytest.param(NAMED.replace(b"72 600 Td", b"-1 0 0 1 72 600 Tm"), id="mirrored text"),
        pytest.param(b"0 1 -1 0 600 0 cm " + NAMED, id="a turned page"),
        pytest.param(NAMED.replace(b"12 Tf", b"12 Tf 2 Tc"), id="spaced letters"),
        pytest.param(NAMED.replace(b"12 Tf", b"12 Tf 2 Tw"), id="spaced words"),
        pytest.param(NAMED.replace(b"12 Tf", b"12 Tf 50 Tz"), id="narrow text"),
        pytest.param(NAMED.replace(b"12 Tf", b"12 Tf 5 Ts"), id="raised text"),
        pytest.param(NAMED.replace(b" Tj", b" '"), id="the statement for a next line"),
        pytest.param(showing(b'0 0 (Account: 01.1037.1) "'), id="its longer form"),
        pytest.param(NAMED + b"/Text Do ", id="another account in a form"),
        pytest.param(b"/Small Do ", id="a form that cuts its text off"),
        pytest.param(b"0 1 -1 0 612 0 cm /Named Do ", id="a turned form"),
        pytest.param(b"/Head Do " + showing(b"(Account: 01.1) Tj") + b"BT /Plain 12 Tf /Head Do"
                     b" (037.1) Tj ET ", id="a text that goes on behind a form"),
        pytest.param(NAMED + b"/Nothing Do ", id="a form that is not there"),
        pytest.param(b"/Span <</ActualText (Account: 02.2)>> BDC " + NAMED + b"EMC ",
                     id="a text instead of the text"),
        pytest.param(b"/Span /MC0 BDC " + NAMED + b"EMC ", id="marks that are told elsewhere"),
        pytest.param(b"/OC /Layer BDC " + NAMED + b"EMC ", id="a layer"),
        pytest.param(b"/OC <</MCID 1>> BDC " + NAMED + b"EMC ", id="a layer in line"),
        pytest.param(NAMED + b"BI /W 1 /H 1 /BPC 8 /CS /G ID ( EI ", id="a picture in line"),
        pytest.param(b"% (Account: 02.2) Tj\n" + NAMED, id="a comment"),
        pytest.param(NAMED + b"(Account: 02.2) ", id="a string that is not shown"),
        pytest.param(NAMED + b"(Account: 02.2", id="a string that does not end"),
        pytest.param(NAMED + b"[(Account: 02.2)] ", id="an array that is not shown"),
        pytest.param(NAMED + b"<41636> Tj ", id="half a digit"),
        pytest.param(NAMED + b"BT 12 Tf ET ", id="a statement without its name"),
        pytest.param(NAMED + b"BT 12 Td ET ", id="a statement without its numbers"),
        pytest.param(NAMED + b"1 0 0 1 0 0 xx ", id="a statement nobody knows"),
        pytest.param(NAMED + b"Q ", id="more ends than beginnings"),
        pytest.param(b"/Plain 12 Tf (Account: 01.1037.1) Tj ", id="text outside of a text"),
        pytest.param(NAMED.replace(b"12 Tf", b"0.01 Tf"), id="tiny text"),
        pytest.param(NAMED.replace(b"12 Tf", b"-12 Tf"), id="a negative height"),
        pytest.param(NAMED.replace(b"72 6", b"72 6" + b"0" * 400), id="a place beyond all places"),
        pytest.param(showing(b"[(Account: 01.10)-120(37.1)] TJ"), id="a gap that may be a space"),
        pytest.param(showing(b"[(Account: 01.10)700(37.1)] TJ"), id="letters set backwards"),
        pytest.param(NAMED + NAMED, id="a shadow"),
        pytest.param(NAMED + NAMED.replace(b"600", b"604"), id="a raised line"),
        pytest.param(LABEL + b"BT /Plain 12 Tf 95 600 Td (01.1037.1) Tj ET ", id="text over text"),
    ],
)  # fmt: skip
def test_nothing_is_said_of_a_page_with(content, tmp_path):
    assert said(tmp_path, content + REST) is None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(NAMED + b"BT /Plain 12 Tf 72 500 Td (Amount Due: soon) Tj ET", id="no amount"),
        pytest.param(NAMED + REST + b" BT /Plain 12 Tf 72 300 Td (Amount Due: $9.00) Tj ET",
                     id="two amounts"),
        pytest.param(NAMED + REST + b" BT /Plain 12 Tf 72 300 Td (Due Date: 12/20/2026) Tj ET",
                     id="two due dates"),
        pytest.param(NAMED + REST + b" BT /Plain 12 Tf 72 300 Td (Page1 of 2) Tj ET",
                     id="a page number written oddly"),
        pytest.param(LABEL + REST, id="a label without its account"),
        pytest.param(b"", id="nothing on it"),
    ],
)  # fmt: skip
def test_nothing_is_said_without_certainty_where_there_is(content, tmp_path):
    assert said(tmp_path, content) is None


def test_with_a_region_nothing_is_said(tmp_path):
    assert said(tmp_path, NAMED + REST, region=(0, 0, 600, 700)) is None


def test_a_separator_is_one(tmp_path):
    facts, _ = said(
        tmp_path, b"BT /Plain 12 Tf 72 600 Td (BATCH  SEPARATOR) Tj ET", separator="BATCH SEPARATOR"
    )

    assert facts.is_separator


@pytest.mark.parametrize(
    ("kind", "is_settled"),
    [("/Link", True), ("/Popup", True), ("/FreeText", False), (None, False)],
)
def test_a_page_that_names_nobody_is_settled_unless_it_bears_marks(kind, is_settled, tmp_path):
    def mark(pdf):
        entries = {"/Type": pikepdf.Name.Annot, "/Rect": [0, 0, 9, 9]}
        entries |= {"/Subtype": pikepdf.Name(kind)} if kind else {}
        mark = pdf.make_indirect(pikepdf.Dictionary(entries))
        pdf.pages[0].obj.Annots = pikepdf.Array([mark])

    content = b"BT /Plain 12 Tf 72 600 Td (Usage details) Tj ET"

    assert is_settled == (said(tmp_path, content, change=mark) is not None)


def test_nothing_is_said_of_a_page_with_a_form_field_that_names_nobody(tmp_path):
    path = write_pdf(
        tmp_path / "bills.pdf",
        [["Usage details"]],
        lambda canvas, _: canvas.acroForm.textfield(name="account", value="02.2", x=72, y=500),
    )

    assert DirectFacts(*open_source(path), compile_patterns(a_bulk_file())).facts(0) is None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda pdf: pdf.pages[0].obj.__setitem__("/Rotate", 90), id="turned"),
        pytest.param(lambda pdf: pdf.pages[0].obj.__setitem__("/UserUnit", 2), id="in other units"),
        pytest.param(lambda pdf: pdf.pages[0].obj.__delitem__("/Contents"), id="without a content"),
        pytest.param(lambda pdf: pdf.pages[0].Resources.ExtGState.Opaque.__setitem__(
            "/Font", pikepdf.Array([pdf.pages[0].Resources.Font.Bold, 9])),
            id="its font set aside"),
        pytest.param(lambda pdf: pdf.pages[0].Resources.Font.Plain.__setitem__(
            "/Subtype", pikepdf.Name.Type3), id="its letters drawn"),
        pytest.param(lambda pdf: pdf.pages[0].Resources.Font.Plain.__setitem__(
            "/Encoding", pikepdf.Dictionary(Differences=[65, pikepdf.Name.B])), id="other letters"),
    ],
)  # fmt: skip
def test_nothing_is_said_of_a_page_that_is(change, tmp_path):
    assert said(tmp_path, NAMED + REST, change=change) is None


def of_form(**entries):
    def change(pdf):
        for name, value in entries.items():
            pdf.pages[0].Resources.XObject.Named["/" + name] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(of_form(Matrix=pikepdf.Array([1, 0, 0, 1, 0, -300])), id="moved by itself"),
        pytest.param(of_form(Matrix=pikepdf.Array([0, 1, -1, 0, 0, 0])), id="turned by itself"),
        pytest.param(of_form(OC=pikepdf.Dictionary(Type=pikepdf.Name.OCG)), id="on a layer"),
        pytest.param(of_form(Group=pikepdf.Dictionary(S=pikepdf.Name.Transparency)), id="a group"),
        pytest.param(of_form(Ref=pikepdf.Dictionary(Page=0)), id="of another file"),
        pytest.param(of_form(Resources=pikepdf.Dictionary()), id="without its font"),
        pytest.param(of_form(BBox=pikepdf.Array([0, 0, 612])), id="without a whole box"),
        pytest.param(lambda pdf: pdf.pages[0].Resources.XObject.Named.__delitem__("/Resources"),
                     id="in the fonts of its page"),
        pytest.param(lambda pdf: pdf.pages[0].Resources.XObject.Named.write(b"/Named Do "),
                     id="that draws what is not there"),
    ],
)  # fmt: skip
def test_nothing_is_said_of_a_form(change, tmp_path):
    assert said(tmp_path, b"/Named Do " + REST) is not None
    assert said(tmp_path, b"/Named Do " + REST, change=change) is None


def test_a_form_that_draws_itself_is_left_to_the_engines(tmp_path):
    def draw_itself(pdf):
        form = pdf.pages[0].Resources.XObject.Named
        form.write(b"/Named Do BT /Plain 12 Tf 72 600 Td (Account: 01.1037.1) Tj ET")
        form.Resources.XObject = pikepdf.Dictionary(Named=form)

    assert said(tmp_path, b"/Named Do " + REST, change=draw_itself) is None


def test_a_form_with_a_matrix_that_changes_nothing_is_read(tmp_path):
    change = of_form(Matrix=pikepdf.Array([1, 0, 0, 1, 0, 0]), FormType=1)

    facts, _ = said(tmp_path, b"/Named Do " + REST, change=change)

    assert facts.accounts == ("01.1037.1",)


def test_a_file_of_few_plain_pages_is_soon_left_to_the_engines(tmp_path):
    path = write_pdf(tmp_path / "bills.pdf", [["Account:"]] * 64 + [a_page("01.1037.1")] * 2)
    plain = DirectFacts(*open_source(path), compile_patterns(a_bulk_file()))

    assert plain.facts(64) is not None
    assert [plain.facts(page) for page in range(64)] == [None] * 64
    assert plain.facts(65) is None


HOSTILE = (
    *(b"[", b"(", b"<", b"<<", b"/a ", b"0 ", b"/a <<", b"[(", b"[<", b"BT ", b"((", b"\\(", b"q "),
    *(b"(a)", b"/P <</A /B>> ", b"\0", b"[0 ", b"((a)", b"%", b"1 0 0 1 0 0 cm ", b"()Tj ", b" "),
    *(b"[()]TJ ", b"/a 1 Tf ", b"/ActualText ", b"[(a)1(b)", b")", b"]", b">", b"0 0 Td ", b"-"),
)


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("size", [MOST_BYTES, 10_000_000])
def test_hostile_content_takes_no_time(piece, size):
    content = (b"BT " + piece * (size // len(piece)))[: size - 8]
    before = time.process_time()

    with pytest.raises((UnsupportedPdf, ValueError, LookupError)):
        fragments(content + b" (x) Tj", {})

    assert time.process_time() - before < 5


@pytest.mark.parametrize(
    "piece", [b"beginbfchar ", b"beginbfrange <00> ", b" ", b"<", b"<00>[", b"endbfchar"]
)
def test_a_hostile_table_takes_no_time(piece):
    before = time.process_time()

    with contextlib.suppress(UnsupportedPdf):
        read_cmap(b"beginbfrange" + piece * (1_000_000 // len(piece)), 2)

    assert time.process_time() - before < 5
