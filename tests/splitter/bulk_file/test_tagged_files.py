"""A tagged bulk file on its way into the store: what is counted, and what goes to a person."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pikepdf import String

from domain.bills import Tagging
from splitter.bulk_file.splitting import Splitting
from splitter.copying.labels import CopyLabels
from splitter.runs.records import StagedFile
from splitter.runs.tags import source_tagging, tag_problems
from splitter.store.bill_store import BillStore
from tests.splitter.pdf_builders import a_bulk_file, a_page, opened, write_pdf
from tests.splitter.tagged_builders import FIRST, SECOND, tree_of, write_tagged

THIRD = "33-333333-33"
NAMES_A_NEIGHBOR = (
    "The copy that begins on page 2 is not filed: it has a tag (P) that says the number of"
    " another account."
)


def test_bills_keep_their_tags_and_one_that_names_a_neighbor_goes_to_a_person(tmp_path):
    def be_at_fault(told):
        told.elements[1][1].Alt = String(f"the usage of {FIRST.replace('-', chr(0x2013))}")
        del told.elements[2][0].P

    path = write_tagged(tmp_path / "bills.pdf", be_at_fault, accounts=(FIRST, SECOND, THIRD))
    store = BillStore(tmp_path / "store")
    labels = CopyLabels("Utility bill, City of Larkspur, October 2026", "es")

    with Splitting(path, a_bulk_file(), processes=1) as splitting:
        is_tagged, assignment = splitting.is_tagged, splitting.plan()
        filed = splitting.file_bills(assignment, store, prefix="", labels=labels)

    assert is_tagged
    assert [NAMES_A_NEIGHBOR] == [problem.message for problem in filed.problems]
    assert Counter({Tagging.KEPT: 1, Tagging.UNREADABLE: 1}) == filed.tagging
    kept = store.read(filed.bills[0].path)
    assert [["Document", ["P", 0], ["P", 1], ["P", 2]]] == tree_of(kept)
    with opened(store.read(filed.bills[1].path)) as pdf:
        assert labels.title == str(pdf.docinfo["/Title"])
        assert "en-US" == str(pdf.Root.Lang)
        assert "/MarkInfo" not in pdf.Root


def test_bills_of_a_file_without_tags_have_a_title_and_a_language(tmp_path):
    path = write_pdf(tmp_path / "bills.pdf", [a_page("01.1037.1"), a_page("02.2048.2")])
    store = BillStore(tmp_path / "store")

    with Splitting(path, a_bulk_file(), processes=1) as splitting:
        is_tagged, assignment = splitting.is_tagged, splitting.plan()
        labels = CopyLabels("Utility bill", "es-MX")
        filed = splitting.file_bills(assignment, store, prefix="", labels=labels)

    assert not is_tagged
    assert Counter({Tagging.NONE: 2}) == filed.tagging
    assert () == filed.problems
    with opened(store.read(filed.bills[1].path)) as pdf:
        assert ("Utility bill", "es-MX") == (str(pdf.docinfo["/Title"]), str(pdf.Root.Lang))
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert "/MarkInfo" not in pdf.Root


def told(tagging):
    file = StagedFile(1, Path("bills.pdf"), a_bulk_file(), None)
    return [problem.message for problem in tag_problems(file, tagging)]


def test_what_bills_lack_is_said_once_for_each_file():
    assert [] == told(Counter({Tagging.KEPT: 9, Tagging.DROPPED: 1}))
    assert [] == told(source_tagging(9, is_tagged=True))
    assert [
        "bills.pdf is not tagged: 9 bills go out without the structure that screen readers read by."
    ] == told(source_tagging(9, is_tagged=False))
    assert [
        "bills.pdf: the tags of 2 bills do not match what their pages show (tags-incomplete); they"
        " go out without.",
        "bills.pdf: the tags of 1 bill are not a tree that can be read (tags-unreadable); it goes"
        " out without.",
    ] == told(Counter({Tagging.UNREADABLE: 1, Tagging.INCOMPLETE: 2, Tagging.KEPT: 5}))
