"""Harms done to a bulk file by the fuzzer: to its bytes, its objects and its structure."""

from __future__ import annotations

import io
import random
import re
import zlib
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name

NUMBER = re.compile(rb"[0-9]+")
WORD = re.compile(rb"/[A-Za-z]+|obj|endobj|stream|R\b|<<|>>|\[|\]")
REFERENCE = re.compile(rb"[0-9]+ 0 R")
OBJECT = re.compile(rb"(?<![0-9])([0-9]+) 0 obj\b.*?endobj", re.DOTALL)
LENGTH = re.compile(rb"(/Length )([0-9]+)")
ROW = re.compile(rb"[0-9]{10} [0-9]{5} n")
NUMBERS = (b"-1", b"0", b"1", b"4294967296", b"99999999999999999999", b"1e9", b"nan", b"-.5.")
REFERENCES = (b"0 0 R", b"99999 0 R", b"4294967297 0 R")
VALUES = (b"null", b"[]", b"<<>>", b"()", b"<<", b">>", b"(((", b"(\\", b"<4", b"true", b"/", b"%")
KEYS = (
    b"/Type", b"/Kids", b"/Count", b"/Contents", b"/Resources", b"/MediaBox", b"/Parent",
    b"/Filter",
    b"/Length", b"/Font", b"/XObject", b"/Subtype", b"/ToUnicode", b"/Encoding", b"/Annots",
    b"/Rotate", b"/N", b"/First", b"/W", b"/Index", b"/DecodeParms", b"/Prev", b"/XRefStm",
)  # fmt: skip
STREAMS = ("/Contents", "/Resources", "/Annots", "/Parent", "/MediaBox", "/Group")
MEGABYTES = 120  # more than a content stream may hold, little enough to be tried often

Chance = random.Random
Raw = Callable[[bytes, bytes, Chance], bytes]
Built = Callable[[pikepdf.Pdf, Chance], None]


def harmed(pdf: bytes, other: bytes, chance: Chance) -> bytes:
    """Return a file harmed in a way that depends on the chance alone; `other` lends pieces."""
    how = chance.random()
    if how < 0.55:
        pdf = rebuilt(pdf, chance)
    if how > 0.35:
        for _ in range(chance.choice((1, 1, 2, 5))):
            pdf = chance.choice(RAW_HARMS)(pdf, other, chance)
    return pdf or b"%PDF-1.7"


# --- to the bytes, whatever they mean


def other_byte(pdf: bytes, _other: bytes, chance: Chance) -> bytes:
    at = chance.randrange(len(pdf))
    return pdf[:at] + bytes([chance.randrange(256)]) + pdf[at + 1 :]


def cut_out(pdf: bytes, _other: bytes, chance: Chance) -> bytes:
    at = chance.randrange(len(pdf))
    return pdf[:at] + pdf[at + chance.choice((1, 2, 20, 200, 20000)) :]


def cut_off(pdf: bytes, _other: bytes, chance: Chance) -> bytes:
    return pdf[: chance.randrange(len(pdf))]


def doubled(pdf: bytes, other: bytes, chance: Chance) -> bytes:
    return spliced(pdf, pdf, chance)


def spliced(pdf: bytes, other: bytes, chance: Chance) -> bytes:
    """Put a piece of another file in, or over what is there."""
    at, to = chance.randrange(len(other)), chance.randrange(len(pdf))
    piece = other[at : at + chance.choice((5, 50, 500, 50000))]
    return pdf[:to] + piece + pdf[to + len(piece) * chance.randrange(2) :]


def joined(pdf: bytes, other: bytes, chance: Chance) -> bytes:
    """Put the beginning of one file before the end of another."""
    return pdf[: chance.randrange(len(pdf))] + other[chance.randrange(len(other)) :]


def zeros(pdf: bytes, _other: bytes, chance: Chance) -> bytes:
    at, length = chance.randrange(len(pdf)), chance.randrange(1, 64)
    return pdf[:at] + bytes(length) + pdf[at + length :]


# --- to what looks like syntax


def other_number(pdf: bytes, _other: bytes, chance: Chance) -> bytes:
    """Put another number, often of the same length, so that the offsets still hold."""
    if chance.randrange(4):
        digits = NUMBER.search(pdf, chance.randrange(len(pdf)))
        length = len(digits[0]) if digits else 1
        return replaced(
            pdf, NUMBER, bytes(chance.choice(b"0123456789") for _ in range(length)), chance
        )
    return replaced(pdf, NUMBER, chance.choice(NUMBERS), chance)


def other_word(pdf: bytes, _other: bytes, chance: Chance) -> bytes:
    one = WORD.search(pdf, chance.randrange(len(pdf)))
    other = WORD.search(pdf, chance.randrange(len(pdf)))
    if one is None or other is None:
        return pdf
    word = other[0][: len(one[0])].ljust(len(one[0]))
    return pdf[: one.start()] + word + pdf[one.end() :]


def escaped_name(pdf: bytes, _other: bytes, chance: Chance) -> bytes:
    """Spell a letter of a name as #xx; that is the same name."""
    found = WORD.search(pdf, chance.randrange(len(pdf)))
    if found is None or not found[0].startswith(b"/"):
        return pdf
    at = found.start() + 1
    return pdf[:at] + b"#%02x" % pdf[at] + pdf[at + 1 :]


def swapped_references(pdf: bytes, _other: bytes, chance: Chance) -> bytes:
    other = REFERENCE.search(pdf, chance.randrange(len(pdf)))
    new = other[0] if other and chance.randrange(6) else chance.choice(REFERENCES)
    return replaced(pdf, REFERENCE, new, chance)


def wrong_length(pdf: bytes, _other: bytes, chance: Chance) -> bytes:
    found = LENGTH.search(pdf, chance.randrange(len(pdf)))
    if found is None:
        return pdf
    length = max(0, int(found[2]) + chance.choice((-2, -1, 1, 2, 10, 1000, 10**9)))
    number = chance.choice((b"%d" % length, b"1 0 R", b"9 0 R", b"-5"))
    return pdf[: found.start()] + found[1] + number + pdf[found.end() :]


def moved_row(pdf: bytes, _other: bytes, chance: Chance) -> bytes:
    """Let a row of the table point elsewhere: beside its object, or to another one."""
    found = ROW.search(pdf, chance.randrange(len(pdf)))
    other = ROW.search(pdf, chance.randrange(len(pdf)))
    if found is None or other is None:
        return pdf
    offset = int(found[0][:10]) + chance.choice((-11, -1, 1, 7, 500))
    row = chance.choice((b"%010d 00000 n" % max(0, offset), other[0], b"0000000000 65535 f"))
    return pdf[: found.start()] + row + pdf[found.end() :]


def encryption_claimed(pdf: bytes, _other: bytes, chance: Chance) -> bytes:
    """Say that the file is encrypted, which it is not (or twice)."""
    told = b"trailer\n<</Encrypt<</Filter/Standard/V %d/R %d/O(a)/U(b)/P -4>>" % (
        chance.randrange(6),
        chance.randrange(7),
    )
    return re.sub(rb"trailer\s*<<", lambda _: told, pdf, count=1)


def replaced(pdf: bytes, pattern: re.Pattern[bytes], new: bytes, chance: Chance) -> bytes:
    found = pattern.search(pdf, chance.randrange(len(pdf)))
    return pdf if found is None else pdf[: found.start()] + new + pdf[found.end() :]


# --- to whole objects, with a table that is right again


def updated(pdf: bytes, _other: bytes, chance: Chance) -> bytes:
    """Append a changed object as an incremental update does."""
    objects = list(OBJECT.finditer(pdf))
    start = re.findall(rb"startxref\s+([0-9]+)", pdf)
    root = re.search(rb"/Root\s+[0-9]+ 0 R", pdf)
    if not objects or not start or root is None:
        return pdf
    number = chance.choice(objects)[1]
    body = chance.choice(objects)[0].partition(b"obj")[2]
    at = len(pdf) + 1
    previous = chance.choice((int(start[-1]), at, 0, 10**12, len(pdf) // 2))
    appended = b"\n%b 0 obj%b\nxref\n%b 1\n%010d 00000 n \ntrailer\n<</Size 9999/Prev %d%b>>\n" % (
        number, body, number, at, previous, root[0] if root else b"",
    )  # fmt: skip
    table = pdf.__len__() + appended.index(b"xref\n" + number)
    return pdf + appended + b"startxref\n%d\n%%%%EOF\n" % table


def reordered(pdf: bytes, _other: bytes, chance: Chance) -> bytes:
    """Harm one object and write the table anew: the harm is in the object alone."""
    trailer = re.search(rb"trailer\s*(<<.*?>>)\s*startxref", pdf, re.DOTALL)
    objects = [(int(found[1]), found[0]) for found in OBJECT.finditer(pdf)]
    if trailer is None or not objects:
        return pdf
    place = chance.randrange(len(objects))
    number, written = objects[place]
    objects[place] = number, chance.choice(OBJECT_HARMS)(written, chance)
    if chance.randrange(5) == 0:  # the same number twice
        objects.append((chance.choice(objects)[0], written))
    return with_table(objects, trailer[1])


def with_table(objects: list[tuple[int, bytes]], trailer: bytes) -> bytes:
    parts, position, offsets = [b"%PDF-1.7\n"], 9, {0: 0}
    for number, written in objects:
        offsets[number] = position
        parts.append(written + b"\n")
        position += len(written) + 1
    size = max(offsets) + 1
    rows = [
        b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 65535 f \n"
        for number in range(1, size)
    ]
    table = b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, b"".join(rows))
    end = b"trailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (trailer, position)
    return b"".join(parts) + table + end


def with_a_key_twice(written: bytes, chance: Chance) -> bytes:
    key = chance.choice(KEYS)
    value = chance.choice((*VALUES, *NUMBERS, *REFERENCES, b"3 0 R", b"[3 0 R 4 0 R]", b"/Page"))
    head, opening, rest = written.partition(b"<<")
    return head + opening + key + b" " + value + b" " + rest


def with_another_value(written: bytes, chance: Chance) -> bytes:
    key = chance.choice(re.findall(rb"/[A-Za-z]+", written) or [b"/Type"])
    value = chance.choice((*VALUES, *NUMBERS, *REFERENCES))
    return written.replace(key, key + b" " + value, 1)


def with_other_parentheses(written: bytes, chance: Chance) -> bytes:
    sign = chance.choice((b"(", b")", b"\\", b"%", b"(a(b)c)", b"\r", b"\x00"))
    at = chance.randrange(len(written))
    return written[:at] + sign + written[at:]


def deeply_nested(written: bytes, chance: Chance) -> bytes:
    depth = chance.choice((50, 500, 5000, 50000))
    head, opening, rest = written.partition(b"<<")
    return head + opening + b"/Deep " + b"[" * depth + b"]" * depth + rest


def as_another_object(written: bytes, chance: Chance) -> bytes:
    head = written.partition(b"obj")[0]
    return head + b"obj " + chance.choice((*VALUES, *NUMBERS, *REFERENCES)) + b" endobj"


def at_random(written: bytes, chance: Chance) -> bytes:
    harm = chance.choice((other_byte, other_number, other_word, escaped_name, swapped_references))
    return harm(written, b"", chance)


OBJECT_HARMS = [
    with_a_key_twice, with_another_value, with_other_parentheses, deeply_nested, as_another_object,
    at_random, at_random,
]  # fmt: skip
RAW_HARMS: list[Raw] = [
    other_byte, cut_out, cut_off, doubled, spliced, joined, zeros, other_number, other_number,
    other_word, escaped_name, swapped_references, wrong_length, moved_row, encryption_claimed,
    updated, reordered, reordered, reordered,
]  # fmt: skip


# --- to the structure, by a library, so that all else is right


def rebuilt(pdf: bytes, chance: Chance) -> bytes:
    """Harm the structure once or more and write the file in one of the usual ways."""
    try:
        with pikepdf.open(io.BytesIO(pdf)) as document:
            for _ in range(chance.choice((1, 1, 2, 3))):
                chance.choice(BUILT_HARMS)(document, chance)
            written = io.BytesIO()
            document.save(written, **way_to_save(chance))
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError, LookupError, OverflowError):
        return pdf  # no library lets itself be told everything
    return written.getvalue()


def way_to_save(chance: Chance) -> dict[str, object]:
    modes = pikepdf.ObjectStreamMode
    how: dict[str, object] = {
        "object_stream_mode": chance.choice((modes.disable, modes.disable, modes.generate)),
        "compress_streams": chance.randrange(2) == 0,
        "fix_metadata_version": False,
    }
    if chance.randrange(3) == 0:
        how["stream_decode_level"] = pikepdf.StreamDecodeLevel.generalized
    if chance.randrange(12) == 0:
        how["linearize"] = True
    if chance.randrange(12) == 0:
        strength = chance.choice((2, 3, 4, 6))
        how["encryption"] = pikepdf.Encryption(
            owner="owner", user="" if chance.randrange(3) else "user", R=strength,
            metadata=strength > 3, aes=strength > 3,
        )  # fmt: skip
    return how


def a_page(pdf: pikepdf.Pdf, chance: Chance) -> Dictionary:
    return pdf.pages[chance.randrange(len(pdf.pages))].obj


def a_thing(pdf: pikepdf.Pdf, chance: Chance) -> pikepdf.Object:
    return chance.choice([thing for thing in pdf.objects if thing is not None])


def attribute_of_another_page(pdf: pikepdf.Pdf, chance: Chance) -> None:
    key = chance.choice(STREAMS)
    value = a_page(pdf, chance).get(key)
    if value is not None:
        a_page(pdf, chance)[key] = value


def attribute_that_is_anything(pdf: pikepdf.Pdf, chance: Chance) -> None:
    page = a_page(pdf, chance)
    page[chance.choice(list(page.keys()))] = pdf.make_indirect(a_thing(pdf, chance))


def resource_that_is_anything(pdf: pikepdf.Pdf, chance: Chance) -> None:
    resources = a_page(pdf, chance).get("/Resources", Dictionary())
    section = resources.get(chance.choice(("/Font", "/XObject", "/ExtGState")))
    if isinstance(section, Dictionary) and section.keys():
        section[chance.choice(list(section.keys()))] = a_thing(pdf, chance)


def kids_in_a_loop(pdf: pikepdf.Pdf, chance: Chance) -> None:
    kids = pdf.Root.Pages.Kids
    kids.append(chance.choice((pdf.Root.Pages, kids[0], pdf.Root, a_thing(pdf, chance))))
    if chance.randrange(2):
        pdf.Root.Pages.Count = len(kids)


def other_type(pdf: pikepdf.Pdf, chance: Chance) -> None:
    """Call an object something else; what would rightly be left out of a copy stays as it is."""
    kinds = ("/Page", "/Pages", "/Catalog", "/XObject", "/Font", "/ObjStm", "/Annot", "/Template")
    thing = a_thing(pdf, chance)
    if not isinstance(thing, Dictionary | pikepdf.Stream):
        return
    if thing.get("/Type") in ("/Page", "/Pages", "/Catalog"):
        thing.Type = Name(chance.choice(kinds))
    else:
        thing[chance.choice(("/Type", "/Subtype"))] = Name(chance.choice(("/XObject", "/ObjStm")))


def other_box(pdf: pikepdf.Pdf, chance: Chance) -> None:
    odd = (0, -1, 1e-9, 612, 1e12, 3.4e38, Name.NaN, Array([]))
    page = a_page(pdf, chance)
    box = Array([chance.choice(odd) for _ in range(chance.choice((4, 4, 4, 3, 5)))])
    page[chance.choice(("/MediaBox", "/CropBox", "/TrimBox"))] = box
    page[chance.choice(("/Rotate", "/UserUnit"))] = chance.choice((90, -90, 45, 0, 1e9, Name.NaN))


def contents_as_an_array(pdf: pikepdf.Pdf, chance: Chance) -> None:
    parts = [a_page(pdf, chance).get("/Contents") for _ in range(chance.choice((0, 1, 3, 50)))]
    page = a_page(pdf, chance)
    own = page.get("/Contents")
    page.Contents = Array([part for part in (own, *parts) if isinstance(part, pikepdf.Stream)])


def contents_cut_in_two(pdf: pikepdf.Pdf, chance: Chance) -> None:
    """Cut a content anywhere: a page's parts are read as one."""
    page = a_page(pdf, chance)
    content = page.get("/Contents")
    if isinstance(content, pikepdf.Stream):
        all_of_it = content.read_bytes()
        at = chance.randrange(len(all_of_it) + 1)
        page.Contents = Array([pdf.make_stream(all_of_it[:at]), pdf.make_stream(all_of_it[at:])])


def other_filters(pdf: pikepdf.Pdf, chance: Chance) -> None:
    names = ("/FlateDecode", "/ASCII85Decode", "/LZWDecode", "/RunLengthDecode", "/ASCIIHexDecode",
             "/DCTDecode", "/Crypt", "/JBIG2Decode", "/CCITTFaxDecode", "/Unknown")  # fmt: skip
    content = a_page(pdf, chance).get("/Contents")
    if not isinstance(content, pikepdf.Stream):
        return
    written = content.read_bytes()
    chain = [Name(chance.choice(names)) for _ in range(chance.choice((1, 2, 30)))]
    if chance.randrange(3):
        chain = [Name.FlateDecode] * chance.choice((1, 2, 5))
        for _ in chain:
            written = zlib.compress(written)
    parameters = Dictionary(
        Predictor=chance.choice((1, 2, 12, 99)), Columns=chance.choice((1, 10**8))
    )
    content.write(written, filter=Array(chain))
    if chance.randrange(3) == 0:
        content.DecodeParms = Array([parameters] * len(chain))


def a_bomb(pdf: pikepdf.Pdf, chance: Chance) -> None:
    """Let some stream inflate to very much: a content, a font's table, a form."""
    streams = [thing for thing in pdf.objects if isinstance(thing, pikepdf.Stream)]
    if streams and chance.randrange(8) == 0:
        bomb = zlib.compress(b" " * MEGABYTES * 1_000_000, 9)
        chance.choice(streams).write(bomb, filter=Name.FlateDecode)


def content_that_is_odd(pdf: pikepdf.Pdf, chance: Chance) -> None:
    odd = (
        b"q " * 5000, b"BI /W 1 /H 1 /BPC 8 /CS /G ID \xff EI\n", b"BI /W 99999 /H 99999 ID",
        b"BT /F9 1e30 Tf (Account: 99.9999.9) Tj ET\n", b"(((", b"ET ET Q Q Q\n", b"/X Do /X Do\n",
        b"BT /F1 9 Tf 1 0 0 1 1e38 nan Tm (Account: 98.9999.8) Tj ET\n", b"<< /A << ", b"%",
        b"BT 3 Tr (Account: 97.9999.7) Tj 0 Tr ET\n", b"/OC /L BDC ", b"0 0 0 0 re W n\n",
    )  # fmt: skip
    pdf.Pages = pdf.Root.Pages
    page = pdf.pages[chance.randrange(len(pdf.pages))]
    page.contents_add(chance.choice(odd), prepend=chance.randrange(2) == 0)


def a_form_in_itself(pdf: pikepdf.Pdf, chance: Chance) -> None:
    page = pdf.pages[chance.randrange(len(pdf.pages))]
    form = pdf.make_stream(b"/Loop Do", Subtype=Name.Form, BBox=[0, 0, 99, 99])
    if chance.randrange(2):
        form.Resources = Dictionary(XObject=Dictionary(Loop=form))
    page.obj.Resources = pdf.make_indirect(Dictionary(page.obj.get("/Resources", Dictionary())))
    page.obj.Resources.XObject = Dictionary(Loop=form)
    page.contents_add(b"/Loop Do")


def marks_on_a_page(pdf: pikepdf.Pdf, chance: Chance) -> None:
    kinds = ("/Link", "/Stamp", "/Widget", "/FreeText", "/Popup", "/Redact", "/Movie", "/#")
    page = a_page(pdf, chance)
    mark = Dictionary(Type=Name.Annot, Subtype=Name(chance.choice(kinds)), Rect=[0, 0, 99, 99])
    mark.P = chance.choice((page, a_page(pdf, chance)))
    mark.Contents = pikepdf.String("Account: 96.9999.6")
    mark[chance.choice(("/A", "/AP", "/Parent", "/OC", "/F"))] = a_thing(pdf, chance)
    page.Annots = Array([pdf.make_indirect(mark)] * chance.choice((1, 2)))


def pages_deep_down(pdf: pikepdf.Pdf, chance: Chance) -> None:
    """Put nodes above the pages; a page keeps what it inherits."""
    root = pdf.Root.Pages
    for _ in range(chance.choice((1, 10, 60, 70, 500))):
        node = pdf.make_indirect(Dictionary(Type=Name.Pages, Kids=root.Kids, Count=root.Count))
        node.Parent = root
        for kid in node.Kids:
            kid.Parent = node
        root.Kids = Array([node])


def inherited(pdf: pikepdf.Pdf, chance: Chance) -> None:
    page = a_page(pdf, chance)
    for key in ("/Resources", "/MediaBox", "/Rotate", "/CropBox"):
        if key in page and chance.randrange(2):
            pdf.Root.Pages[key] = page[key]
            del page[key]


def a_page_less(pdf: pikepdf.Pdf, chance: Chance) -> None:
    del pdf.Root.Pages.Kids[chance.randrange(len(pdf.Root.Pages.Kids))]


def changed_string(pdf: pikepdf.Pdf, chance: Chance) -> None:
    """Change the characters' table of a font: what is drawn then reads otherwise."""
    tables = [thing.ToUnicode for thing in pdf.objects
              if isinstance(thing, Dictionary) and "/ToUnicode" in thing]  # fmt: skip
    if tables:
        table = chance.choice(tables)
        table.write(other_number(table.read_bytes() or b"0", b"", chance))


BUILT_HARMS: list[Built] = [
    attribute_of_another_page, attribute_that_is_anything, resource_that_is_anything,
    kids_in_a_loop, other_type, other_box, contents_as_an_array, contents_cut_in_two, other_filters,
    a_bomb, content_that_is_odd, a_form_in_itself, marks_on_a_page, pages_deep_down, inherited,
    a_page_less, changed_string,
]  # fmt: skip
