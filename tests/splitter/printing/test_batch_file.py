"""The print file as a mail house takes it: backs, marks, the list beside it, and proofs."""

from __future__ import annotations

import csv
import io
import stat

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array

from splitter.bulk_file.splitting import split
from splitter.pdf import pages
from splitter.pdf.pages import walk_pages
from splitter.pdf.source import SourceFile
from splitter.printing import batch_file
from splitter.printing.batch_file import write_print_batch
from splitter.printing.envelopes import PaperBill
from splitter.printing.marks import region_of_mark
from splitter.printing.terms import EnvelopeSharing, PrintTerms
from splitter.store.bill_store import BillStore
from tests.splitter.pdf_builders import (
    a_bulk_file,
    a_page,
    changed,
    page_objects,
    pixels,
    text,
    write_pdf,
)

AT = (400.0, 20.0)
HOME = ("12 Oak Street", "Larkspur", "CO")
PAGES = [a_page("01.1037.1"), ["Usage"], ["Insert"], a_page("02.2048.2"), a_page("03.3059.3")]


@pytest.fixture
def source(tmp_path):
    return write_pdf(tmp_path / "bills.pdf", PAGES)


@pytest.fixture
def store(tmp_path):
    return BillStore(tmp_path / "print")


@pytest.fixture
def printed(source, store, tmp_path):
    def call(**terms):
        bills = split(
            source, a_bulk_file(), BillStore(tmp_path / "bills"), prefix="", processes=1
        ).bills
        papers = [
            PaperBill(bill, zip, 0, "Ann Abbott", HOME)
            for bill, zip in zip(bills, ["80301", "80301", "80201-1234"], strict=True)
        ]
        path = "2026-10/utility-bill-0.pdf"
        return write_print_batch(source, papers, store, path=path, terms=PrintTerms(**terms))

    return call


def rows(store, batch):
    return list(csv.DictReader(io.StringIO(store.read(batch.manifest_path).decode())))


def first_lines(pdf, pages):
    return [text(pdf, page).split("\r\n")[0] for page in range(pages)]


def test_each_bill_begins_on_a_front(printed, store):
    batch = printed(duplex=True)

    pdf = store.read(batch.path)
    assert (8, 5, 4, 3) == (page_objects(pdf), batch.pages, batch.sheets, batch.envelopes)
    assert [
        "Account: 03.3059.3", "", "Account: 01.1037.1", "Usage", "Insert", "",
        "Account: 02.2048.2", "",
    ] == first_lines(pdf, 8)  # fmt: skip
    assert [("1", "1"), ("3", "1"), ("7", "1")] == [
        (row["first_page"], row["blank_pages"]) for row in rows(store, batch)
    ]


def test_an_empty_back_has_the_size_of_its_front(source, printed, store):
    def turn(pdf):
        pdf.pages[3].obj.MediaBox = Array([0, 0, 500, 900])
        pdf.pages[3].obj.Rotate = 90

    changed(source, turn)
    document = pypdfium2.PdfDocument(store.read(printed(duplex=True).path))
    sizes = [document[page].get_size() for page in (6, 7)]
    document.close()

    assert [(900, 500), (900, 500)] == sizes


def test_the_list_tells_a_mail_house_what_it_asks_for(printed, store):
    batch = printed(
        flats_beyond=2, household=EnvelopeSharing.PERSON, stocks={"utility-bill": "pink"}
    )

    assert [
        {"sequence": "1", "account": "03.3059.3", "zip5": "80201", "plus4": "1234", "sheets": "1",
         "envelope": "1", "of_envelopes": "2", "envelope_sheets": "1", "weight_ounces": "1",
         "envelope_kind": "letter", "stock": "pink", "marked": "no"},
        {"sequence": "2", "account": "01.1037.1", "zip5": "80301", "plus4": "", "sheets": "3",
         "envelope": "2", "of_envelopes": "2", "envelope_sheets": "4", "weight_ounces": "1",
         "envelope_kind": "flat", "stock": "pink", "marked": "no"},
        {"sequence": "3", "account": "02.2048.2", "zip5": "80301", "plus4": "", "sheets": "1",
         "envelope": "2", "of_envelopes": "2", "envelope_sheets": "4", "weight_ounces": "1",
         "envelope_kind": "flat", "stock": "pink", "marked": "no"},
    ] == [
        {key: row[key] for key in row if key not in ("zip", "first_page", "pages", "sha256",
                                                      "blank_pages")}
        for row in rows(store, batch)
    ]  # fmt: skip
    assert batch.sheets == sum(int(row["sheets"]) for row in rows(store, batch))


def cut(pdf, page, region, unit=1):
    """The picture of a region of a page as displayed; pdfium does not know of units."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        shown = document[page]
        width, height = shown.get_size()
        left, top, right, bottom = (side / unit for side in region)
        crop = (left, height - bottom, width - right, top)
        picture = shown.render(scale=2 * unit, crop=crop, grayscale=True).to_pil()
        return picture.point(lambda value: 255 * (value > 128))
    finally:
        document.close()


def is_empty(picture):
    return picture.getextrema() == (255, 255)


def test_the_front_of_each_sheet_bears_the_number_of_its_envelope(source, printed, store):
    batch = printed(mark_at=AT, duplex=True)

    pdf = store.read(batch.path)
    region = region_of_mark(AT)
    told = [not is_empty(cut(pdf, page, region)) for page in range(8)]
    assert [True, False, True, False, True, False, True, False] == told
    assert 0 == batch.unmarked
    assert {"yes"} == {row["marked"] for row in rows(store, batch)}
    marks = {cut(pdf, page, region).tobytes() for page in (0, 2, 4, 6)}
    assert 4 == len(marks)  # each says something else
    assert "Account: 03.3059.3" == first_lines(pdf, 1)[0]
    assert pixels(pdf, 3) == pixels(source, 1)  # a back, and a page with nothing added


@pytest.mark.parametrize(
    ("turned", "changes"),
    [
        # In every run each turn, and each change of a page that is turned.
        pytest.param(turned, changes, marks=() if turned in daily else pytest.mark.release)
        for changes, daily in (
            ({}, (0, 90, 180, 270)),
            ({"UserUnit": 2}, (90,)),
            ({"CropBox": Array([10, 20, 600, 780])}, (270,)),
        )
        for turned in (0, 90, 180, 270)
    ],
)
def test_a_mark_stands_where_it_is_seen_however_the_page_is_turned(
    source, printed, store, turned, changes
):
    def turn(pdf):
        for page in pdf.pages:
            page.obj.Rotate = turned
            page.contents_add(b"q 1 0 0 1 5 5 cm")  # which the page leaves so
            page.contents_add(b"Q")
            for key, value in changes.items():
                page.obj[f"/{key}"] = value

    plain = printed(mark_at=(300.0, 400.0))
    expected = cut(store.read(plain.path), 0, region_of_mark((300.0, 400.0)))
    changed(source, turn)

    batch = printed(mark_at=(300.0, 400.0))

    unit = changes.get("UserUnit", 1)
    found = cut(store.read(batch.path), 0, region_of_mark((300.0, 400.0)), unit)
    different = sum(a != b for a, b in zip(expected.tobytes(), found.tobytes(), strict=True))
    assert 0 == batch.unmarked
    assert different <= 0.01 * len(expected.tobytes())


def test_a_mark_is_never_drawn_over_anything(source, printed, store):
    def cover(pdf):
        pdf.pages[1].contents_add(b"0.9 g 480 760 40 10 re f")
        pdf.pages[4].obj.MediaBox = Array([0, 0, 500, 792])  # no room there

    changed(source, cover)
    before = [pixels(source, page) for page in (1, 4)]

    batch = printed(mark_at=AT)

    pdf = store.read(batch.path)
    assert 2 == batch.unmarked
    assert before == [pixels(pdf, 2), pixels(pdf, 0)]
    assert ["no", "no", "yes"] == [row["marked"] for row in rows(store, batch)]


@pytest.mark.parametrize("left", [b"q 1 0 0 1 -250 -60 cm", b"Q 1 0 0 1 -250 -60 cm q"])
def test_a_page_that_leaves_other_coordinates_behind_has_no_mark(source, printed, store, left):
    def leave(pdf):
        pdf.pages[3].contents_add(left)

    changed(source, leave)
    before = pixels(source, 3)

    batch = printed(mark_at=AT)

    assert 1 == batch.unmarked
    assert before == pixels(store.read(batch.path), 4)


def test_contents_in_an_array_elsewhere_are_marked_too(source, printed, store):
    def move(pdf):
        for page in pdf.pages:
            page.obj.Contents = pdf.make_indirect(Array([page.obj.Contents]))

    changed(source, move)

    pdf = store.read(printed(mark_at=AT).path)
    assert not is_empty(cut(pdf, 0, region_of_mark(AT)))
    assert "Account: 03.3059.3" == first_lines(pdf, 1)[0]
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert not opened.check_pdf_syntax()


def test_proofs_are_pictures_of_the_first_and_last_bill_that_nobody_else_may_read(
    printed, store, tmp_path
):
    printed(proof=True)

    folder = tmp_path / "print" / "2026-10"
    pictures = [folder / f"utility-bill-0-{name}.png" for name in ("first", "last")]
    assert [b"\x89PNG"] * 2 == [picture.read_bytes()[:4] for picture in pictures]
    assert pictures[0].read_bytes() != pictures[1].read_bytes()
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_the_same_bills_give_the_same_bytes_by_any_terms(printed, store):
    terms = {"mark_at": AT, "duplex": True, "proof": True, "household": EnvelopeSharing.ADDRESS}

    first = printed(**terms)
    kept = store.read(first.path), store.read(first.manifest_path)

    assert first == printed(**terms)
    assert kept == (store.read(first.path), store.read(first.manifest_path))


@pytest.mark.parametrize("after", [1, 10**6])
def test_memory_that_is_given_back_on_the_way_changes_no_byte(
    printed, store, source, monkeypatch, after
):
    before = store.read(printed(mark_at=AT, duplex=True).path)
    given_back = []
    let_go = SourceFile.let_go
    monkeypatch.setattr(SourceFile, "let_go", lambda self: given_back.append(let_go(self)))
    for module in (batch_file, pages):
        monkeypatch.setattr(module, "LET_GO_AFTER", after)

    batch = printed(mark_at=AT, duplex=True)

    assert before == store.read(batch.path)
    assert (len(given_back) > len(PAGES)) == (after == 1)
    assert len(walk_pages(SourceFile(source))) == len(PAGES)
