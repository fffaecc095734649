"""The tags of a bulk file that Chromium printed, as pdfium reads them in file and copies."""

from __future__ import annotations

import ctypes
import shutil
import subprocess

import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from domain.bills import Tagging
from splitter.copying.audit import audit
from splitter.copying.copier import BillCopier
from tests.splitter.pdf_builders import is_surely_clean
from tests.splitter.tagged_builders import bears

ACCOUNTS = [f"{10 + number}-{345_678 + 7 * number}-{number:02d}" for number in range(4)]
BILL = """
<section style="break-after:page"><h1>Utility bill</h1><p>Account: <b>{account}</b></p>
<img alt="use of {account}" width="9" height="9"
 src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7">
<table><tr><th scope="col" id="s{account}">Service<th scope="col">Amount</tr>
<tr><td headers="s{account}">Water<td>$12</tr></table><ul><li>Pay by mail<li>Pay here</ul>
<p lang="es">Si necesita ayuda, llame.</p>
<p><a href="https://pay.example.test/?a={account}">Pay online</a></p></section>
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def bulk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bulk")
    page, file = folder / "bills.html", folder / "bills.pdf"
    sections = "".join(BILL.format(account=account) for account in ACCOUNTS)
    page.write_text(f'<html lang="en-US"><body><main>{sections}</main></body></html>')
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--export-tagged-pdf")
    subprocess.run(
        ["chromium", *options, f"--user-data-dir={folder}/profile", f"--print-to-pdf={file}",
         page.as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return file


def read_tags(document, page):
    """A page's elements as pdfium goes through them: type, alternative text, language, mark."""
    opened = document[page]  # closed when nobody has it any more
    tree = pdfium.FPDF_StructTree_GetForPage(opened.raw)
    found = []

    def walk(element):
        found.append(
            (
                said(pdfium.FPDF_StructElement_GetType, element),
                said(pdfium.FPDF_StructElement_GetAltText, element),
                said(pdfium.FPDF_StructElement_GetLang, element),
            )
        )
        for at in range(pdfium.FPDF_StructElement_CountChildren(element)):
            mark = pdfium.FPDF_StructElement_GetChildMarkedContentID(element, at)
            child = pdfium.FPDF_StructElement_GetChildAtIndex(element, at)
            if mark >= 0:
                found.append(mark)
            elif child:
                walk(child)

    for at in range(pdfium.FPDF_StructTree_CountChildren(tree)):
        walk(pdfium.FPDF_StructTree_GetChildAtIndex(tree, at))
    pdfium.FPDF_StructTree_Close(tree)
    opened.close()
    return found


def said(ask, element):
    length = ask(element, None, 0)
    written = ctypes.create_string_buffer(max(length, 2))
    ask(element, written, length)
    return written.raw[: max(length - 2, 0)].decode("utf-16-le")


def test_each_copy_is_read_as_its_page_is_in_the_file(bulk):
    source, copier = pypdfium2.PdfDocument(bulk), BillCopier.open(bulk)

    for page, account in enumerate(ACCOUNTS):
        made = copier.make([page])
        assert Tagging.KEPT is made.tagging
        assert [("Figure", f"use of {account}")] == list(made.texts)
        expected, found = read_tags(source, page), read_tags(pypdfium2.PdfDocument(made.content), 0)
        assert len(expected) > 20
        assert expected == found
        assert [] == audit(made.content, 1)
        assert is_surely_clean(made.content, 1)
        assert not any(bears(made.content, other) for other in ACCOUNTS if other != account)
