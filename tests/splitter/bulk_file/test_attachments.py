"""Portfolios: each attached file is a bill, and its name says whose."""

from __future__ import annotations

import io
import json
import stat

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from command_line.main import run
from domain.failures import Refused
from splitter.association import claims
from splitter.bulk_file.splitting import plan, split
from splitter.copying import unfolding
from splitter.store.bill_store import BillStore
from splitter.workers.unfolder import unfold_file
from tests.splitter.attachment_builders import a_pdf, write_portfolio
from tests.splitter.pdf_builders import a_bulk_file, a_page, changed, everything_in, pixels, text

TITLE = r"^([0-9.]+?)(?:\.pdf)?$"
ONE, TWO, THREE = "01.1037.1", "02.2048.2", "03.3059.3"
FILES = [
    (f"{ONE}.pdf", a_pdf(["Water 12.50"], ["Usage"])),
    (f"{TWO}.pdf", a_pdf(a_page(TWO))),
    (f"{THREE}.pdf", a_pdf(["Water 14.50"], ["Usage"], ["Insert"])),
]
BULK = a_bulk_file(by="attachments", title=TITLE)


@pytest.fixture
def portfolio(tmp_path):
    return tmp_path / "bills.pdf"


@pytest.fixture
def unfolded(portfolio, tmp_path):
    def call(files=FILES, change=None, **how):
        write_portfolio(portfolio, files, **how)
        if change is not None:
            changed(portfolio, change)
        unfold_file(portfolio, tmp_path / "unfolded.pdf", "bills.pdf")
        return tmp_path / "unfolded.pdf"

    return call


def refusal(unfolded, *arguments, **how):
    with pytest.raises(Refused) as refused:
        unfolded(*arguments, **how)
    assert "pdf-unreadable" == refused.value.code
    return refused.value.message


@pytest.mark.parametrize(
    "how", [{}, {"nested": True}, {"associated": True}, {"described": True}], ids=str
)
def test_an_attached_file_is_the_bill_of_the_account_that_its_name_says(unfolded, how):
    path = unfolded(**how)

    assignment = plan(path, BULK, processes=1)

    told = [(bill.account, bill.pages) for bill in assignment.bills]
    assert [(ONE, (1, 2)), (TWO, (3,)), (THREE, (4, 5, 6))] == told
    assert ((0,), ()) == (assignment.separators, assignment.unassigned)


def test_copies_show_their_pages_and_nothing_of_the_other_files(unfolded, tmp_path):
    path = unfolded()

    filed = split(path, BULK, BillStore(tmp_path / "store"), prefix="", processes=1)

    assert () == filed.problems
    copies = [(tmp_path / "store" / bill.path).read_bytes() for bill in filed.bills]
    assert ["Water 12.50", "Water 14.50"] == [text(copies[0]).strip(), text(copies[2]).strip()]
    assert pixels(tmp_path / "store" / filed.bills[2].path, 2) == pixels(_written(tmp_path), 2)
    for copy in copies:
        held = everything_in(copy)
        for trace in (b"EmbeddedFile", b"Filespec", b"Outlines", b"Collection", b"3059"):
            assert trace not in held


def _written(tmp_path):
    path = tmp_path / "three.pdf"
    path.write_bytes(FILES[2][1])
    return path


def test_unfolding_gives_the_same_bytes_privately_and_leaves_nothing_else(unfolded, tmp_path):
    first = unfolded().read_bytes()

    again = unfolded()

    assert first == again.read_bytes()
    assert 0o600 == stat.S_IMODE(again.stat().st_mode)
    assert ["bills.pdf", "unfolded.pdf"] == sorted(path.name for path in tmp_path.iterdir())


def test_two_files_of_one_account_are_two_bills(unfolded):
    path = unfolded([FILES[0], (f"{ONE}.pdf", a_pdf(["Water 99.00"])), FILES[1]])

    told = [(bill.account, bill.pages) for bill in plan(path, BULK, processes=1).bills]

    assert [(ONE, (1, 2)), (ONE, (3,)), (TWO, (4,))] == told


def test_a_file_whose_pages_name_another_account_goes_to_a_person(unfolded):
    path = unfolded([FILES[0], (f"{THREE}.pdf", a_pdf(a_page(TWO), ["goes on"]))])

    assignment = plan(path, BULK, processes=1)

    assert [ONE] == [bill.account for bill in assignment.bills]
    assert (3, claims.OTHERWISE) == (assignment.unassigned[0].page, assignment.unassigned[0].reason)
    assert [3, 4] == [found.page for found in assignment.unassigned]


def test_a_file_whose_name_and_description_name_two_accounts_goes_to_a_person(unfolded):
    def describe(pdf):
        pdf.Root.Names.EmbeddedFiles.Names[1].Desc = String(TWO)

    assignment = plan(unfolded(change=describe), BULK, processes=1)

    assert [TWO, THREE] == [bill.account for bill in assignment.bills]
    assert {claims.SEVERAL_IN_ONE} == {found.reason for found in assignment.unassigned}


def test_a_file_whose_name_names_nobody_goes_to_a_person(unfolded):
    path = unfolded([*FILES, ("insert.pdf", a_pdf(["News"]))])

    assignment = plan(path, BULK, processes=1)

    assert [(7, claims.NAMES_NONE)] == [(f.page, f.reason) for f in assignment.unassigned]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"cover": a_page(THREE)}, claims.ON_COVER),
        ({"is_portfolio": False, "cover": ["A page of whatever"]}, claims.NAMES_NONE),
    ],
)
def test_a_cover_that_may_be_a_bill_goes_to_a_person(unfolded, how, reason):
    assignment = plan(unfolded(**how), BULK, processes=1)

    assert [(0, reason)] == [(found.page, found.reason) for found in assignment.unassigned]


def test_a_file_that_is_listed_twice_is_taken_once(unfolded):
    def list_again(pdf):
        pdf.Root.AF = Array([pdf.Root.Names.EmbeddedFiles.Names[1]])

    assert 3 == len(plan(unfolded(change=list_again), BULK, processes=1).bills)


def test_names_that_are_paths_lead_nowhere(unfolded, tmp_path):
    names = [f"../../{ONE}.pdf", "/etc/passwd", f"..\\{TWO}.pdf", "a\x00b\n.pdf"]
    path = unfolded([(name, FILES[0][1]) for name in names])

    assignment = plan(path, a_bulk_file(by="attachments", title=r"([0-9]+\.[0-9.]+[0-9])"))

    assert [ONE, TWO] == [bill.account for bill in assignment.bills]
    assert ["bills.pdf", "unfolded.pdf"] == sorted(path.name for path in tmp_path.iterdir())


def _encrypted(tmp_path):
    path = tmp_path / "locked"
    path.write_bytes(FILES[0][1])
    changed(
        path, lambda _: None, deterministic_id=False, encryption=pikepdf.Encryption("one", "two")
    )
    content = path.read_bytes()
    path.unlink()
    return content


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"not a pdf", "is no PDF; please attach the bills alone"),
        (b" %PDF", "is no PDF"),
        (FILES[0][1][: len(FILES[0][1]) // 2], "is cut off or damaged"),
        (None, "is locked by a password"),
    ],
    ids=["text", "a heading", "cut off", "locked"],
)
def test_a_file_that_is_no_sound_pdf_stops_the_portfolio(unfolded, tmp_path, content, told):
    if content is None:
        content = _encrypted(tmp_path)

    said = refusal(unfolded, [FILES[0], (f"{TWO}.pdf", content), FILES[2]])

    assert said.startswith("The attached file 2 of bills.pdf ") and told in said
    assert ["bills.pdf"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("filters", ["JBIG2Decode", "Nonsense"])
def test_a_page_that_cannot_be_copied_safely_is_told_by_its_attached_file(unfolded, filters):
    said = refusal(unfolded, [FILES[0], (f"{TWO}.pdf", a_pdf_that_holds(filters)), FILES[2]])

    assert said.startswith("The attached file 2 of bills.pdf holds objects that cannot be copied")


def test_a_cover_that_cannot_be_copied_safely_is_told_by_the_name_that_the_user_knows(
    portfolio, tmp_path
):
    write_portfolio(portfolio, FILES)
    changed(portfolio, lambda pdf: odd_content(pdf, "JBIG2Decode"))

    with pytest.raises(Refused, match=r"^november\.pdf holds objects that cannot be copied"):
        unfold_file(portfolio, tmp_path / "unfolded.pdf", "november.pdf")


def a_pdf_that_holds(filters):
    """Return a PDF whose page has a content that a copy must not hold."""
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(a_pdf(["Water"]))) as pdf:
        odd_content(pdf, filters)
        pdf.save(written)
    return written.getvalue()


def odd_content(pdf, filters):
    pdf.pages[0].Contents = pdf.make_stream(b"nothing", Filter=pikepdf.Name("/" + filters))


def test_a_file_that_unpacks_to_very_much_stops_the_portfolio(unfolded):
    said = refusal(unfolded, [(f"{ONE}.pdf", b"%PDF-1.7\n" + bytes(100_000_000))])

    assert "The attached file 1 of bills.pdf cannot be unpacked, or is too large" in said


def test_files_that_together_unpack_to_very_much_stop_the_portfolio(
    unfolded, monkeypatch, tmp_path
):
    write_portfolio(tmp_path / "bills.pdf", FILES)
    monkeypatch.setattr(unfolding, "_LEAST_BYTES", 3000)
    monkeypatch.setattr(unfolding, "_MOST_TIMES", 0)

    with pytest.raises(Refused, match=r"attached file 2 of bills\.pdf and those before it unpack"):
        unfolding.unfold(
            tmp_path / "bills.pdf", "bills.pdf", lambda _: None, folder=tmp_path,
            progress=lambda _: None,
        )  # fmt: skip


def _circle(pdf):
    tree = pdf.Root.Names.EmbeddedFiles
    tree.Kids = Array([tree])


def _without_content(pdf):
    del pdf.Root.Names.EmbeddedFiles.Names[1].EF


def _without_files(pdf):
    del pdf.Root.Names


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_circle, "the list of its attached files is broken: it goes round in a circle"),
        (_without_content, "attached file 1 has no content"),
        (_without_files, "bills.pdf has no attached files"),
    ],
)
def test_a_broken_list_of_files_stops_the_portfolio(unfolded, change, told):
    assert told in refusal(unfolded, change=change)


def test_a_layer_that_is_off_in_its_own_file_stays_so(unfolded, tmp_path):
    def hide(pdf):
        layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Proof")))
        pdf.Root.OCProperties = Dictionary(OCGs=[layer], D=Dictionary(OFF=[layer]))
        pdf.pages[0].obj.Resources.Properties = Dictionary(L=layer)
        pdf.pages[0].contents_add(b"/OC /L BDC 0 0 300 300 re f EMC")

    file = _written(tmp_path)
    plain = pixels(file)
    changed(file, hide)
    assert plain == pixels(file)

    path = unfolded([FILES[0], (f"{THREE}.pdf", file.read_bytes()), (f"{TWO}.pdf", FILES[1][1])])

    assert plain == pixels(path, 3)


def test_split_takes_a_portfolio_apart(portfolio, tmp_path, capsys):
    write_portfolio(portfolio, FILES)
    patterns = ["--account", r"Account:\s*([0-9.]+)", "--by", "attachments", "--title", TITLE]

    status = run(["split", str(portfolio), *patterns, "--to", str(tmp_path / "out"), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert (0, [ONE, TWO, THREE]) == (status, [bill["account"] for bill in told["bills"]])
    out = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert [f"{ONE}.pdf", f"{TWO}.pdf", f"{THREE}.pdf"] == out
