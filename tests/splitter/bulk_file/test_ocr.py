"""Pages that are only a picture: read where that is wanted, believed where it is certain."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pikepdf
import pytest

from command_line.main import run
from domain.bills import PageFacts
from domain.failures import Misuse
from domain.money import Money
from office.settings.settings import open_settings
from splitter.association.knowledge import Knowledge, KnownCustomer
from splitter.bulk_file.assignment import (
    AFTER_UNASSIGNED,
    NOT_READABLE,
    OTHER_AMOUNT_BY_OCR,
    UNKNOWN_BY_OCR,
    assign_pages,
)
from splitter.bulk_file.splitting import Splitting
from splitter.reading import tesseract as ocr_program
from splitter.reading.tesseract import Picture, ProgramFailed, require_tesseract, words_in
from splitter.store.bill_store import BillStore
from splitter.text.patterns import compile_patterns
from splitter.workers.page_facts import read_in
from splitter.workers.parent import WorkerPool
from tests.splitter import scans
from tests.splitter.pdf_builders import ACCOUNT, AMOUNT, DUE, a_bulk_file, a_page, changed
from tests.splitter.scans import Reader, scanned, write_cards

ANN, BO, CY = "01.1037.1", "02.2048.2", "10.5793.6"
DUE_ON = date(2026, 11, 20)


@pytest.fixture
def tesseract():
    scans.require_tesseract()


@pytest.fixture
def reader(tmp_path, monkeypatch):
    return Reader(tmp_path / "program", monkeypatch)


@pytest.fixture
def bills(tmp_path):
    """A bill of text between two that were scanned."""
    pages = [a_page(ANN, number="1 of 1"), a_page(BO, number="1 of 1"), a_page(CY, "Thank you")]
    return scanned(write_cards(tmp_path / "bills.pdf", pages), {0, 2})


@pytest.fixture
def scan(tmp_path):
    """One scanned page, whatever the program makes of it."""
    return scanned(write_cards(tmp_path / "scan.pdf", [a_page(ANN)]))


def plan(path, bulk=None, *, ocr=True, known=None):
    with Splitting(path, bulk or a_bulk_file(), processes=1, ocr=ocr) as splitting:
        customers = [KnownCustomer(account) for account in known or ()]
        return splitting.plan(knowledge=Knowledge.of(customers))


def split(path, to, **changes):
    with Splitting(path, a_bulk_file(**changes), processes=1, ocr=True) as splitting:
        assignment = splitting.plan()
        return assignment, splitting.file_bills(assignment, BillStore(to), prefix="")


def shown(assignment):
    return [(bill.account, bill.pages, bill.amount_due, bill.due_on) for bill in assignment.bills]


def nobodys(assignment):
    return [(found.page, found.reason) for found in assignment.unassigned]


def test_scanned_bills_are_read_copied_and_read_back(tesseract, bills, tmp_path):
    assignment, outcome = split(bills, tmp_path / "out")

    assert [
        (account, (page,), Money(12_50), DUE_ON) for page, account in enumerate([ANN, BO, CY])
    ] == shown(assignment)
    assert (0, 2) == assignment.by_ocr
    assert ((), 3) == (outcome.problems, outcome.read_back)
    assert [f"{name}.pdf" for name in (ANN, BO, CY)] == [bill.path for bill in outcome.bills]


@pytest.mark.release
def test_the_same_scan_gives_the_same_bytes(tesseract, scan, tmp_path):
    once, again = (split(scan, tmp_path / name) for name in ("once", "again"))

    assert once == again


@pytest.mark.parametrize(
    "turned", [90, *(pytest.param(turned, marks=pytest.mark.release) for turned in (180, 270))]
)
def test_a_turned_page_is_read_as_it_is_displayed(tesseract, tmp_path, turned):
    path = scanned(write_cards(tmp_path / "turned.pdf", [a_page(ANN)]), turned=turned)

    assignment, outcome = split(path, tmp_path / "out")

    assert [(ANN, (0,), Money(12_50), DUE_ON)] == shown(assignment)
    assert () == outcome.problems


def test_without_the_setting_a_scan_is_nobodys_and_the_program_is_not_asked(reader, bills):
    reader.says(["Account: 01.1037.1"])

    assignment = plan(bills, ocr=False)

    assert [(0, NOT_READABLE), (2, NOT_READABLE)] == nobodys(assignment)
    assert ((), 0) == (assignment.by_ocr, reader.calls)


def test_a_scan_that_names_no_account_does_not_go_to_the_bill_before_it(tesseract, tmp_path):
    pages = [a_page(ANN), ["Your water comes from the Elk River."], ["goes on as text"]]
    path = scanned(write_cards(tmp_path / "insert.pdf", pages), {1})

    assignment = plan(path)

    assert [(ANN, (0,), Money(12_50), DUE_ON)] == shown(assignment)
    assert [(1, NOT_READABLE), (2, AFTER_UNASSIGNED)] == nobodys(assignment)


def test_only_pages_without_any_text_are_given_to_the_program(tesseract, reader, tmp_path):
    def over_a_picture(pdf):  # what scanners write that read the page themselves
        for number, mode in ((1, b"3"), (2, b"0")):
            page = pdf.pages[number]
            page.add_resource(pikepdf.Dictionary(_HELVETICA), pikepdf.Name.Font, pikepdf.Name.F9)
            page.contents_add(b"BT /F9 9 Tf " + mode + b" Tr 30 90 Td (Insert) Tj ET")
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Square, Rect=[10, 10, 50, 50]
        )
        pdf.pages[3].Annots = pdf.make_indirect([pdf.make_indirect(note)])

    cards = write_cards(tmp_path / "mixed.pdf", [a_page(name) for name in (BO, *[ANN] * 4)] + [[]])
    path = changed(scanned(cards, {1, 2, 3, 4}), over_a_picture)
    reader.asks_the_real_one()

    assignment = plan(path)

    assert ((4,), 2) == (assignment.by_ocr, reader.calls)  # once in each size


_HELVETICA = {
    "/Type": pikepdf.Name.Font,
    "/Subtype": pikepdf.Name.Type1,
    "/BaseFont": pikepdf.Name.Helvetica,
}


def test_a_region_holds_for_scans_too(tesseract, scan):
    upper, lower = (0, 0, 400, 60), (0, 60, 400, 200)

    inside = plan(scan, a_bulk_file(region=upper))
    outside = plan(scan, a_bulk_file(region=lower))

    amount_on_whole_page = Money(12_50)
    assert [(ANN, (0,), amount_on_whole_page, DUE_ON)] == shown(inside)
    assert [(0, NOT_READABLE)] == nobodys(outside)


@pytest.mark.parametrize(
    ("at_200", "at_300"),
    [
        pytest.param(["Account: 01.1037.1"], ["Account: 01.1031.1"], id="another digit"),
        pytest.param(["Account: 01.1037.1"], ["Acc0unt: 01.1037.1"], id="one names none"),
        pytest.param(["Account: 01.1037. 1"], None, id="a gap in the number"),
        pytest.param(["Account: 01,1037.1"], None, id="a comma in the number"),
        pytest.param(["Account: 01.1037.1)"], None, id="a sign after the number"),
        pytest.param(["Account: 01.1037.1", "Account: 02.2048.2"], None, id="two accounts"),
        pytest.param(["Account: 01.1037.1", "END OF BATCH"], None, id="a separator as well"),
        pytest.param(["END OF BATCH"], None, id="a separator"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_a_reading_in_doubt_leaves_the_page_to_a_person(reader, scan, at_200, at_300):
    reader.says(at_200, at_300)

    assignment = plan(scan, a_bulk_file(separator="END OF BATCH"))

    assert [(0, NOT_READABLE)] == nobodys(assignment)
    assert ((), ()) == (assignment.bills, assignment.separators)
    assert reader.calls in (2, 4)


@pytest.mark.parametrize("below", ["12 Elm St", "2026 is over", "- 12 -"])
def test_digits_on_the_next_line_do_not_belong_to_the_number(reader, scan, below):
    reader.says(["Account: 01.1037.1", below])

    assert [ANN] == [bill.account for bill in plan(scan).bills]


@pytest.mark.parametrize(
    ("at_200", "at_300", "amount"),
    [
        pytest.param("Amount Due: $12.50", "Amount Due: $72.50", None, id="disputed"),
        pytest.param("Amount Due: $1 2.50", "Amount Due: $12.50", Money(12_50), id="missed once"),
        pytest.param("Amount Due: $12.S0", "Am0unt Due: $12.50", None, id="missed twice"),
    ],
)
def test_an_amount_that_is_read_differently_is_not_there(reader, scan, at_200, at_300, amount):
    head = ["Account: 01.1037.1", "Due Date: 11/20/2026"]
    reader.says([*head, at_200], [*head, at_300])

    assignment = plan(scan)

    assert [(ANN, (0,), amount, DUE_ON)] == shown(assignment)


def test_a_scan_that_names_an_account_the_export_does_not_have_is_nobodys(reader, scan):
    reader.says(["Account: 01.1037.1"])

    assert [(0, UNKNOWN_BY_OCR)] == nobodys(plan(scan, known={"0220482"}))
    assert [ANN] == [bill.account for bill in plan(scan, known={"0110371"}).bills]


@pytest.mark.parametrize("scans_at", [(True, False), (False, True), (True, True)])
def test_a_scan_and_its_neighbor_with_another_amount_are_not_one_bill(scans_at):
    amounts = (Money(12_50), Money(80_00))
    pages = [
        PageFacts(page, (ANN,), (amount,), by_ocr=by_ocr)
        for page, (amount, by_ocr) in enumerate(zip(amounts, scans_at, strict=True))
    ]

    assignment = assign_pages(pages)

    assert [(ANN, (0,))] == [(bill.account, bill.pages) for bill in assignment.bills]
    assert [(1, OTHER_AMOUNT_BY_OCR)] == nobodys(assignment)


def test_a_scan_that_goes_on_with_its_account_is_of_the_same_bill():
    pages = [PageFacts(0, (ANN,), (Money(12_50),), by_ocr=True), PageFacts(1, (ANN,), by_ocr=True)]

    assignment = assign_pages(pages, known_accounts={"0110371"})

    assert [(0, 1)] == [bill.pages for bill in assignment.bills]
    assert (0, 1) == assignment.by_ocr


def test_a_page_as_large_as_a_wall_is_not_drawn(reader, scan):
    def enlarge(pdf):
        pdf.pages[0].MediaBox = [0, 0, 14_400, 14_400]

    reader.says(["Account: 01.1037.1"])

    assignment = plan(changed(scan, enlarge))

    assert ([(0, NOT_READABLE)], 0) == (nobodys(assignment), reader.calls)


def test_a_program_that_crashes_leaves_the_page_to_a_person(reader, scan):
    reader.does("kill -SEGV $$")

    assert [(0, NOT_READABLE)] == nobodys(plan(scan))


def test_a_program_that_hangs_is_ended(reader, monkeypatch):
    reader.does(f"echo $$ > {reader.folder}/pid; exec sleep 60")
    monkeypatch.setattr(ocr_program, "READING_SECONDS", 1)

    with pytest.raises(ProgramFailed):
        words_in(Picture(1, 1, b"\xff", 300), 4)

    assert not is_alive(int((reader.folder / "pid").read_text()))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="only Linux ends it at once")
def test_the_program_dies_with_the_hand_that_started_it(reader, scan):
    told = reader.folder / "pid"
    reader.does(f"echo $$ > {told}.new; mv {told}.new {told}; exec sleep 60")
    workers = WorkerPool(scan, compile_patterns(a_bulk_file(), ocr=True))
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_in, workers, processes=1)
        await_that(told.exists)
        program = int(told.read_text())

        workers.close()  # ends its hands

        await_that(lambda: not is_alive(program))
        assert reading.exception(timeout=60) is not None


def await_that(holds, seconds=60.0):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def is_alive(program: int) -> bool:
    try:
        os.kill(program, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{program}/stat").read_text().rpartition(")")[2].split()[0]


def test_the_program_gets_no_secrets_of_ours(reader, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_SMTP__PASSWORD", "open sesame")
    reader.does(f"env > {reader.folder}/env")

    words_in(Picture(1, 1, b"\xff", 300), 4)

    assert "sesame" not in (reader.folder / "env").read_text()


def test_where_the_program_is_missing_one_sentence_says_so_before_anything(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "billclose.toml").write_text("[splitter]\nocr = true\n")

    for asking in (
        require_tesseract,
        lambda: Splitting(tmp_path / "no.pdf", a_bulk_file(), ocr=True),
        lambda: open_settings(tmp_path),
    ):
        with pytest.raises(Misuse, match=r"tesseract is not installed; install it") as misuse:
            asking()
        assert "no-tesseract" == misuse.value.code


def test_where_the_program_knows_no_english_one_sentence_says_so(reader):
    reader.does("")
    program = reader.folder / "tesseract"
    program.write_text(program.read_text().replace("echo eng", "echo deu"))

    with pytest.raises(Misuse, match="does not know English"):
        require_tesseract()


@pytest.fixture
def command(bills, tmp_path, capsys):
    def call(*options):
        patterns = ["--account", ACCOUNT, "--amount-due", AMOUNT, "--due-date", DUE]
        status = run(["split", str(bills), *patterns, "--to", str(tmp_path / "out"), *options])
        return status, capsys.readouterr()

    return call


def test_split_says_which_pages_were_read_by_ocr(reader, command):
    reader.says(["Account: 01.1037.1"])

    status, said = command("--ocr", "--dry-run")
    _, in_json = command("--ocr", "--dry-run", "--json")

    assert 4 == status  # the account occurs twice
    assert "Read by OCR, so compare account and amount with the page: 1, 3" in said.out
    assert [1, 3] == json.loads(in_json.out)["read_by_ocr"]


def test_split_with_ocr_but_without_the_program_writes_nothing(command, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))

    status, said = command("--ocr")

    assert 2 == status
    assert "tesseract is not installed" in said.err
    assert not (tmp_path / "out").exists()
