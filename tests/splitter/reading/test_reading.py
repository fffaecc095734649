"""Every page read exactly, by children that may hang or crash."""

from __future__ import annotations

from datetime import date

import pikepdf
import pytest

from domain.bills import PageFacts
from domain.failures import Misuse, Refused
from domain.money import Money
from splitter.reading.page import DocumentText
from splitter.text.patterns import compile_patterns
from splitter.workers.page_facts import read_pages
from tests.splitter.pdf_builders import a_bulk_file, a_page, a_picture, changed, write_pdf

pytestmark = pytest.mark.usefixtures("cold_fork_servers")


def read(path, **changes):
    """Read in this process, which is quicker; children have their own tests below."""
    document = DocumentText(path, compile_patterns(a_bulk_file(**changes)))
    try:
        return [document.facts(page)[0] for page in range(document.pages)]
    finally:
        document.close()


def test_children_read_all_pages_in_order(tmp_path):
    pages = [a_page(f"01.{n:04}") for n in range(400)]
    pages[7] = ["BATCH SEPARATOR"]
    path = write_pdf(tmp_path / "bills.pdf", pages)
    counted = []

    facts = read_pages(
        path,
        compile_patterns(a_bulk_file(separator="BATCH SEPARATOR")),
        processes=2,
        progress=counted.append,
    )

    assert list(range(400)) == [page.page for page in facts]
    assert PageFacts(7, is_separator=True) == facts[7]
    assert PageFacts(399, ("01.0399",), (Money(12_50),), (date(2026, 11, 20),)) == facts[399]
    assert sum(counted) == 400


def test_a_page_that_never_ends_is_refused_by_its_number(tmp_path):
    path = write_pdf(tmp_path / "bills.pdf", [a_page("01.1"), a_page("01.2"), a_page("01.3")])

    def nest(pdf):
        form = pdf.make_stream(b"BT ET", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
        form.BBox = [0, 0, 9, 9]
        for _ in range(24):
            inner = pikepdf.Dictionary(XObject=pikepdf.Dictionary(F=form))
            form = pdf.make_stream(b"/F Do " * 8, Subtype=pikepdf.Name.Form, Resources=inner)
            form.BBox = [0, 0, 9, 9]
        pdf.pages[1].Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(F=form))
        pdf.pages[1].Contents = pdf.make_stream(b"/F Do")

    changed(path, nest)

    with pytest.raises(Refused) as refused:
        read_pages(path, compile_patterns(a_bulk_file()), page_seconds=1.0)

    assert "Page 2 of bills.pdf" in refused.value.message


def before_a_release(name):
    """Another pattern, which is looked for as the account's is, and waited for as long."""
    return pytest.param(name, marks=pytest.mark.release)


@pytest.mark.parametrize(
    "name", ["account", before_a_release("amount_due"), before_a_release("due_on")]
)
def test_a_pattern_that_never_ends_is_blamed_and_not_the_file(tmp_path, name):
    path = write_pdf(tmp_path / "bills.pdf", [a_page("01.1", "1" * 60 + "x")])
    patterns = compile_patterns(a_bulk_file(**{name: "((1+)+)$"}))

    with pytest.raises(Misuse) as refused:
        read_pages(path, patterns, page_seconds=0.5)

    assert f"The pattern {name.replace('due_on', 'due_date')} '((1+)+)$'" in refused.value.message
    assert "page 1 of bills.pdf" in refused.value.message


def test_a_page_that_is_only_a_picture_has_no_text(tmp_path):
    path = write_pdf(
        tmp_path / "bills.pdf",
        [[], [], a_page("01.1")],
        lambda canvas, page: page == 1 and canvas.drawImage(a_picture(1, 2, 3), 0, 0, 600, 700),
    )

    assert [page.has_text for page in read(path)] == [True, False, True]


def one_by_one(canvas, text, x, y, *, backwards=False):
    places = [(x + 7 * index, sign) for index, sign in enumerate(text)]
    for at, sign in reversed(places) if backwards else places:
        canvas.drawString(at, y, sign)


def test_digits_drawn_one_by_one_or_backwards_make_the_account_that_stands_there(tmp_path):
    def draw(canvas, page):
        canvas.drawString(72, 600, "Account:")
        one_by_one(canvas, "12-345678-90", 130, 600, backwards=page == 1)

    path = write_pdf(tmp_path / "bills.pdf", [[], []], draw)

    assert [page.accounts for page in read(path)] == [("12-345678-90",)] * 2


def test_a_whole_line_drawn_backwards_is_read_forwards(tmp_path):
    path = write_pdf(
        tmp_path / "bills.pdf",
        [[]],
        lambda canvas, page: one_by_one(canvas, "Account:12-345678-90", 72, 600, backwards=True),
    )

    assert [page.accounts for page in read(path)] == [("12-345678-90",)]


def test_letters_raised_one_by_one_are_put_together(tmp_path):
    def draw(canvas, page):
        for index, sign in enumerate("Account:03.4774.2"):
            canvas.setFont("Helvetica", 12 + index % 2)
            canvas.drawString(72 + 9 * index, 600 + index % 2, sign)

    path = write_pdf(tmp_path / "bills.pdf", [[]], draw)

    assert [page.accounts for page in read(path)] == [("03.4774.2",)]


@pytest.mark.parametrize("mode", [pytest.param(3, id="invisible"), pytest.param(0, id="off-page")])
def test_a_second_account_that_nobody_sees_is_reported(tmp_path, mode):
    def draw(canvas, page):
        hidden = canvas.beginText(72 if mode else -500, 300)
        hidden.setTextRenderMode(mode)
        hidden.textLine("Account: 99.9999.9")
        canvas.drawText(hidden)

    path = write_pdf(tmp_path / "bills.pdf", [a_page("01.1")], draw)

    assert [(("01.1",), ("99.9999.9",))] == [(page.accounts, page.unseen) for page in read(path)]


ROTATED = {  # drawn so that the text below is displayed upright at the same place
    0: (1, 0, 0, 1, 0, 0),
    90: (0, 1, -1, 0, 612, 0),
    180: (-1, 0, 0, -1, 612, 792),
    270: (0, -1, 1, 0, 0, 792),
}


@pytest.mark.parametrize("rotation", ROTATED)
def test_a_region_is_meant_as_the_page_is_displayed(tmp_path, rotation):
    def draw(canvas, page):
        canvas.saveState()
        canvas.transform(*ROTATED[rotation])
        height = 612 if rotation in (90, 270) else 792
        canvas.drawString(320, height - 60, "Account: 01.1037.1")
        canvas.drawString(40, height - 60, "Account: 77.7777.7")
        canvas.drawString(320, height - 400, "Account: 88.8888.8")
        canvas.restoreState()

    path = write_pdf(tmp_path / "bills.pdf", [["Amount Due: $3.50"]], draw)
    changed(path, lambda pdf: pdf.pages[0].obj.__setitem__("/Rotate", rotation))

    (facts,) = read(path, region=(300, 0, 612, 120))

    assert facts.accounts == ("01.1037.1",)
    assert (Money(3_50),) == facts.amounts


def test_a_region_begins_at_the_crop_box(tmp_path):
    def draw(canvas, page):
        canvas.drawString(320, 600, "Account: 01.1037.1")
        canvas.drawString(320, 760, "Account: 99.9999.9")

    path = write_pdf(tmp_path / "bills.pdf", [[]], draw)
    changed(path, lambda pdf: pdf.pages[0].obj.__setitem__("/CropBox", [100, 100, 612, 650]))

    (facts,) = read(path, region=(200, 0, 512, 100))

    assert facts.accounts == ("01.1037.1",)


def test_a_page_without_account_in_the_region_names_none(tmp_path):
    path = write_pdf(tmp_path / "bills.pdf", [["Account: 01.1037.1"]])

    (facts,) = read(path, region=(300, 400, 612, 500))

    assert facts.accounts == ()
    assert facts.has_text


def test_an_encrypted_file_of_its_owner_is_read(tmp_path):
    path = write_pdf(tmp_path / "bills.pdf", [a_page("01.1"), ["goes on"]])
    changed(
        path,
        lambda pdf: None,
        deterministic_id=False,
        encryption=pikepdf.Encryption(owner="o", user=""),
    )

    assert [page.accounts for page in read(path)] == [("01.1",), ()]


def test_a_page_whose_account_may_stand_in_a_form_field_is_left_to_a_person(tmp_path):
    def draw(canvas, page):
        if page == 1:
            canvas.acroForm.textfield(name="account", value="Account: 02.2048.2", x=72, y=500)

    path = write_pdf(tmp_path / "bills.pdf", [a_page("01.1037.1"), ["Thank you"]], draw)

    assert [page.has_text for page in read(path)] == [True, False]
