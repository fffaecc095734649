"""A copy looks as its pages do in the bulk file, with whatever is drawn upon them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from pikepdf import Array, Dictionary, Name, String

from domain.bills import BillRange
from domain.money import Money
from splitter.copying.copier import BillCopier
from splitter.copying.pictures import BulkPictures
from splitter.copying.verifying import ForeignAccounts, VerificationPolicy
from splitter.store.bill_store import BillStore
from splitter.text.patterns import compile_patterns
from splitter.workers.page_worker import CopyWorker
from tests.splitter.pdf_builders import a_bulk_file, a_page, a_picture, changed, write_pdf

OTHERWISE = "does not look as its pages do in the bulk file"


@pytest.fixture
def bulk(tmp_path):
    """A bill of five pages with a picture, a stamp, a form field and a note, and another bill."""

    def draw(canvas, page):
        canvas.drawImage(a_picture(200, 30, 30), 300, 300, 60, 60)

    path = write_pdf(
        tmp_path / "bills.pdf", [a_page("01.1037.1"), *[["More"]] * 4, a_page("02.2048.2")], draw
    )
    return changed(path, mark_up)


def mark_up(pdf):
    def look(color):
        drawn = b"%b rg 0 0 40 40 re f" % color
        return Dictionary(N=pdf.make_stream(drawn, Subtype=Name.Form, BBox=[0, 0, 40, 40]))

    def annotation(subtype, **more):
        place = [100, 100, 140, 140]
        return Dictionary(Type=Name.Annot, Subtype=subtype, F=4, Rect=place, **more)

    field = pdf.make_indirect(annotation(Name.Widget, FT=Name.Tx, T=String("a"), AP=look(b"0 1 0")))
    pdf.Root.AcroForm = Dictionary(Fields=[field])
    pdf.pages[0].obj.Annots = Array([field])
    pdf.pages[1].obj.Annots = Array([annotation(Name.Stamp, AP=look(b"1 0 0"))])
    pdf.pages[2].obj.Annots = Array([annotation(Name.Text, Contents=String("call back"))])


def of_copy(path, pages, change=None):
    copy = BillCopier.open(path).copy(pages)
    if change is not None:
        place = path.with_name("copy.pdf")
        place.write_bytes(copy)
        copy = changed(place, change).read_bytes()
    return BulkPictures(path).finding(copy, pages)


def test_a_true_copy_looks_as_its_pages_do(bulk):
    assert "" == of_copy(bulk, [0, 1, 2, 3, 4])


def without_picture(pdf):
    del pdf.pages[0].obj.Resources.XObject


def without_annotations(pdf):
    for page in pdf.pages:
        if "/Annots" in page.obj:
            del page.obj.Annots


def on_other_paper(pdf):
    pdf.pages[0].obj.MediaBox = [0, 0, 612, 700]


@pytest.mark.parametrize("pages", [[0], [0, 1], [1]])
@pytest.mark.parametrize("change", [without_picture, without_annotations, on_other_paper])
def test_a_copy_that_looks_otherwise_does_not_leave(bulk, pages, change):
    assert OTHERWISE == of_copy(bulk, pages, change)


def test_one_other_digit_is_seen(bulk):
    assert OTHERWISE == BulkPictures(bulk).finding(one_digit_changed(bulk), [0])


def one_digit_changed(bulk):
    other = bulk.with_name("other.pdf")
    other.write_bytes(bulk.read_bytes())

    def change(pdf):
        content = pdf.pages[0].obj.Contents.read_bytes().replace(b"01.1037.1", b"01.1037.7")
        pdf.pages[0].obj.Contents = pdf.make_stream(content)

    return BillCopier.open(changed(other, change)).copy([0])


def test_the_last_page_of_a_long_bill_is_looked_at(bulk):
    pages = [0, 1, 2, 3, 4]

    assert OTHERWISE == of_copy(bulk, pages, lambda pdf: on_blank(pdf, 4))


def on_blank(pdf, page):
    pdf.pages[page].obj.Contents = pdf.make_stream(b"")


def test_a_note_of_the_office_is_left_out_and_said_to_be_no_difference(bulk):
    copy = BillCopier.open(bulk).copy([2])

    assert b"/Text" not in copy
    assert "" == BulkPictures(bulk).finding(copy, [2])


def test_a_copy_with_too_few_pages_cannot_be_drawn(bulk):
    copy = BillCopier.open(bulk).copy([0])

    assert "" != BulkPictures(bulk).finding(copy, [0, 1])


class LosingPictures:
    """A copier that leaves pictures out: text, accounts and the number of pages are right."""

    def __init__(self, copier):
        self._copier = copier

    def make(self, pages, labels):
        made = self._copier.make(pages, labels)
        return replace(made, content=made.content.replace(b" Do\n", b" %D\n"))


def test_a_bill_whose_copy_looks_otherwise_is_not_filed(bulk, tmp_path):
    def write_plainly(pdf):
        for page in pdf.pages:
            page.obj.Contents = pdf.make_stream(page.obj.Contents.read_bytes())

    changed(bulk, write_plainly, compress_streams=False)
    bill = BillRange("01.1037.1", (0, 1), Money.parse("12.50"), date(2026, 11, 20))
    worker = CopyWorker(
        LosingPictures(BillCopier.open(bulk)), compile_patterns(a_bulk_file()),
        ForeignAccounts.of(()), BillStore(tmp_path / "store"), VerificationPolicy(1, 64),
        BulkPictures(bulk),
    )  # fmt: skip

    first, second = worker.make([(0, "a.pdf", bill), (1, "b.pdf", bill)])

    assert OTHERWISE == first["finding"]
    assert "" == second["finding"]  # one that is not of the sample
