"""What a screen reader would say of a copy, as poppler goes through its tags."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from bench.splitter.bulk_files import cache_folder
from domain.bills import Tagging
from splitter.copying.copier import BillCopier

WEASYPRINT = cache_folder() / "weasyprint" / "bin" / "python"
ACCOUNTS = [f"{10 + number}-{345_678 + 7 * number}-{number:02d}" for number in range(4)]
PICTURE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
BILL = """
<section style="break-after:page"><h1>Utility bill</h1><p>Account: <b>{account}</b></p>
<img alt="use of {account}" width="9" height="9" src="{picture}"><h2>What it is for</h2>
<table><thead><tr><th scope="col" id="s{account}">Service<th scope="col" id="a{account}">Amount</tr>
</thead><tbody><tr><th scope="row" id="w{account}">Water
<td headers="w{account} a{account}">$12.{number:02d}</tr>
<tr><th scope="row" id="e{account}">Sewer<td headers="e{account} a{account}"></tr></tbody></table>
<ul><li>Pay by mail<li>Pay <a href="https://pay.example.test/?a={account}">here</a></ul>
<p lang="es">Si necesita ayuda, llame al {account}.</p></section>
"""
WROTE = "import sys, weasyprint; weasyprint.HTML(sys.argv[1]).write_pdf(sys.argv[2], pdf_variant="
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="poppler-utils are not installed"),
]


def by_chromium(page, file):
    if shutil.which("chromium") is None:
        pytest.skip("Chromium is not installed")
    profile = f"--user-data-dir={file.parent}/profile"
    return ["chromium", *OPTIONS, profile, f"--print-to-pdf={file}", page.as_uri()]


def by_weasyprint(page, file):
    if not WEASYPRINT.exists():
        pytest.skip("WeasyPrint is not installed")
    return [str(WEASYPRINT), "-c", f"{WROTE}'pdf/ua-1')", str(page), str(file)]


@pytest.fixture(scope="module", params=[by_chromium, by_weasyprint])
def bulk(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bulk")
    page, file = folder / "bills.html", folder / "bills.pdf"
    bills = "".join(
        BILL.format(account=account, number=number, picture=PICTURE)
        for number, account in enumerate(ACCOUNTS)
    )
    head = '<!doctype html><html lang="en-US"><meta charset="utf-8"><title>Bills</title>'
    page.write_text(f"{head}<body><main>{bills}</main></body></html>")
    command = request.param(page, file)
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return file


def read_aloud(file):
    """Return each element and text in the order of reading, whatever cells and links are called."""
    told = subprocess.run(
        ["pdfinfo", "-struct-text", str(file)], check=True, capture_output=True, text=True
    )
    assert "" == told.stderr
    return [_without_names(line) for line in told.stdout.splitlines() if line.strip()]


def _without_names(line):
    if "/Headers" in line:
        return re.sub(r"\[.*\]", f"[{line.count('(')} names]", line)
    return re.sub(r"(?<=[A-Z]) <[^<>\"]*>|(?<= Object) [0-9]+ [0-9]+$", "", line)


def texts(lines):
    return [line.strip() for line in lines if line.strip().startswith('"')]


@pytest.fixture(scope="module")
def copies(bulk, tmp_path_factory):
    """What is read of each bill's copy, in the order of the bulk file."""
    folder, copier = tmp_path_factory.mktemp("copies"), BillCopier.open(bulk)
    found = []
    for page in range(len(ACCOUNTS)):
        made = copier.make([page])
        assert Tagging.KEPT is made.tagging
        file = folder / f"{page}.pdf"
        file.write_bytes(made.content)
        found.append(read_aloud(file))
    return found


def test_all_copies_together_say_what_the_bulk_file_says_in_its_order(bulk, copies):
    said = texts(read_aloud(bulk))

    assert any(ACCOUNTS[-1] in text for text in said)
    assert said == [text for lines in copies for text in texts(lines)]


def test_a_copy_has_the_very_elements_of_its_page_below_those_it_shares(bulk, copies):
    whole = read_aloud(bulk)

    for lines in copies:
        shared = next(n for n in range(len(lines)) if is_run(lines[n:], whole))
        assert shared <= 2, lines[:shared]  # the document, and what holds all bills
        assert len(lines) - shared > 20
        assert any("/Headers [2 names]" in line for line in lines)


def is_run(lines, whole):
    return any(lines == whole[n : n + len(lines)] for n in range(len(whole) - len(lines) + 1))


def test_a_copy_says_nothing_of_another_bill(copies):
    for number, lines in enumerate(copies):
        others = [account for account in ACCOUNTS if account != ACCOUNTS[number]]
        assert not [line for line in lines for other in others if other in line]
