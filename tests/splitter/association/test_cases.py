"""Files of the kinds that once were joined or filed wrongly, made here and sorted."""

from __future__ import annotations

import pikepdf
import pytest

from domain.periods import BulkFile
from splitter.bulk_file.splitting import plan
from tests.splitter.pdf_builders import write_pdf

ACCOUNT = r"Account Number:\s*([\d-]+)"
A, B, C = "11-111111-11", "22-222222-22", "33-333333-33"


def page(account: str, *more: str, label: str = "Account Number") -> list[str]:
    lines = [
        f"Water usage tier {tier} for the period kgal {tier}.{account[:1]}" for tier in range(5)
    ]
    return ["City of Larkspur Utilities", f"{label}: {account}", *lines, *more]


def sort(path, **keys):
    return plan(path, BulkFile("utility-bill", path.name, ACCOUNT, **keys), processes=1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(("Page 1 of 2",), page("", "Page 1 of 1"), id="a second page 1"),
        pytest.param(("Page 1 of 1",), page("", "Page 2 of 2"), id="A was complete"),
        pytest.param((), page(B, label="ACCOUNT NUMBER"), id="the label in capitals"),
        pytest.param((), page(""), id="a label without a value"),
    ],
)
def test_a_page_of_another_customer_goes_to_a_person(tmp_path, first, second):
    path = write_pdf(tmp_path / "bills.pdf", [page(A, *first), second, page(C)])

    sorted_pages = sort(path)

    assert [1] == [held.page for held in sorted_pages.unassigned]


def hidden(path, before: bytes, after: bytes = b""):
    """Put something around the text of the second page's account."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        content = pdf.pages[1].Contents.read_bytes()
        pdf.pages[1].Contents = pdf.make_stream(before + b"\n" + content + b"\n" + after)
        pdf.save(path)
    return path


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"3 Tr", b"", id="without ink"),
        pytest.param(
            b"/Span <</ActualText (Account Number: 44-444444-44)>> BDC", b"EMC", id="replaced"
        ),
    ],
)
def test_text_that_nobody_sees_names_no_bill(tmp_path, before, after):
    path = write_pdf(tmp_path / "bills.pdf", [page(A), page(B), page(C)])

    sorted_pages = sort(hidden(path, before, after))

    assert [A, C] == [bill.account for bill in sorted_pages.bills]
    assert [1] == [held.page for held in sorted_pages.unassigned]


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("region", [(0.0, 0.0, 612.0, 120.0), None])
def test_a_number_outside_the_crop_goes_to_a_person_whatever_the_region(tmp_path, turned, region):
    path = write_pdf(tmp_path / "bills.pdf", [page(A), [*page(B), f"Account Number: {C}"], page(C)])
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[1].CropBox = [0, 690, 612, 792]
        pdf.pages[1].Rotate = turned
        pdf.save(path)

    sorted_pages = sort(path, region=region)

    assert [1] == [held.page for held in sorted_pages.unassigned]


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_an_account_outside_the_crop_names_nobody_however_the_page_is_turned(tmp_path, turned):
    path = write_pdf(tmp_path / "bills.pdf", [page(A), ["Usage", *page(B)], page(C)])
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[1].CropBox = [0, 0, 612, 600]
        pdf.pages[1].Rotate = turned
        pdf.save(path)

    sorted_pages = sort(path)

    assert [A, C] == [bill.account for bill in sorted_pages.bills]
    assert [1] == [held.page for held in sorted_pages.unassigned]
