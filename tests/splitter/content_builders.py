"""Pages with a content written by hand, in fonts of several kinds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pikepdf

SIGNS = "".join(map(chr, range(32, 127))) + "é–"
SHIFT = 3  # the codes of /Coded are not those of its signs


def write_contents(path: Path, contents: Sequence[bytes | Sequence[bytes]]) -> Path:
    """Write a page for each content; one that is a list is written in several streams."""
    pdf = pikepdf.new()
    resources = pdf.make_indirect(
        pikepdf.Dictionary(Font=fonts(pdf), XObject=drawings(pdf), ExtGState=states())
    )
    for content in contents:
        page = pdf.add_blank_page(page_size=(612, 792))
        page.obj.Resources = resources
        streams = [content] if isinstance(content, bytes) else content
        made = [pdf.make_stream(stream) for stream in streams]
        page.obj.Contents = made[0] if isinstance(content, bytes) else pikepdf.Array(made)
    pdf.save(path, deterministic_id=True)
    return path


def fonts(pdf: pikepdf.Pdf) -> pikepdf.Dictionary:
    def made(**entries: object) -> pikepdf.Object:
        return pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.Font, **entries))

    def standard(name: str, **entries: object) -> pikepdf.Object:
        return made(Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name("/" + name), **entries)

    win_ansi = pikepdf.Name.WinAnsiEncoding
    wide = made(
        Subtype=pikepdf.Name.CIDFontType2,
        BaseFont=pikepdf.Name.Wide,
        CIDSystemInfo=pikepdf.Dictionary(Registry="Adobe", Ordering="Identity", Supplement=0),
        FontDescriptor=descriptor(pdf),
        DW=500,
        W=pikepdf.Array([ord("W"), pikepdf.Array([944]), 40, 42, 333]),
    )
    return pikepdf.Dictionary(
        Plain=standard("Helvetica", Encoding=win_ansi),
        Bold=standard("Helvetica-Bold", Encoding=win_ansi),
        Fixed=standard("Courier", Encoding=win_ansi),
        Serif=standard("Times-Roman"),
        Symbol=standard("Symbol"),
        Coded=made(
            Subtype=pikepdf.Name.TrueType,
            BaseFont=pikepdf.Name.Coded,
            FirstChar=32,
            LastChar=255,
            Widths=pikepdf.Array([556] * 224),
            FontDescriptor=descriptor(pdf),
            ToUnicode=pdf.make_stream(told(2)),
        ),
        Western=made(
            Subtype=pikepdf.Name.TrueType,
            BaseFont=pikepdf.Name.Western,
            Encoding=win_ansi,
            FirstChar=32,
            LastChar=255,
            Widths=pikepdf.Array([556] * 224),
            FontDescriptor=descriptor(pdf, flags=32),
        ),
        Unknown=made(
            Subtype=pikepdf.Name.TrueType,
            BaseFont=pikepdf.Name.Unknown,
            FirstChar=32,
            LastChar=255,
            Widths=pikepdf.Array([556] * 224),
            FontDescriptor=descriptor(pdf),
        ),
        Wide=made(
            Subtype=pikepdf.Name.Type0,
            BaseFont=pikepdf.Name.Wide,
            Encoding=pikepdf.Name("/Identity-H"),
            DescendantFonts=pikepdf.Array([wide]),
            ToUnicode=pdf.make_stream(told(4)),
        ),
    )


def descriptor(pdf: pikepdf.Pdf, flags: int = 4) -> pikepdf.Object:
    return pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.FontDescriptor,
            FontName=pikepdf.Name.Coded,
            Flags=flags,
            FontBBox=pikepdf.Array([0, -200, 1000, 800]),
            ItalicAngle=0,
            Ascent=800,
            Descent=-200,
            CapHeight=700,
            StemV=80,
        )
    )


def told(digits: int) -> bytes:
    rows = [f"<{code(sign):0{digits}X}> <{ord(sign):04X}>" for sign in SIGNS]
    return f"{len(rows)} beginbfchar\n{chr(10).join(rows)}\nendbfchar\n".encode()


def code(sign: str) -> int:
    """Return the code of a sign in /Coded and /Wide."""
    return SIGNS.index(sign) + 32 + SHIFT


def drawings(pdf: pikepdf.Pdf) -> pikepdf.Dictionary:
    def form(
        content: bytes, box: Sequence[float] = (0, 0, 612, 792), **forms: pikepdf.Object
    ) -> pikepdf.Object:
        drawn = pdf.make_stream(content, Subtype=pikepdf.Name.Form)
        drawn.BBox = pikepdf.Array(box)
        drawn.Resources = pikepdf.Dictionary(
            XObject=pikepdf.Dictionary(**forms),
            Font=pikepdf.Dictionary(
                Plain=pikepdf.Dictionary(
                    Type=pikepdf.Name.Font,
                    Subtype=pikepdf.Name.Type1,
                    BaseFont=pikepdf.Name.Helvetica,
                )
            ),
        )
        return drawn

    picture = pdf.make_stream(b"\0", Subtype=pikepdf.Name.Image, Width=1, Height=1)
    picture.BitsPerComponent, picture.ColorSpace = 8, pikepdf.Name.DeviceGray
    head = form(
        b"0 0 m 9 9 l S BT /Plain 14 Tf 72 770 Td (City of Larkspur) Tj /Plain 8 Tf 0 -14 Td"
        b" (Water and sewer) Tj ET"
    )
    return pikepdf.Dictionary(
        Picture=picture,
        Head=head,
        Whole=form(b"q 1 0 0 1 0 0 cm /Head Do Q", Head=head),
        Named=form(b"BT /Plain 12 Tf 72 600 Td (Account: 01.1037.1) Tj ET"),
        Small=form(b"BT /Plain 12 Tf 72 600 Td (Account: 01.1037.1) Tj ET", (0, 0, 120, 792)),
        Lines=form(b"0 0 m 9 9 l S"),
        Text=form(b"BT /Plain 12 Tf 72 300 Td (Account: 99.9999.9) Tj ET"),
    )


def states() -> pikepdf.Dictionary:
    return pikepdf.Dictionary(Opaque=pikepdf.Dictionary(ca=1))
