"""A region is meant as a viewer shows the page, whatever the page's units, rotation and boxes."""

from __future__ import annotations

import pikepdf
import pypdfium2
import pytest

from splitter.bulk_file.splitting import plan, split
from splitter.copying.copier import BillCopier
from splitter.copying.verifying import ForeignAccounts, examine
from splitter.pdf.pages import to_unit, units_of_copy
from splitter.pdf.pypdf_reader import open_reader
from splitter.store.bill_store import BillStore
from splitter.text.patterns import PageFrame, compile_patterns, to_page_space
from splitter.text.pdfium import PdfiumDocument, PdfiumPage
from splitter.text.pypdf import pypdf_reading
from tests.splitter.pdf_builders import a_bulk_file, changed, write_pdf

OWN, OTHER = "01.1037.1", "99.9999.9"
UNIT = 2.5
WIDE, HIGH = 612, 792  # units of content
CROP = (100, 50, 540, 742)  # wide enough for all of the first account


def a_displayed_page(path, rotation=0, crop=(0, 0, WIDE, HIGH), unit: float | None = UNIT):
    """
    Draw two accounts so that they are displayed upright.

    The first stands 320 units from the left and 60 from the top of what is shown. The second stands
    130 and 30 from there: in units of 2.5 points these are 325 and 75 points, so who takes points
    for units finds the first one there.
    """

    def draw(canvas, page):
        for account, right, down in ((OWN, 320, 60), (OTHER, 130, 30)):
            canvas.saveState()
            x, y = _drawn_at(right, down, rotation, crop)
            canvas.translate(x, y)
            canvas.rotate(rotation)
            canvas.drawString(0, 0, f"Account: {account}")
            canvas.restoreState()

    def set_up(pdf):
        page = pdf.pages[0].obj
        page["/Rotate"], page["/CropBox"] = rotation, list(crop)
        if unit is not None:
            page["/UserUnit"] = pikepdf.Object.parse(str(unit).encode())

    return changed(write_pdf(path / "bills.pdf", [[]], draw), set_up)


def _drawn_at(right, down, rotation, crop):
    """Where to draw what shall be so far from the displayed top left corner."""
    left, bottom, far_right, top = crop
    return {
        0: (left + right, top - down),
        90: (left + down, bottom + right),
        180: (far_right - right, bottom + down),
        270: (far_right - down, top - right),
    }[rotation]


def in_units(unit: float) -> tuple[float, ...]:
    """Measure the region around the first account on a page that is displayed so much larger."""
    return tuple(measure * unit for measure in (300, 40, 500, 70))


def accounts(path, region):
    return [bill.account for bill in plan(path, a_bulk_file(region=region)).bills]


@pytest.mark.parametrize("crop", [(0, 0, WIDE, HIGH), CROP], ids=["whole", "cropped"])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("unit", [None, 1, 2.5, 0.5])
def test_a_region_is_measured_in_points_of_the_displayed_page(tmp_path, unit, rotation, crop):
    path = a_displayed_page(tmp_path, rotation, crop, unit)

    assert [OWN] == accounts(path, in_units(unit or 1))


@pytest.mark.parametrize("rotation", [0, 270])
def test_points_are_not_taken_for_units(tmp_path, rotation):
    path = a_displayed_page(tmp_path, rotation)

    assert [OTHER] == accounts(path, (300, 40, 612, 100))


@pytest.mark.parametrize("crop", [(0, 0, WIDE, HIGH), CROP], ids=["whole", "cropped"])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_every_engine_finds_the_same_in_a_region(tmp_path, rotation, crop):
    path = a_displayed_page(tmp_path, rotation, crop)
    region = in_units(UNIT)
    page = PdfiumPage(PdfiumDocument(path), 0, region, UNIT)

    box = to_page_space(region, page.frame())
    third = pypdf_reading(open_reader(path), 0, box)

    parts = [page.reading().region, *(found.region for found in page.rebuilt()), third.region]
    assert [True] * 4 == [OWN in part for part in parts]
    assert [False] * 4 == [OTHER in part for part in parts]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_text_that_runs_another_way_is_put_together_in_its_own(tmp_path, rotation):
    page = PdfiumPage(PdfiumDocument(a_displayed_page(tmp_path, rotation)), 0, None)

    assert f"Account: {OTHER}\nAccount: {OWN}" == page.rebuilt()[0].text


def test_pages_of_one_file_have_units_of_their_own(tmp_path):
    def draw(canvas, page):
        canvas.drawString(320, HIGH - 60, f"Account: 01.{page + 1:04}")

    path = write_pdf(tmp_path / "bills.pdf", [[], [], []], draw)
    changed(path, lambda pdf: pdf.pages[1].obj.__setitem__("/UserUnit", 2))

    assert ["01.0001", "01.0003"] == accounts(path, (300, 40, 500, 70))
    assert ["01.0002"] == accounts(path, (600, 80, 1000, 140))


def test_the_units_of_a_compressed_file_are_found(tmp_path):
    path = a_displayed_page(tmp_path)
    changed(path, lambda pdf: None, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert b"/UserUnit" not in path.read_bytes()

    assert [OWN] == accounts(path, in_units(UNIT))


@pytest.mark.parametrize("rotation", [0, 90])
def test_a_copy_is_read_back_where_it_was_read(tmp_path, rotation):
    path = a_displayed_page(tmp_path, rotation, CROP)
    store = BillStore(tmp_path / "store")

    outcome = split(path, a_bulk_file(region=in_units(UNIT), amount_due=None), store, prefix="")

    (bill,) = outcome.bills
    assert (OWN, 1, ()) == (bill.account, outcome.read_back, outcome.problems)
    assert UNIT == units_of_copy(store.read(bill.path))(0)


def test_a_copy_that_lost_its_unit_does_not_leave(tmp_path):
    path = a_displayed_page(tmp_path)
    patterns = compile_patterns(a_bulk_file(region=in_units(UNIT), amount_due=None, due_on=None))
    (bill,) = plan(path, patterns.bulk).bills
    good = BillCopier.open(path).copy([0])
    lost = good.replace(b"/UserUnit 2.5", b"/UserUnit 1.0")

    found = [
        examine(copy, bill, patterns, ForeignAccounts(frozenset())).findings
        for copy in (good, lost)
    ]

    assert [(), ("does not show its account, or shows another one",)] == found


def test_pdfium_knows_no_user_unit(tmp_path):
    """If that changes, its coordinates must be looked at again."""
    document = pypdfium2.PdfDocument(a_displayed_page(tmp_path))

    assert (WIDE, HIGH) == document[0].get_size()


@pytest.mark.parametrize(
    ("raw", "unit"),
    [(b"2", 2.0), (b"2.5", 2.5), (b".5", 0.5), (b"+3.", 3.0), (b"0", 1.0), (b"-2", 1.0),
     (b"null", 1.0), (b"(2)", 1.0), (b"", 1.0), (b"1e3", 1.0)],
)  # fmt: skip
def test_a_unit_is_a_positive_number_or_a_point(raw, unit):
    assert unit == to_unit(raw)


def test_a_region_of_a_frame_is_divided_by_its_unit():
    frame = PageFrame((0, 0, 100, 200), 0, 2.0)

    assert (10, 150, 30, 195) == to_page_space((20, 10, 60, 100), frame)
