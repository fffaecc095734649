"""A mailed bill opens with its password alone, and shows what the plain copy shows."""

from __future__ import annotations

import io
import logging

import pikepdf
import pypdf
import pypdfium2
import pytest
from pypdf.constants import UserAccessPermissions
from pypdf.errors import FileNotDecryptedError

from splitter.copying.copier import BillCopier
from splitter.copying.encrypting import encrypt
from splitter.copying.labels import CopyLabels
from splitter.store.bill_store import sha256
from tests.splitter.pdf_builders import a_page, a_picture, pixels, text, write_pdf
from tests.splitter.tagged_builders import write_tagged

ACCOUNT, NAME, PASSWORD = "01.1037.1", "Sven Beltran", "84840"
WRONG = ["", "84841", "8484", "84840 ", "owner"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> bytes:
    """A bill of two pages with a picture and a link, whose text stands in it uncompressed."""
    path = write_pdf(
        tmp_path_factory.mktemp("bulk") / "bills.pdf",
        [a_page(ACCOUNT, NAME), ["More of it"], a_page("02.2048.2")],
        _picture_and_link,
    )
    return BillCopier.open(path).copy([0, 1])


def _picture_and_link(canvas, _page: int) -> None:
    canvas.setPageCompression(0)
    canvas.drawImage(a_picture(10, 60, 200), 400, 700, 90, 40)
    canvas.linkURL(f"https://larkspur.example/{ACCOUNT}", (0, 0, 50, 50))


@pytest.fixture(scope="module")
def locked(plain) -> bytes:
    return encrypt(plain, PASSWORD)


def by_pypdf(copy: bytes, password: str) -> list[str]:
    reader = pypdf.PdfReader(io.BytesIO(copy), strict=True, password=password)
    return [page.extract_text() for page in reader.pages]


def by_pdfium(copy: bytes, password: str) -> list[str]:
    document = pypdfium2.PdfDocument(copy, password=password)
    return [document[page].get_textpage().get_text_range() for page in range(len(document))]


def test_pypdf_reads_with_the_password_what_the_plain_copy_says(plain, locked):
    expected = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(plain)).pages]

    assert expected == by_pypdf(locked, PASSWORD)
    assert ACCOUNT in expected[0]


def test_pdfium_reads_with_the_password_what_the_plain_copy_says(plain, locked):
    assert [text(plain, 0), text(plain, 1)] == by_pdfium(locked, PASSWORD)


def test_pikepdf_finds_the_same_pages_and_nothing_wrong(plain, locked):
    expected = pikepdf.open(io.BytesIO(plain))
    found = pikepdf.open(io.BytesIO(locked), password=PASSWORD, attempt_recovery=False)

    assert [] == found.check_pdf_syntax()
    assert [_drawn(page) for page in expected.pages] == [_drawn(page) for page in found.pages]


def _drawn(page: pikepdf.Page) -> bytes:
    contents = page.obj.Contents
    parts = contents if isinstance(contents, pikepdf.Array) else [contents]
    return b"".join(part.read_bytes() for part in parts)


def test_it_shows_the_same_pixels(plain, locked):
    decrypted = io.BytesIO()
    pikepdf.open(io.BytesIO(locked), password=PASSWORD).save(decrypted)

    assert [pixels(plain, 0), pixels(plain, 1)] == [
        pixels(decrypted.getvalue(), 0),
        pixels(decrypted.getvalue(), 1),
    ]


@pytest.mark.parametrize("password", WRONG)
def test_no_library_opens_it_with(locked, password):
    with pytest.raises(pypdf.errors.PdfReadError):
        by_pypdf(locked, password)
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(locked), password=password)
    with pytest.raises(pypdfium2.PdfiumError):
        by_pdfium(locked, password)


def test_no_library_reads_it_without_asking(locked):
    with pytest.raises(FileNotDecryptedError):
        len(pypdf.PdfReader(io.BytesIO(locked)).pages)
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(locked))
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(locked)


def test_it_is_aes_256_by_its_own_account(locked):
    entry = pypdf.PdfReader(io.BytesIO(locked)).trailer["/Encrypt"].get_object()
    filters = entry["/CF"]["/StdCF"]

    assert ("/Standard", 5, 6) == (entry["/Filter"], entry["/V"], entry["/R"])
    assert ("/AESV3", "/StdCF", "/StdCF") == (filters["/CFM"], entry["/StmF"], entry["/StrF"])
    assert locked.startswith(b"%PDF-2.0\n")
    encryption = pikepdf.open(io.BytesIO(locked), password=PASSWORD).encryption
    assert (256, "aesv3", "aesv3") == (
        encryption.bits,
        encryption.stream_method.name,
        encryption.string_method.name,
    )


def test_who_opened_it_may_print_it_and_have_it_read_aloud(locked):
    reader = pypdf.PdfReader(io.BytesIO(locked), password=PASSWORD)
    allowed = pikepdf.open(io.BytesIO(locked), password=PASSWORD).allow

    assert UserAccessPermissions.PRINT in reader.user_access_permissions
    assert UserAccessPermissions.PRINT_TO_REPRESENTATION in reader.user_access_permissions
    assert (True, True, True) == (
        allowed.print_highres,
        allowed.print_lowres,
        allowed.accessibility,
    )


def test_the_bytes_hold_nothing_of_the_bill(plain, locked):
    secret = [ACCOUNT, NAME, "larkspur.example", "12.50", PASSWORD]

    assert [True] * 4 == [words.encode() in plain for words in secret[:4]]
    assert [] == [words for words in secret if words.encode() in locked]
    assert [] == [words for words in secret if words.encode("utf-16-be") in locked]


def test_the_password_is_the_users_and_not_the_owners(locked):
    encryption = pikepdf.open(io.BytesIO(locked), password=PASSWORD)

    assert (True, False) == (
        encryption.user_password_matched,
        encryption.owner_password_matched,
    )


def test_each_copy_is_encrypted_anew_and_the_plain_one_stays_as_it_is(plain):
    before = sha256(plain)

    one, other = encrypt(plain, PASSWORD), encrypt(plain, PASSWORD)

    assert one != other
    assert before == sha256(plain)


def test_it_is_but_a_little_larger(plain, locked):
    assert len(locked) < len(plain) + 2_000


def test_it_says_nothing_of_who_made_it(locked):
    assert "/Info" not in pypdf.PdfReader(io.BytesIO(locked)).trailer


@pytest.mark.parametrize(
    ("copy", "password"),
    [
        pytest.param(None, "", id="there is no password"),
        pytest.param(b"%PDF-1.7\nhello", PASSWORD, id="the copy is no PDF"),
        pytest.param(b"", PASSWORD, id="the copy is empty"),
    ],
)
def test_nothing_comes_out_unprotected_when(plain, copy, password):
    with pytest.raises(ValueError, match=r"protects nothing|cannot encrypt it"):
        encrypt(plain if copy is None else copy, password)


def test_neither_log_nor_exception_holds_the_password(plain, caplog):
    caplog.set_level(logging.DEBUG)

    encrypt(plain, "SECRET77")
    with pytest.raises(ValueError) as failed:
        encrypt(plain[: len(plain) // 2], "SECRET77")

    assert "SECRET77" not in caplog.text
    assert "SECRET77" not in str(failed.value)
    assert failed.value.__suppress_context__


def test_an_encrypted_copy_keeps_its_title_and_its_tags(tmp_path):
    labels = CopyLabels("Utility bill, October 2026", "en-US")
    copy = BillCopier.open(write_tagged(tmp_path / "bills.pdf")).make([0], labels).content

    reader = pypdf.PdfReader(io.BytesIO(encrypt(copy, PASSWORD)), strict=True, password=PASSWORD)

    root = reader.trailer["/Root"]
    assert {"/Title": labels.title} == dict(reader.metadata)
    assert root["/MarkInfo"]["/Marked"]
    assert "en-US" == root["/Lang"]
    document = root["/StructTreeRoot"]["/K"][0].get_object()
    assert ["/P"] * 3 == [kid.get_object()["/S"] for kid in document["/K"]]
