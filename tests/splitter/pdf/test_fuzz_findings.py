"""What fuzzing found, each as small as it could be made; see CONTRIBUTING.md on how to fuzz."""

from __future__ import annotations

import re
import zlib

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from domain.bills import BillRange
from domain.failures import Refused
from splitter.bulk_file.splitting import plan, split
from splitter.copying.copier import BillCopier
from splitter.copying.verifying import ForeignAccounts, examine
from splitter.pdf.objects import PypdfFailed
from splitter.pdf.opening import open_source
from splitter.pdf.source import SourceFile
from splitter.reading.page import DocumentText
from splitter.store.bill_store import BillStore
from splitter.text.normalizing import text_checksum
from splitter.text.patterns import compile_patterns
from splitter.workers.messages import bill_from_message, bill_to_message
from tests.splitter.hostile_builders import row, with_a_stream_for_a_table
from tests.splitter.pdf_builders import a_bulk_file, a_page, changed, is_surely_clean, write_pdf

UNTOUCHED = {
    "compress_streams": False,
    "recompress_flate": False,
    "stream_decode_level": pikepdf.StreamDecodeLevel.none,
}


@pytest.fixture
def bills(tmp_path):
    """Three bills; the first has a second page, which names no account."""
    pages = [a_page("01.10"), ["Usage details"], a_page("01.11"), a_page("01.12")]
    return write_pdf(tmp_path / "bills.pdf", pages)


@pytest.fixture
def outcome_of(tmp_path):
    def outcome_of(path):
        return split(path, a_bulk_file(), BillStore(tmp_path / "store"), prefix="", processes=1)

    return outcome_of


def filed(outcome):
    return [bill.account for bill in outcome.bills]


def a_content_with_the_type_of_a_mark(_pdf, page):
    page.Contents.Type = Name.Annot


def a_font_with_the_type_of_a_node(pdf, page):
    resources = Dictionary(page.Resources)
    node = pdf.make_indirect(Dictionary(Type=Name.Pages))
    resources.Font = Dictionary(dict.fromkeys(resources.Font.keys(), node))
    page.Resources = resources


def a_content_damaged_in_the_middle(_pdf, page):
    packed = bytearray(zlib.compress(page.Contents.read_bytes() * 20))
    packed[len(packed) // 2] ^= 0xFF
    page.Contents.write(bytes(packed), filter=Name.FlateDecode)


def a_content_cut_off(_pdf, page):
    packed = zlib.compress(page.Contents.read_bytes() * 20)
    page.Contents.write(packed[: len(packed) // 2], filter=Name.FlateDecode)


def a_content_for_which_a_program_is_missing(_pdf, page):
    page.Contents.write(page.Contents.read_bytes(), filter=Name.JBIG2Decode)


def a_box_that_is_none(_pdf, page):
    page.MediaBox = Array([0, 0, 612])


HARMS = [
    a_content_with_the_type_of_a_mark, a_font_with_the_type_of_a_node, a_content_cut_off,
    a_content_damaged_in_the_middle, a_content_for_which_a_program_is_missing, a_box_that_is_none,
]  # fmt: skip


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_a_page_that_would_lose_something_is_not_filed_and_spares_the_others(
    bills, outcome_of, harm
):
    def harm_second_page(pdf):
        page = pdf.pages[1].obj
        page.Contents = pdf.make_indirect(pdf.make_stream(page.Contents.read_bytes()))
        harm(pdf, page)

    path = changed(bills, harm_second_page, **UNTOUCHED)
    outcome = outcome_of(path)

    assert filed(outcome) == ["01.11", "01.12"]
    assert outcome.problems or plan(path, a_bulk_file(), processes=1).unassigned


def test_a_content_that_lacks_its_checksum_alone_is_whole(bills, outcome_of):
    def shorten(pdf):
        packed = zlib.compress(pdf.pages[1].Contents.read_bytes())
        pdf.pages[1].Contents.write(packed[:-4], filter=Name.FlateDecode)

    outcome = outcome_of(changed(bills, shorten, **UNTOUCHED))

    assert filed(outcome) == ["01.10", "01.11", "01.12"]


def test_a_copy_that_does_not_say_what_its_page_says_is_not_filed(bills):
    """Two readers may take two objects for the same page: then the copy is another page."""
    patterns = compile_patterns(a_bulk_file())
    document = DocumentText(bills, patterns)
    read = [document.facts(page) for page in (0, 1)]
    document.close()
    facts, _ = read[0]
    bill = BillRange(
        "01.10", (0, 1), facts.amounts[0], facts.due_dates[0],
        tuple(text_checksum(text) for _, text in read),
    )  # fmt: skip

    bill = bill_from_message(bill_to_message(bill))

    copier, nobody = BillCopier.open(bills), ForeignAccounts(frozenset())
    assert examine(copier.copy([0, 1]), bill, patterns, nobody).findings == ()
    assert (
        "does not say what its pages say in the bulk file"
        in examine(copier.copy([0, 0]), bill, patterns, nobody).findings
    )


def test_an_object_that_is_not_where_the_table_says_is_not_searched_for(bills):
    """A library finds the first one of that number, which an update may have replaced."""
    pdf = changed(bills, lambda pdf: None, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    written = bills.read_bytes()
    number = int(re.search(rb"/Contents ([0-9]+) 0 R", written)[1])
    rows = written.index(b"0000000000 65535 f")
    at = rows + 20 * number
    bills.write_bytes(written[:at] + b"0000000030" + written[at + 10 :])

    source = SourceFile(pdf, is_plain=False)

    with pytest.raises((Refused, PypdfFailed)):
        source.get(number)


def test_a_length_kept_in_the_stream_it_is_the_length_of_is_refused(tmp_path):
    body = (
        b"%PDF-1.7\n4 0 obj<</Type/ObjStm/N 2/First 8/Length 2 0 R>>stream\n"
        b"1 0 2 30 <</Type/Catalog/Pages 2 0 R>> 40\nendstream endobj\n"
    )
    rows = [row(0, 0, 65535), row(2, 4, 0), row(2, 4, 1), row(0, 0, 0), row(1, 9, 0)]
    rows.append(row(1, len(body), 0))
    path = with_a_stream_for_a_table(tmp_path / "bills.pdf", body, b"".join(rows), 6)

    with pytest.raises(Refused) as refused:
        open_source(path)

    assert refused.value.code == "pdf-unreadable"


def test_a_number_that_some_readers_cannot_take_is_left_to_the_full_audit(bills):
    """qpdf takes an object with such a number for null: to the customer the page would be gone."""
    copy = BillCopier.open(bills).copy([0])

    assert is_surely_clean(copy, 1)
    assert not is_surely_clean(copy.replace(b"/Rotate 0", b"/Rotate " + b"9" * 20), 1)
