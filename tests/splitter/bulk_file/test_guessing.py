"""`billclose pattern` on bills of many looks: what it prints splits the file right as it is."""

from __future__ import annotations

import json
import shlex
import tomllib
from pathlib import Path

import pytest
import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from bench.splitter.bulk_files import cache_folder
from bench.splitter.made_up_bills import made_up_bills
from bench.splitter.producers import PRODUCERS
from command_line.commands.pattern import NOT_TAGGED, TAGGED
from command_line.main import run
from domain.periods import BulkFile
from splitter.bulk_file.splitting import plan
from tests.splitter.pdf_builders import a_page, write_pdf
from tests.splitter.tagged_builders import write_tagged

BILLS = 12
ACCOUNTS = [f"{10 + number}-{2000 + 37 * number}-4" for number in range(BILLS)]
STRANGE_NAME = "bills of O'Hara \U0001f4a7.pdf"


def asked(file, capsys):
    status = run(["pattern", str(file), "--json"])
    return status, json.loads(capsys.readouterr().out)


def planned(file, table):
    """Split as a bundle.toml with this table would have it."""
    told = tomllib.loads(table)["documents"][0]
    region = tuple(told["region"]) if "region" in told else None
    bulk = BulkFile(
        told["form"], told["file"], told["account"], told.get("amount_due"), told.get("due_date"),
        told.get("separator"), region,
    )  # fmt: skip
    return plan(file, bulk)


def written(path, bills, *, size=(612, 792), rotation=0, spacing=0.0, font="Helvetica"):
    """Write pages, each a list of (x, y, text)."""
    canvas = Canvas(str(path), pagesize=size, invariant=1)
    canvas.setPageRotation(rotation)
    for page in bills:
        canvas.setPageRotation(rotation)
        for x, y, text in page:
            line = canvas.beginText(x, y)
            line.setFont(font, 10)
            line.setCharSpace(spacing)
            line.textOut(text)
            canvas.drawText(line)
        canvas.showPage()
    canvas.save()
    return path


def column(*lines):
    return [(40, 740 - 20 * row, line) for row, line in enumerate(lines)]


def in_two_languages(path):
    return written(path, [
        page for account in ACCOUNTS for page in (
            column(f"Account / Cuenta: {account}", "Amount Due / Total a pagar: $10.25",
                   "Due Date / Fecha de vencimiento: 11/20/2026"),
            column("Usage details / Detalle del consumo"),
        )
    ])  # fmt: skip


def in_spanish(path):
    return written(path, [
        column(f"Número de cuenta: {account}", "Importe total: $10.25", "Vencimiento: 11/20/2026")
        for account in ACCOUNTS
    ])  # fmt: skip


def spaced_out(path):
    return written(path, [
        column(f"Account No. {account}", "Amount Due $10.25", "Due Date 11/20/2026")
        for account in ACCOUNTS
    ], spacing=9)  # fmt: skip


def with_ligatures(path):
    folder = Path(reportlab.__file__).parent / "fonts"
    pdfmetrics.registerFont(TTFont("Vera", str(folder / "Vera.ttf")))
    return written(path, [
        column(f"Certi\ufb01ed account: {account}", "Total due: $10.25",
               "Please pay before: November 20, 2026")
        for account in ACCOUNTS
    ], font="Vera")  # fmt: skip


def with_separators(path):
    pages = [column(f"Customer # {a}", "Total due: $10.25", "Pay by: 2026-11-20") for a in ACCOUNTS]
    for number in (8, 4, 0):
        pages.insert(number, column(f"End of batch {number}"))
    return written(path, pages)


def two_numbers(path, at=700, **how):
    """The utility's own number and the bill's, under the same label, on both pages of each bill."""
    return written(path, [
        [(40, 740, "Bank Account: 99-0000-1"), (360, at, f"Account: {account}"),
         (40, 680, f"Page {page} of 2"), (40, 660, "Amount Due: $10.25"),
         (40, 640, "Due Date: 11/20/2026")]
        for account in ACCOUNTS for page in (1, 2)
    ], **how)  # fmt: skip


def two_numbers_on_one_line(path):
    return two_numbers(path, at=740)


def two_numbers_on_a_page_turned_round(path):
    return two_numbers(path, rotation=90, size=(792, 612))  # upright: reportlab turns it, too


def a_landlords_number_below(path):
    return written(path, [
        [(40, 740, f"Account: {account}"), (40, 300, f"Account: 70-{number % 3}555-0"),
         (40, 660, "Amount Due: $10.25"), (40, 640, "Due Date: 11/20/2026")]
        for number, account in enumerate(ACCOUNTS)
    ])  # fmt: skip


LOOKS = [
    in_two_languages, in_spanish, spaced_out, with_ligatures, with_separators, two_numbers,
    two_numbers_on_one_line, two_numbers_on_a_page_turned_round, a_landlords_number_below,
]  # fmt: skip


@pytest.mark.parametrize("write", LOOKS, ids=lambda write: write.__name__)
def test_the_table_printed_splits_the_file_right(tmp_path, capsys, write):
    file = write(tmp_path / STRANGE_NAME)

    status, told = asked(file, capsys)

    found = planned(file, told["toml"])
    assert (status, found.unassigned) == (0, ())
    assert [bill.account for bill in found.bills] == ACCOUNTS
    assert all(bill.amount_due is not None and bill.due_on is not None for bill in found.bills)
    assert len(found.separators) == (3 if write is with_separators else 0)
    assert told["candidates"]["account"][0]["confidence"] == "sure"
    assert (told["region"] is not None) == ("number" in write.__name__)


def test_the_command_printed_does_the_same_as_the_table(tmp_path, capsys):
    file = two_numbers(tmp_path / STRANGE_NAME)
    _, told = asked(file, capsys)

    status = run([*shlex.split(told["command"])[1:], "--json"])

    said = json.loads(capsys.readouterr().out)
    assert (status, said["status"]) == (0, "dry-run")
    assert [bill["account"] for bill in said["bills"]] == ACCOUNTS


@pytest.mark.parametrize("producer", ["reportlab", "ghostscript", "object-streams", "fpdf2"])
def test_the_bills_of_each_producer_are_split_by_what_is_printed(tmp_path, capsys, producer):
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "weasyprint").symlink_to(cache_folder() / "weasyprint")
    PRODUCERS["reportlab"](folder / f"reportlab-{BILLS}.pdf", BILLS, folder)
    file = folder / f"{producer}-{BILLS}.pdf"
    if not PRODUCERS[producer](file, BILLS, folder):
        pytest.skip(f"{producer} is not installed")

    _, told = asked(file, capsys)

    expected = [(bill.account, len(bill.pages)) for bill in made_up_bills(BILLS)]
    found = [(bill.account, len(bill.pages)) for bill in planned(file, told["toml"]).bills]
    assert expected == found


def test_a_page_that_says_nothing_telling_is_no_separator_unasked(tmp_path, capsys):
    pages = [page for account in ACCOUNTS for page in (a_page(account), ["Thank you"])]

    _, told = asked(write_pdf(tmp_path / "bills.pdf", pages), capsys)

    assert told["separator"]["confidence"] == "doubtful"
    assert "separator" not in tomllib.loads(told["toml"])["documents"][0]
    assert any("if such a page belongs to nobody" in sentence for sentence in told["sentences"])


def test_each_thing_not_found_is_said(tmp_path, capsys):
    status, told = asked(write_pdf(tmp_path / "bills.pdf", [["Hello"], []]), capsys)

    said = "\n".join(told["sentences"])
    assert status == 4
    assert "No account number was found" in said
    assert "No amount due was found" in said
    assert "No due date was found" in said
    assert "1 page of 2 pages looked at have no text" in said


def test_a_doubtful_amount_is_left_out(tmp_path, capsys):
    pages = [[f"Account: {account}", f"Water usage ${account[:2]}.00"] for account in ACCOUNTS]

    _, told = asked(write_pdf(tmp_path / "bills.pdf", pages), capsys)

    (table,) = tomllib.loads(told["toml"])["documents"]
    assert "amount_due" not in table
    assert "# amount_due" in told["toml"]
    assert "The amount due is doubtful and left out" in "\n".join(told["sentences"])


def test_it_says_whether_the_file_is_tagged(tmp_path, capsys):
    tagged = write_tagged(tmp_path / "tagged.pdf")
    plain = write_pdf(tmp_path / "plain.pdf", [a_page("01.1037.1"), a_page("02.2048.2")])

    for file, is_tagged, said in ((tagged, True, TAGGED), (plain, False, NOT_TAGGED)):
        _, told = asked(file, capsys)

        assert (is_tagged, said) == (told["is_tagged"], told["sentences"][-1])
