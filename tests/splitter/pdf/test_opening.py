"""Which files are sound enough to be split."""

from __future__ import annotations

import pikepdf
import pytest

from domain.failures import Refused
from splitter.bulk_file.splitting import plan, split
from splitter.pdf.opening import open_source
from splitter.store.bill_store import BillStore
from tests.splitter.pdf_builders import a_bulk_file, a_page, changed, write_pdf


@pytest.fixture
def bills(tmp_path):
    return write_pdf(tmp_path / "bills.pdf", [a_page(f"01.{n}") for n in range(10, 19)])


def pages_of(path):
    _, pages = open_source(path)
    return len(pages)


def refusal(path):
    with pytest.raises(Refused) as refused:
        open_source(path)
    assert refused.value.code == "pdf-unreadable"
    assert refused.value.message.count("bills.pdf") == 1
    return refused.value.message


def test_a_sound_file_tells_its_number_of_pages(bills):
    assert pages_of(bills) == 9


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

    assert pages_of(bills) == 9


def test_a_nested_page_tree_in_object_streams_is_opened(bills):
    def nest(pdf):
        for _ in range(40):
            top = pdf.Root.Pages
            pdf.Root.Pages = pdf.make_indirect(
                pikepdf.Dictionary(Type=pikepdf.Name.Pages, Kids=[top], Count=9)
            )
            top.Parent = pdf.Root.Pages

    changed(bills, nest, object_stream_mode=pikepdf.ObjectStreamMode.generate)

    assert pages_of(bills) == 9


@pytest.mark.parametrize("revision", [3, 4, 6])
def test_a_file_that_only_its_owner_opens_without_a_password_is_locked(bills, tmp_path, revision):
    weak = {"aes": False, "metadata": False} if revision < 4 else {}
    lock = pikepdf.Encryption(owner="", user="user", R=revision, **weak)
    changed(bills, lambda pdf: None, deterministic_id=False, encryption=lock)

    with pytest.raises(Refused) as refused:
        split(bills, a_bulk_file(), BillStore(tmp_path / "store"), prefix="", processes=1)

    assert "bills.pdf is locked by a password" in refused.value.message


def test_a_file_that_names_its_accounts_in_bookmarks_alone_is_called_so(bills, tmp_path):
    def mark(pdf):
        with pdf.open_outline() as outline:
            for number in range(9):
                outline.root.append(pikepdf.OutlineItem(f"Account 44-{number}12345", number))

    changed(bills, mark)

    with pytest.raises(Refused) as refused:
        plan(bills, a_bulk_file(account=r"No such label ([0-9]+)"))

    assert "in bookmarks alone, such as 'Account 44-012345'" in refused.value.message


@pytest.mark.parametrize("titles", [["Part 1", "Part 2"], ["Account 44-12345"], []])
def test_bookmarks_that_name_no_accounts_are_no_reason(bills, titles):
    def mark(pdf):
        with pdf.open_outline() as outline:
            outline.root.extend(pikepdf.OutlineItem(title, 0) for title in titles)

    changed(bills, mark)

    assert () == plan(bills, a_bulk_file(account=r"No such label ([0-9]+)")).bills


def test_a_file_encrypted_to_a_certificate_is_called_so(bills):
    encrypted = b"trailer\n<</Encrypt<</Filter/Adobe.PubSec/V 4/SubFilter/adbe.pkcs7.s5>>"
    bills.write_bytes(bills.read_bytes().replace(b"trailer\n<<", encrypted))

    assert "encrypted to a certificate" in refusal(bills)


def test_a_portfolio_is_called_so(bills):
    def collect(pdf):
        pdf.Root.Collection = pikepdf.Dictionary(Type=pikepdf.Name.Collection, View=pikepdf.Name.D)

    changed(bills, collect)

    assert "is a portfolio" in refusal(bills)


@pytest.mark.parametrize("is_drawn_by_script", [True, False])
def test_an_xfa_form_is_called_so_where_its_pages_are_drawn_by_a_script(bills, is_drawn_by_script):
    def fill(pdf):
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[], XFA=pdf.make_stream(b"<xdp/>"))
        pdf.Root.NeedsRendering = is_drawn_by_script

    changed(bills, fill)

    if is_drawn_by_script:
        assert "is an XFA form" in refusal(bills)
    else:
        assert 9 == pages_of(bills)
