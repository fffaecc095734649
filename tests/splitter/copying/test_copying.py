"""A bill's copy looks like its pages in the bulk file."""

from __future__ import annotations

import pikepdf
import pytest

from splitter.copying.copier import BillCopier
from tests.splitter.pdf_builders import (
    a_page,
    a_picture,
    changed,
    everything_in,
    opened,
    page_objects,
    pixels,
    text,
    write_pdf,
)


@pytest.fixture
def bills(tmp_path):
    logo = a_picture(10, 60, 200)
    return write_pdf(
        tmp_path / "bills.pdf",
        [a_page(f"01.{n}", "(Water) \\ 100%", number="1 of 1") for n in range(10, 22)],
        lambda canvas, page: canvas.drawImage(logo, 400, 700, 90, 40),
    )


def copy_looks_like_source(path, page=0):
    copy = BillCopier.open(path).copy([page])
    assert text(path, page) == text(copy)
    return pixels(path, page) == pixels(copy)


def test_a_copy_shows_the_same_pixels_and_text(bills):
    assert all(copy_looks_like_source(bills, page) for page in (0, 5, 11))


def test_a_copy_holds_its_pages_in_the_order_asked_for(bills):
    copy = BillCopier.open(bills).copy([4, 2])

    assert [text(bills, 4), text(bills, 2)] == [text(copy, 0), text(copy, 1)]
    assert page_objects(copy) == 2


def test_the_same_pages_give_the_same_bytes_whatever_was_copied_before(bills):
    one, other = BillCopier.open(bills), BillCopier.open(bills)

    first = [one.copy([page]) for page in range(12)]
    second = [other.copy([page]) for page in reversed(range(12))]

    assert first == second[::-1]
    assert b"/ID" not in first[0]
    assert b"Date" not in first[0]


def test_a_copy_holds_shared_objects_once(bills):
    with opened(BillCopier.open(bills).copy(list(range(12)))) as pdf:
        pictures = {
            page.obj.Resources.XObject[name].objgen for page in pdf.pages for name in page.images
        }

    assert len(pictures) == 1


def test_every_copy_is_correct_pdf(bills):
    with opened(BillCopier.open(bills).copy([0, 1])) as pdf:
        assert pdf.check_pdf_syntax() == []


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(
            {"object_stream_mode": pikepdf.ObjectStreamMode.generate}, id="object streams"
        ),
        pytest.param({"linearize": True}, id="linearized"),
        pytest.param({"qdf": True}, id="comments and indirect lengths"),
        pytest.param(
            {"encryption": pikepdf.Encryption(owner="o", user=""), "deterministic_id": False},
            id="locked by its owner",
        ),
        pytest.param(
            {
                "encryption": pikepdf.Encryption(owner="o", user="", R=4),
                "deterministic_id": False,
            },
            id="locked by its owner in an old way",
        ),
        pytest.param(
            {"stream_decode_level": pikepdf.StreamDecodeLevel.all, "compress_streams": False},
            id="nothing compressed",
        ),
    ],
)
def test_a_copy_looks_the_same_whoever_wrote_the_bulk_file(bills, how):
    changed(bills, lambda pdf: None, **how)

    assert copy_looks_like_source(bills, 3)
    assert b"/Encrypt" not in everything_in(BillCopier.open(bills).copy([3]))


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({"/Rotate": 90}, id="rotated"),
        pytest.param({"/CropBox": [50, 500, 500, 780]}, id="cropped"),
        pytest.param({"/UserUnit": 2}, id="in larger units"),
        pytest.param({"/Rotate": 270, "/CropBox": [50, 500, 500, 780]}, id="both"),
    ],
)
def test_a_page_stays_as_it_is_displayed_when(bills, attributes):
    def change(pdf):
        for key, value in attributes.items():
            pdf.pages[3].obj[key] = value

    changed(bills, change)

    assert copy_looks_like_source(bills, 3)


def test_the_printers_boxes_stay(bills):
    changed(bills, lambda pdf: pdf.pages[3].obj.__setitem__("/TrimBox", [9, 9, 600, 780]))

    with opened(BillCopier.open(bills).copy([3])) as pdf:
        assert [int(number) for number in pdf.pages[0].obj.TrimBox] == [9, 9, 600, 780]


def test_inherited_attributes_are_resolved(bills):
    def inherit(pdf):
        node = pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Pages,
                Kids=pdf.Root.Pages.Kids,
                Count=12,
                Parent=pdf.Root.Pages,
                MediaBox=[0, 0, 612, 792],
                Resources=pdf.pages[0].obj.Resources,
                Rotate=180,
            )
        )
        for page in list(pdf.Root.Pages.Kids):
            page.Parent = node
            for key in ("/MediaBox", "/Resources", "/Rotate"):
                del page[key]
        pdf.Root.Pages.Kids = [node]

    changed(bills, inherit)

    assert copy_looks_like_source(bills, 3)


def test_a_page_listed_twice_is_copied_twice(bills):
    def repeat(pdf):
        pdf.Root.Pages.Kids.append(pdf.Root.Pages.Kids[0])
        pdf.Root.Pages.Count = 13

    changed(bills, repeat)

    copy = BillCopier.open(bills).copy([0, 12])

    assert text(copy, 0) == text(copy, 1)
    assert page_objects(copy) == 2


def test_a_form_without_resources_draws_with_those_of_the_page(bills):
    def draw_through_form(pdf):
        page = pdf.pages[3].obj
        form = pdf.make_stream(page.Contents.read_bytes(), Subtype=pikepdf.Name.Form)
        form.BBox = [0, 0, 612, 792]
        page.Resources.XObject.Whole = form
        page.Contents = pdf.make_stream(b"/Whole Do")

    changed(bills, draw_through_form)

    assert copy_looks_like_source(bills, 3)


def test_a_picture_whose_name_is_spelled_with_escapes_is_kept(bills):
    def respell(pdf):
        page = pdf.pages[3].obj
        (name,) = page.Resources.XObject.keys()
        spelled = b"/" + b"".join(b"#%02x" % byte for byte in name[1:].encode())
        page.Contents = pdf.make_stream(page.Contents.read_bytes().replace(name.encode(), spelled))

    changed(bills, respell)

    assert copy_looks_like_source(bills, 3)


def test_contents_in_several_pieces_stay_together(bills):
    def cut(pdf):
        page = pdf.pages[3].obj
        lines = page.Contents.read_bytes().split(b"\n")
        page.Contents = pikepdf.Array(
            [pdf.make_stream(b"\n".join(lines[:5])), pdf.make_stream(b"\n".join(lines[5:]))]
        )

    changed(bills, cut)

    assert copy_looks_like_source(bills, 3)


def test_the_size_of_a_copy_does_not_grow_with_the_bulk_file(tmp_path):
    sizes = [
        len(BillCopier.open(write_pdf(tmp_path / "b.pdf", [a_page("01.1")] * pages)).copy([0]))
        for pages in (5, 200)
    ]

    assert sizes[0] == sizes[1]
