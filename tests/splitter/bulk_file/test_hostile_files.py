"""Files made to harm: a clear sentence or the right output, never a hang or half a store."""

from __future__ import annotations

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from domain.failures import Refused
from splitter.bulk_file.splitting import Splitting, split
from splitter.store.bill_store import BillStore
from tests.release import so_many
from tests.splitter.hostile_builders import bomb
from tests.splitter.pdf_builders import a_bulk_file, a_page, a_picture, changed, write_pdf

pytestmark = pytest.mark.usefixtures("cold_fork_servers")
BULK = a_bulk_file()
MUCH = so_many(100, release=400)  # megabytes


@pytest.fixture
def bills(tmp_path):
    return write_pdf(tmp_path / "bills.pdf", [a_page(f"01.{n}") for n in range(10, 14)])


def split_or_refuse(path, store):
    """Return the accounts that were filed, or the refusal; nothing half done may be left."""
    try:
        outcome = split(path, BULK, store, prefix="", processes=1)
    except Refused as refused:
        assert refused.code == "pdf-unreadable"
        assert not store.exists("01.10.pdf")
        return refused.message
    return [bill.account for bill in outcome.bills]


def a_content_that_inflates_to_much(pdf):
    pdf.pages[1].Contents = bomb(pdf, levels=1, megabytes=MUCH)


def a_content_packed_twice_that_inflates_to_much(pdf):
    pdf.pages[1].Contents = bomb(pdf, megabytes=MUCH)


def a_form_that_draws_itself(pdf):
    form = pdf.make_stream(b"/F Do", Subtype=Name.Form, BBox=[0, 0, 9, 9])
    form.Resources = Dictionary(XObject=Dictionary(F=form))
    pdf.pages[1].Resources.XObject = Dictionary(F=form)
    pdf.pages[1].contents_add(b"/F Do")


def a_form_without_resources_that_draws_itself(pdf):
    form = pdf.make_stream(b"/F Do", Subtype=Name.Form, BBox=[0, 0, 9, 9])
    pdf.pages[1].Resources.XObject = Dictionary(F=form)
    pdf.pages[1].contents_add(b"/F Do")


def arrays_nested_a_thousand_deep(pdf):
    nested = Array([])
    for _ in range(400):
        nested = Array([nested])
    pdf.pages[1].Resources.ExtGState = Dictionary(G=Dictionary(Odd=nested))
    pdf.pages[1].contents_add(b"/G gs")


def a_chain_of_references(pdf):
    value = pdf.make_indirect(Dictionary(ca=1))
    for _ in range(2000):
        value = pdf.make_indirect(Dictionary(Next=value))
    pdf.pages[1].Resources.ExtGState = Dictionary(G=value)
    pdf.pages[1].contents_add(b"/G gs")


def resources_that_are_their_own(pdf):
    own = pdf.make_indirect(Dictionary())
    own.XObject = Dictionary(F=own)
    own.Font = own
    pdf.pages[1].Resources = own


def contents_that_hold_themselves(pdf):
    parts = pdf.make_indirect(Array([]))
    parts.append(parts)
    pdf.pages[1].Contents = parts


HARMS = [
    a_content_that_inflates_to_much,
    a_content_packed_twice_that_inflates_to_much,
    a_form_that_draws_itself,
    a_form_without_resources_that_draws_itself,
    arrays_nested_a_thousand_deep,
    a_chain_of_references,
    resources_that_are_their_own,
    contents_that_hold_themselves,
]


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_a_hostile_page_is_refused_or_spares_the_others(bills, tmp_path, harm):
    changed(bills, harm, compress_streams=False, recompress_flate=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.none)  # fmt: skip

    found = split_or_refuse(bills, BillStore(tmp_path / "store"))

    if isinstance(found, list):
        assert {"01.12", "01.13"} <= set(found)
    else:
        assert "bills.pdf" in found


def test_a_length_that_refers_to_itself_is_survived(bills, tmp_path):
    pdf = bills.read_bytes()
    place = pdf.index(b"/Length ")
    number = int(pdf[:place].rpartition(b" 0 obj")[0].rpartition(b"\n")[2])
    reference = b"/Length %d 0 R" % number
    end = pdf.index(b"\n", place)
    bills.write_bytes(pdf[:place] + reference[: end - place].ljust(end - place) + pdf[end:])

    split_or_refuse(bills, BillStore(tmp_path / "store"))


def test_a_page_that_is_only_a_picture_is_reported_as_such(tmp_path):
    path = write_pdf(
        tmp_path / "bills.pdf",
        [a_page("01.10"), [], a_page("01.11")],
        lambda canvas, page: page == 1 and canvas.drawImage(a_picture(1, 2, 3), 0, 0, 600, 700),
    )

    with Splitting(path, BULK) as splitting:
        assignment = splitting.plan()

    assert [(page.page, page.reason) for page in assignment.unassigned] == [
        (1, "It has no text that can be read with certainty.")
    ]


def test_a_box_inherited_from_above_counts_for_a_region(tmp_path):
    def draw(canvas, page):
        canvas.drawString(320, 820, "Account: 01.10")
        canvas.drawString(320, 690, "Account: 99.99")

    path = write_pdf(tmp_path / "bills.pdf", [[]], draw)

    def inherit(pdf):
        del pdf.pages[0].obj["/MediaBox"]
        pdf.Root.Pages.MediaBox = [0, 0, 595, 842]

    changed(path, inherit)
    with Splitting(path, a_bulk_file(region=(300, 0, 595, 100))) as splitting:
        assignment = splitting.plan()

    assert [bill.account for bill in assignment.bills] == ["01.10"]
