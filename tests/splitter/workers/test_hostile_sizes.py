"""Files that unpack to very much or have very many pages: bounded memory, bounded time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from command_line.main import run
from splitter.workers.parent import MEMORY_BYTES
from tests.splitter.hostile_builders import (
    MEGABYTES,
    bomb,
    in_object_streams,
    many_pages,
    packed,
    with_a_stream_for_a_table,
)
from tests.splitter.pdf_builders import a_page, changed, write_pdf

REPOSITORY = Path(__file__).parents[3]
MEBIBYTE = 1 << 20
GIGABYTE = 1000  # megabytes, for which the memory of a child has no room
LITTLE_MEMORY = MEMORY_BYTES * MEGABYTES // GIGABYTE  # in which there is none for so much less
PAGES = int(os.environ.get("BILLCLOSE_TEST_PAGES", "10000"))  # 100000 before a release
# Memory is that of the children, which a small process of our own starts and waits for.
SPLIT = """
import json, resource, sys
from pathlib import Path
from domain.failures import Refused
from splitter.workers import parent
from domain.periods import BulkFile
from splitter.store.bill_store import BillStore
from splitter.bulk_file.splitting import Splitting
from dataclasses import replace

path, store, filed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
parent.MEMORY_BYTES = int(sys.argv[4])
told = {"refused": None}
try:
    bulk = BulkFile("utility-bill", path.name, r"Account:\\s*([0-9.]+)")
    with Splitting(path, bulk, processes=2) as splitting:
        plan = splitting.plan()
        told |= {"pages": splitting.pages, "bills": len(plan.bills)}
        told |= {"unassigned": len(plan.unassigned)}
        some = replace(plan, bills=(*plan.bills[:filed], *plan.bills[filed:][-filed:]))
        outcome = splitting.file_bills(some, BillStore(store), prefix="")
        told |= {"filed": [bill.account for bill in outcome.bills]}
        told |= {"problems": [found.message for found in outcome.problems]}
except Refused as refused:
    told["refused"] = [refused.code, refused.message]
used = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = used.ru_utime + used.ru_stime  # of work: a busy machine counts for nothing
print(json.dumps(told | {"megabytes": used.ru_maxrss // 1024, "seconds": seconds}))
"""


def split_apart(path, tmp_path, filed=5, memory=MEMORY_BYTES):
    """Split in a process of its own; tell what came of it and how much memory its children took."""
    arguments = map(str, (path, tmp_path / "store", filed, memory))
    command = [sys.executable, "-c", SPLIT, *arguments]
    ended = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=280
    )
    told = json.loads(ended.stdout)
    assert told["megabytes"] < memory / MEBIBYTE + 100
    assert told["seconds"] < 60
    return told


def fonts_are(pdf, font):
    resources = Dictionary(pdf.pages[1].Resources)
    resources.Font = Dictionary({name: pdf.make_indirect(font) for name in resources.Font})
    pdf.pages[1].Resources = resources


def a_content_of_a_gigabyte(pdf):
    pdf.pages[1].Contents = bomb(pdf, megabytes=GIGABYTE)


def a_content_in_two_hundred_parts(pdf):
    pdf.pages[1].Contents = Array([bomb(pdf)] * 200)


def a_form(pdf):
    form = bomb(pdf, Subtype=Name.Form, BBox=[0, 0, 9, 9])
    pdf.pages[1].Resources.XObject = Dictionary(F=form)
    pdf.pages[1].contents_add(b"/F Do")


def a_picture(pdf):
    picture = bomb(pdf, Subtype=Name.Image, Width=30000, Height=30000, BitsPerComponent=8)
    picture.ColorSpace = Name.DeviceGray
    pdf.pages[1].Resources.XObject = Dictionary(F=picture)
    pdf.pages[1].contents_add(b"/F Do")


def a_font_program(pdf):
    describes = Dictionary(
        Type=Name.FontDescriptor, FontName=Name.Abc, Flags=4, FontBBox=[0, 0, 1000, 1000],
        ItalicAngle=0, Ascent=800, Descent=-200, CapHeight=700, StemV=80, FontFile2=bomb(pdf),
    )  # fmt: skip
    font = Dictionary(Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name.Abc, FirstChar=0)
    font.LastChar, font.Widths, font.FontDescriptor = 255, [500] * 256, pdf.make_indirect(describes)
    fonts_are(pdf, font)


def a_fonts_table_of_characters(pdf):
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    font.ToUnicode = bomb(pdf, b"begincmap 1 beginbfchar ")
    fonts_are(pdf, font)


def a_fonts_encoding(pdf):
    told = Dictionary(Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0)
    kind = Dictionary(Type=Name.Font, Subtype=Name.CIDFontType2, BaseFont=Name.Abc)
    kind.CIDSystemInfo = told
    font = Dictionary(Type=Name.Font, Subtype=Name.Type0, BaseFont=Name.Abc)
    font.Encoding, font.DescendantFonts = bomb(pdf, Type=Name.CMap), [pdf.make_indirect(kind)]
    fonts_are(pdf, font)


def a_glyph(pdf):
    font = Dictionary(
        Type=Name.Font, Subtype=Name.Type3, FontBBox=[0, 0, 500, 500], FirstChar=65, LastChar=65,
        FontMatrix=[0.001, 0, 0, 0.001, 0, 0], CharProcs=Dictionary(P=bomb(pdf)), Widths=[500],
        Encoding=Dictionary(Differences=[65, Name.P]),
    )  # fmt: skip
    resources = Dictionary(pdf.pages[1].Resources)
    resources.Font = Dictionary(F1=resources.Font.F1, Three=pdf.make_indirect(font))
    pdf.pages[1].Resources = resources
    pdf.pages[1].contents_add(b"BT /Three 9 Tf (A) Tj ET")


def a_colour_profile(pdf):
    pdf.pages[1].Resources.ColorSpace = Dictionary(C=Array([Name.ICCBased, bomb(pdf, N=3)]))
    pdf.pages[1].contents_add(b"/C cs 1 0 0 sc 0 0 9 9 re f")


# As the content is: what draws unpacks it, in the same child with as little memory.
BEFORE_A_RELEASE = [
    *(a_form, a_picture, a_font_program, a_fonts_table_of_characters),
    *(a_fonts_encoding, a_glyph, a_colour_profile),
]
KEPT_AS_IT_IS = {
    "compress_streams": False,
    "recompress_flate": False,
    "stream_decode_level": pikepdf.StreamDecodeLevel.none,
}


@pytest.mark.parametrize(
    ("harm", "memory"),
    [
        pytest.param(
            a_content_of_a_gigabyte,
            MEMORY_BYTES,
            id="a_content_of_a_gigabyte",
            marks=pytest.mark.release,
        ),
        pytest.param(
            a_content_in_two_hundred_parts, LITTLE_MEMORY, id="a_content_in_two_hundred_parts"
        ),
        *(
            pytest.param(harm, LITTLE_MEMORY, id=harm.__name__, marks=pytest.mark.release)
            for harm in BEFORE_A_RELEASE
        ),
    ],
)
def test_what_unpacks_to_more_than_there_is_room_for_is_refused_or_spares_the_other_bills(
    tmp_path, harm, memory
):
    path = write_pdf(tmp_path / "bills.pdf", [a_page(f"01.{n}") for n in range(10, 14)])
    changed(path, harm, **KEPT_AS_IT_IS)
    assert path.stat().st_size < 30_000

    told = split_apart(path, tmp_path, memory=memory)

    if told["refused"]:
        code, sentence = told["refused"]
        assert code == "pdf-unreadable"
        assert "bills.pdf" in sentence
        assert not (tmp_path / "store").exists()
    else:
        assert {"01.12", "01.13"} <= set(told["filed"])


def test_an_object_stream_that_unpacks_to_very_much_is_refused(tmp_path):
    head = b"1 0 2 33 3 90 ".ljust(20) + b"<</Type/Catalog/Pages 2 0 R>>"

    path = in_object_streams(tmp_path / "bills.pdf", packed(head))
    told = split_apart(path, tmp_path, memory=LITTLE_MEMORY)

    assert told["refused"][0] == "pdf-unreadable"


def test_a_table_that_unpacks_to_very_much_is_refused(tmp_path):
    filters = b"/Filter[/FlateDecode/FlateDecode]"
    path = with_a_stream_for_a_table(
        tmp_path / "bills.pdf", b"%PDF-1.7\n", packed(), MEGABYTES * 140_000, filters=filters
    )
    told = split_apart(path, tmp_path, memory=LITTLE_MEMORY)

    assert told["refused"][0] == "pdf-unreadable"


@pytest.mark.parametrize(
    ("filters", "filed"),
    [
        pytest.param([Name.FlateDecode] * 40, ["01.10", "01.12", "01.13"], id="forty filters"),
        pytest.param([Name.DCTDecode], ["01.12", "01.13"], id="one for pictures"),
        pytest.param([Name.Unknown], ["01.12", "01.13"], id="one that nobody knows"),
    ],
)
def test_a_content_that_not_all_readers_can_show_is_not_filed_as_a_blank_page(
    tmp_path, filters, filed
):
    def pack(pdf):
        content = pdf.pages[1].Contents.read_bytes()
        for _ in filters:
            content = zlib.compress(content)
        pdf.pages[1].Contents.write(content, filter=Array(filters))

    path = write_pdf(tmp_path / "bills.pdf", [a_page(f"01.{n}") for n in range(10, 14)])
    changed(path, pack, **KEPT_AS_IT_IS)

    told = split_apart(path, tmp_path)

    assert told["filed"] == filed
    assert len(told["problems"]) == 1


@pytest.mark.parametrize(
    ("pages", "kids"),
    [
        pytest.param(PAGES, 0, id="flat", marks=pytest.mark.release),
        pytest.param(PAGES // 3, 4, id="deeply nested"),
    ],
)
def test_very_many_pages_take_little_memory(tmp_path, pages, kids):
    path = many_pages(tmp_path / "bills.pdf", pages, kids_of_a_node=kids)

    told = split_apart(path, tmp_path)

    bills = -(-pages // 2)
    assert (told["pages"], told["bills"], told["unassigned"]) == (pages, bills, 0)
    assert told["filed"][::9] == ["01.000000.1", f"01.{bills - 1:06}.1"]
    assert told["megabytes"] < 30 + pages // 270


def test_the_same_page_a_hundred_thousand_times_is_one_bill_or_refused(tmp_path):
    path = many_pages(tmp_path / "bills.pdf", 2)
    pdf = path.read_bytes().replace(b"/Count 2/Kids[6 0 R 8 0 R]", b"/Count 9999/Kids 99 0 R  ")
    path.write_bytes(pdf)

    told = split_apart(path, tmp_path)

    assert told["refused"][0] == "pdf-unreadable"


def test_pattern_says_in_a_sentence_that_a_page_unpacks_to_too_much(tmp_path, capsys):
    path = write_pdf(tmp_path / "bills.pdf", [a_page(f"01.{n}") for n in range(10, 14)])
    changed(path, a_content_of_a_gigabyte, **KEPT_AS_IT_IS)

    status = run(["pattern", str(path)])

    said = capsys.readouterr()
    assert 3 == status
    assert "Page 2 of bills.pdf cannot be read" in said.err
    assert "Traceback" not in said.err
