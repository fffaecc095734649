"""Which files are sound enough to be split."""

from __future__ import annotations

import pikepdf
import pytest

from domain.failures import Refused
from splitter.pdf.opening import open_bulk_file
from tests.splitter.pdf_builders import a_page, changed, write_pdf


@pytest.fixture
def bills(tmp_path):
    return write_pdf(tmp_path / "bills.pdf", [a_page(f"01.{n}") for n in range(10, 19)])


def refusal(path):
    with pytest.raises(Refused) as refused:
        open_bulk_file(path)
    assert refused.value.code == "pdf-unreadable"
    assert refused.value.message.count("bills.pdf") == 1
    return refused.value.message


def test_a_sound_file_tells_its_number_of_pages(bills):
    assert open_bulk_file(bills) == 9


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        pytest.param(lambda pdf: b"", "empty", id="it is empty"),
        pytest.param(lambda pdf: b"account;amount\n1;2\n", "not a PDF", id="it is no PDF"),
        pytest.param(lambda pdf: pdf[: len(pdf) * 6 // 10], "cut off", id="it is cut off"),
        pytest.param(lambda pdf: pdf[:-30], "damaged", id="its end is missing"),
        pytest.param(
            lambda pdf: b"junk\n" + pdf, "5 bytes before", id="something stands before it"
        ),
        pytest.param(
            lambda pdf: pdf.replace(b"%PDF-1.3\n", b"%PDF-1.3\n%7 off\n"),
            "damaged",
            id="its offsets are wrong",
        ),
        pytest.param(
            lambda pdf: pdf.replace(b"/Count 9", b"/Count 8"), "damaged", id="its count is wrong"
        ),
        pytest.param(lambda pdf: b"%PDF-1.7\n" + b"\0" * 500, "damaged", id="it is full of zeros"),
    ],
)
def test_a_file_is_refused_when(bills, harm, reason):
    bills.write_bytes(harm(bills.read_bytes()))

    assert reason in refusal(bills)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    refusal(tmp_path / "bills.pdf")


def test_a_file_without_pages_is_refused(tmp_path):
    pikepdf.new().save(tmp_path / "bills.pdf")

    assert "no pages" in refusal(tmp_path / "bills.pdf")


def test_a_page_tree_that_bites_its_tail_is_refused(bills):
    def bite(pdf):
        pdf.Root.Pages.Kids[3] = pdf.Root.Pages

    changed(bills, bite)

    assert "damaged" in refusal(bills)


def test_a_page_tree_that_multiplies_itself_is_refused(bills):
    def multiply(pdf):
        node = pdf.pages[0].obj
        for _ in range(30):
            kids = pikepdf.Array([node, node])
            node = pdf.make_indirect(
                pikepdf.Dictionary(Type=pikepdf.Name.Pages, Kids=kids, Count=2)
            )
        pdf.Root.Pages.Kids = pikepdf.Array([node])

    changed(bills, multiply)

    assert "damaged" in refusal(bills)


def test_a_file_locked_by_a_password_is_refused(bills):
    changed(
        bills,
        lambda pdf: None,
        deterministic_id=False,
        encryption=pikepdf.Encryption(owner="owner", user="user"),
    )

    assert "password" in refusal(bills)


def test_a_file_locked_by_its_owner_alone_is_opened(bills):
    changed(
        bills,
        lambda pdf: None,
        deterministic_id=False,
        encryption=pikepdf.Encryption(owner="owner", user=""),
    )

    assert open_bulk_file(bills) == 9


def test_a_nested_page_tree_in_object_streams_is_opened(bills):
    def nest(pdf):
        for _ in range(40):
            top = pdf.Root.Pages
            pdf.Root.Pages = pdf.make_indirect(
                pikepdf.Dictionary(Type=pikepdf.Name.Pages, Kids=[top], Count=9)
            )
            top.Parent = pdf.Root.Pages

    changed(bills, nest, object_stream_mode=pikepdf.ObjectStreamMode.generate)

    assert open_bulk_file(bills) == 9
