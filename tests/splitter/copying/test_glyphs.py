"""Letters of Type 3 fonts and names in contents: a bill gets what it draws, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name

from domain.failures import Refused
from splitter.copying.audit import audit
from splitter.copying.copier import BillCopier
from splitter.pdf.content import names_used, shown_codes, tokens
from splitter.pdf.syntax import UnsupportedPdf, plain
from tests.splitter.pdf_builders import (
    a_page,
    changed,
    everything_in,
    opened,
    page_objects,
    pixels,
    write_pdf,
)

MARKS = {"A": b"MarkOfAnn", "B": b"MarkOfBob", "C": b"MarkOfCid"}
DRAWN = b"1000 0 d0 0 0 %d 700 re f %% %b"


@pytest.fixture
def bills(tmp_path):
    return write_pdf(tmp_path / "bills.pdf", [a_page("01.1037.1"), a_page("02.2048.2")])


def a_font(pdf, **changes):
    """A font whose letters A, B and C are three customers' marks."""
    glyphs = {
        f"/g{letter}": pdf.make_stream(DRAWN % (300 + 100 * place, mark))
        for place, (letter, mark) in enumerate(MARKS.items())
    }
    parts = {
        "Type": Name.Font, "Subtype": Name.Type3, "FontBBox": [0, 0, 1000, 1000],
        "FontMatrix": [0.001, 0, 0, 0.001, 0, 0], "CharProcs": Dictionary(glyphs),
        "Encoding": Dictionary(Differences=[65, Name.gA, Name.gB, Name.gC]),
        "FirstChar": 65, "LastChar": 67, "Widths": [1000, 1000, 1000], "Resources": Dictionary(),
    }  # fmt: skip
    return pdf.make_indirect(Dictionary({f"/{key}": v for key, v in {**parts, **changes}.items()}))


def write_in(bills, content, **changes):
    """Let the first page write this with the font of marks, named T; H is Helvetica."""

    def write(pdf):
        letters = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        page = pdf.pages[0].obj
        page.Resources = Dictionary(Font=Dictionary(T=a_font(pdf, **changes), H=letters))
        page.Contents = pdf.make_stream(content)

    return changed(bills, write)


def marks_in(copy):
    everything = everything_in(copy)
    return "".join(letter for letter, mark in MARKS.items() if mark in everything)


def copied(path):
    copy = BillCopier.open(path).copy([0])
    assert page_objects(copy) == 1
    assert audit(copy, 1) == []
    assert pixels(path) == pixels(copy)
    return copy


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"BT /T 20 Tf 9 9 Td (B) Tj ET", "B", id="one letter"),
        pytest.param(b"BT /T 20 Tf 9 9 Td <41> Tj ET", "A", id="in hexadecimal"),
        pytest.param(b"BT /T 20 Tf 9 9 Td [(A) -50 (\\103)] TJ ET", "AC", id="escaped"),
        pytest.param(b"BT /T 20 Tf 9 9 Td 10 TL (B) ' ET", "B", id="on the next line"),
        pytest.param(
            b"BT /H 20 Tf 9 9 Td (ABC) Tj /T 20 Tf (A) Tj /H 9 Tf (ABC) Tj ET", "A",
            id="between letters of another font",
        ),
        pytest.param(
            b"/T 20 Tf q /H 9 Tf BT 9 40 Td (ABC) Tj ET Q BT 9 9 Td (C) Tj ET", "C",
            id="after what was put aside",
        ),
        pytest.param(b"BT /T 20 Tf ET BT /H 9 Tf 9 9 Td (ABC) Tj ET", "", id="chosen, not shown"),
        pytest.param(b"BT /T 20 Tf 9 9 Td ((B\\)\\050)) Tj ET", "B", id="within brackets"),
    ],
)  # fmt: skip
def test_a_copy_has_the_letters_that_its_page_shows(bills, content, expected):
    copy = copied(write_in(bills, content))

    assert expected == marks_in(copy)


def test_an_encoding_without_differences_shows_the_letters_of_these_names(bills):
    def name_plainly(pdf):
        write_in_page = pdf.pages[0].obj
        font = write_in_page.Resources.Font.T
        font.Encoding = Name.WinAnsiEncoding
        font.CharProcs = Dictionary(
            {f"/{letter}": font.CharProcs[f"/g{letter}"] for letter in "ABC"}
        )

    path = changed(write_in(bills, b"BT /T 20 Tf 9 9 Td (C) Tj ET"), name_plainly)

    assert "C" == marks_in(copied(path))


def test_a_form_shows_letters_in_the_font_of_whoever_draws_it(bills):
    def draw_a_form(pdf):
        form = pdf.make_stream(b"BT 9 9 Td (B) Tj ET", Subtype=Name.Form, BBox=[0, 0, 99, 99])
        form.Resources = Dictionary(ProcSet=[Name.PDF])
        pdf.pages[0].obj.Resources.XObject = Dictionary(F=form)

    path = changed(write_in(bills, b"/T 20 Tf /F Do"), draw_a_form)

    assert "B" == marks_in(BillCopier.open(path).copy([0]))


@pytest.mark.parametrize("has_resources", [True, False])
def test_a_form_brings_the_letters_that_it_shows(bills, has_resources):
    def draw_a_form(pdf):
        resources = pdf.pages[0].obj.Resources
        content = b"BT /T 20 Tf 9 9 Td (C) Tj ET"
        form = pdf.make_stream(content, Subtype=Name.Form, BBox=[0, 0, 99, 99])
        if has_resources:
            form.Resources = Dictionary(Font=resources.Font)
        resources.XObject = Dictionary(F=form)

    path = changed(write_in(bills, b"/F Do"), draw_a_form)

    assert "C" == marks_in(copied(path))


def test_the_look_of_a_field_brings_the_letters_that_it_shows(bills):
    def stamp(pdf):
        page = pdf.pages[0].obj
        look = pdf.make_stream(
            b"BT /T 20 Tf 9 9 Td (B) Tj ET", Subtype=Name.Form, BBox=[0, 0, 99, 99]
        )
        look.Resources = Dictionary(Font=page.Resources.Font)
        mark = Dictionary(
            Type=Name.Annot, Subtype=Name.Stamp, Rect=[0, 0, 99, 99], F=4, AP=Dictionary(N=look)
        )
        page.Annots = Array([pdf.make_indirect(mark)])

    path = changed(write_in(bills, b""), stamp)

    assert "B" == marks_in(copied(path))


@pytest.mark.parametrize("has_resources", [True, False])
def test_letters_bring_only_what_the_shown_ones_draw(bills, has_resources):
    def draw_pictures(pdf):
        resources = pdf.pages[0].obj.Resources
        font = resources.Font.T
        pictures = Dictionary()
        for letter, mark in MARKS.items():
            picture = pdf.make_stream(
                (mark * 3)[:27], Subtype=Name.Image, Width=3, Height=3, BitsPerComponent=8
            )
            picture.ColorSpace = Name.DeviceRGB
            pictures[f"/P{letter}"] = picture
            drawn = b"1000 0 d0 900 0 0 900 0 0 cm /P%b Do" % letter.encode()
            font.CharProcs[f"/g{letter}"] = pdf.make_stream(drawn)
        if has_resources:
            font.Resources = Dictionary(XObject=pictures)
        else:
            del font.Resources
            resources.XObject = pictures

    path = changed(write_in(bills, b"BT /T 20 Tf 9 9 Td (B) Tj ET"), draw_pictures)

    assert "B" == marks_in(BillCopier.open(path).copy([0]))


def test_an_encoding_tells_no_names_of_letters_that_are_not_shown(bills):
    path = write_in(
        bills, b"BT /T 20 Tf 9 9 Td (B) Tj ET",
        Encoding=Dictionary(Differences=[65, Name("/MarkOfAnn"), Name.gB, Name("/MarkOfCid")]),
    )  # fmt: skip

    assert "B" == marks_in(copied(path))


def words_told(pdf):
    meanings = (
        b"1 beginbfchar <41> <" + "Ann Doe".encode("utf-16-be").hex().encode() + b"> endbfchar"
    )
    pdf.pages[0].obj.Resources.Font.T.ToUnicode = pdf.make_stream(meanings)


def font_by_a_state(pdf):
    resources = pdf.pages[0].obj.Resources
    resources.ExtGState = Dictionary(G=Dictionary(Font=[resources.Font.T, 20]))
    pdf.pages[0].Contents = pdf.make_stream(b"/G gs BT 9 9 Td (B) Tj ET")


def font_drawn_with_itself(pdf):
    font = pdf.pages[0].obj.Resources.Font.T
    font.Resources = Dictionary(Font=Dictionary(T=font))
    font.CharProcs.gB = pdf.make_stream(b"1000 0 d0 BT /T 1 Tf (B) Tj ET")


def text_without_an_end(pdf):
    pdf.pages[0].Contents = pdf.make_stream(b"BT /T 20 Tf 9 9 Td (B) Tj ET (and so on")


@pytest.mark.parametrize(
    "oddity", [words_told, font_by_a_state, font_drawn_with_itself, text_without_an_end]
)
def test_a_page_is_refused_where_it_cannot_be_told_which_letters_it_shows(bills, oddity):
    path = changed(write_in(bills, b"BT /T 20 Tf 9 9 Td (B) Tj ET"), oddity)
    copier = BillCopier.open(path)

    with pytest.raises(Refused):
        copier.copy([0])

    assert 1 == page_objects(copier.copy([1]))


def test_what_a_bill_prints_brings_no_picture_of_that_name(bills):
    def print_names(pdf):
        pictures = {
            f"/P{letter}": pdf.make_stream(mark, Subtype=Name.Image, Width=1, Height=3)
            for letter, mark in MARKS.items()
        }
        page = pdf.pages[0].obj
        page.Resources.XObject = Dictionary(pictures)
        page.Contents = pdf.make_stream(b"BT /H 9 Tf 9 9 Td (see /PA \\) /PB) Tj % /PC\nET")

    path = changed(write_in(bills, b""), print_names)

    assert "" == marks_in(copied(path))
    with opened(copied(path)) as pdf:
        assert "/XObject" not in pdf.pages[0].obj.Resources


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"/A gs (/B) Tj /C Do", {b"A", b"C"}, id="a string"),
        pytest.param(b"/A gs (a (/B) \\( c) Tj /C Do", {b"A", b"C"}, id="a nested string"),
        pytest.param(b"/A gs (((/B))) Tj /C Do", {b"A", b"C"}, id="brackets in brackets"),
        pytest.param(b"/A gs % /B (\n/C Do", {b"A", b"C"}, id="a comment"),
        pytest.param(b"(5%) Tj /A#42 Do", {b"AB"}, id="an escaped name"),
        pytest.param(
            b"BI /W 1 /CS /K ID (/B\xff EI Q /C Do", {b"W", b"CS", b"K", b"C"},
            id="a picture in line",
        ),
        pytest.param(b"/A gs (/B", {b"A", b"B"}, id="not well written: whatever looks like one"),
        pytest.param(b"/ gs (1 / 2) Tj", {b""}, id="a name without a sign"),
        pytest.param(b"/ gs % paid", {b""}, id="a name without a sign, and a comment"),
        pytest.param(b"/A gs ID /B", {b"A", b"B"}, id="a picture without an end"),
    ],
)  # fmt: skip
def test_names_are_those_of_statements(content, expected):
    assert expected == names_used(content)


SCRAPS = (
    b"(", b")", b"(a)", b"(see /B 1/2)", b"/A gs ", b"/A#42 Do ", b"\\", b"\\)", b"%", b"\n",
    b"Tj ", b"ID ", b"BI ", b" EI ", b"<0a>", b"<<", b">>", b"/", b"/F1 9 Tf ",
)  # fmt: skip


@given(st.lists(st.sampled_from(SCRAPS), max_size=9).map(b"".join))
def test_names_found_quickly_are_those_that_stand_outside_strings(content):
    try:
        expected = {plain(value) for kind, value in tokens(content) if kind == "name"}
    except UnsupportedPdf:
        expected = None
    many = b"/Z gs\n" * 300  # too many to be looked at one by one
    if expected is not None and b"BI" not in content and b"ID" not in content:
        assert expected == names_used(content)
    assert names_used(content) | {b"Z"} == names_used(many + content)


def test_numbers_operators_and_arrays_are_no_letters():
    shown = shown_codes(b"/T 9 Tf [(A) -120.5 (B)] TJ (C) pop 1 0 0 1 0 0 cm (D) Tj")

    assert {b"T": {65, 66, 68}} == shown.by_font


def test_brackets_that_do_not_match_are_not_guessed_at():
    with pytest.raises(UnsupportedPdf):
        shown_codes(b"/T 9 Tf (A) Tj ) /H 9 Tf")


def test_two_copies_of_a_page_are_the_same_whatever_was_copied_before(bills):
    path = write_in(bills, b"BT /T 20 Tf 9 9 Td (CAB) Tj ET")
    used = BillCopier.open(path)
    used.copy([1])

    assert BillCopier.open(path).copy([0]) == used.copy([0])
