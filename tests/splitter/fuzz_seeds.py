"""Small sound bulk files for the fuzzer to harm, by as many writers as are at hand.

python -m tests.splitter.fuzz_seeds FOLDER
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from bench.splitter.bulk_files import cache_folder
from bench.splitter.producers import PRODUCERS
from tests.splitter.attachment_builders import a_pdf, write_portfolio
from tests.splitter.outline_builders import WAYS, with_bookmarks
from tests.splitter.pdf_builders import a_page, a_picture, changed, write_pdf

BILLS, PAGES_OF_AN_EXPORT = 4, 8
MODES = pikepdf.ObjectStreamMode


def write_seeds(folder: Path) -> None:
    """Write all seeds into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    by_producers(folder)
    by_hand(folder)
    for file in sorted(folder.glob("*.pdf")):
        rewritten(file)
    exports = Path(os.environ.get("BILLCLOSE_BUNDLES", "no-bundles"))
    for export in sorted(exports.glob("larkspur-*/bills.pdf")):
        with pikepdf.open(export) as pdf:
            del pdf.pages[PAGES_OF_AN_EXPORT:]
            pdf.save(folder / f"{export.parent.name}.pdf", compress_streams=False)
    for export in sorted(exports.glob("refused-bill-[dm]*/bills.pdf")):
        (folder / f"{export.parent.name}.pdf").write_bytes(export.read_bytes())


def by_producers(folder: Path) -> None:
    cache = folder / "cache"
    cache.mkdir(exist_ok=True)
    if not (cache / "weasyprint").exists():
        (cache / "weasyprint").symlink_to(cache_folder() / "weasyprint")
    PRODUCERS["reportlab"](cache / f"reportlab-{BILLS}.pdf", BILLS, cache)
    for name, produce in PRODUCERS.items():
        if not produce(folder / f"{name}.pdf", BILLS, cache):
            print(name, "is not installed")


def by_hand(folder: Path) -> None:
    """Write plain pages, and pages with everything on them that is treated specially."""
    pages = [
        a_page("01.1037.1", number="1 of 2"), ["Usage", "Page 2 of 2"], ["BATCH SEPARATOR"],
        a_page("02.2048.2"), a_page("03.3059.3"), ["Usage"],
    ]  # fmt: skip
    write_pdf(folder / "plain.pdf", pages)

    for way in WAYS:
        path = write_pdf(folder / f"bookmarked-{way.__name__.replace('_', '-')}.pdf", pages)
        titles = [(f"Account {account}", page) for account, page in
                  (("01.1037.1", 0), ("02.2048.2", 3), ("03.3059.3", 4))]  # fmt: skip
        with_bookmarks(path, [*titles], way)
    files = [("01.1037.1.pdf", a_pdf(*pages[:2])), ("02.2048.2.pdf", a_pdf(["Water"], ["Usage"]))]
    write_portfolio(folder / "portfolio.pdf", files)
    write_portfolio(folder / "portfolio-nested.pdf", files, nested=True, described=True)

    def draw(canvas, page):
        canvas.drawImage(a_picture(page * 20, 9, 99), 300, 300, 50, 50)

    changed(write_pdf(folder / "furnished.pdf", pages, draw), furnish)


def furnish(pdf: pikepdf.Pdf) -> None:
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Proof")))
    pdf.Root.OCProperties = Dictionary(OCGs=[layer], D=Dictionary(OFF=[layer]))
    for page in pdf.pages:
        form = pdf.make_stream(b"0 0 9 9 re f", Subtype=Name.Form, BBox=[0, 0, 9, 9])
        form.Resources = Dictionary(ExtGState=Dictionary(G=Dictionary(ca=1)))
        glyph = pdf.make_stream(b"500 0 0 0 500 500 d1 0 0 400 400 re f")
        font = Dictionary(
            Type=Name.Font, Subtype=Name.Type3, FontBBox=[0, 0, 500, 500], FirstChar=65,
            FontMatrix=[0.001, 0, 0, 0.001, 0, 0], CharProcs=Dictionary(P=glyph), LastChar=65,
            Encoding=Dictionary(Differences=[65, Name.P]), Widths=[500],
        )  # fmt: skip
        resources = page.obj.Resources
        resources.XObject = Dictionary(resources.get("/XObject", Dictionary()))
        resources.XObject.Form = form
        resources.Font = Dictionary(resources.Font)
        resources.Font.Three = pdf.make_indirect(font)
        resources.Properties = Dictionary(L=layer)
        page.contents_add(b"/OC /L BDC /Form Do EMC BT /Three 9 Tf 9 9 Td (A) Tj ET")
        link = Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 50, 50], Border=[0, 0, 0],
            A=Dictionary(S=Name.URI, URI=String("https://example.com/pay")),
        )  # fmt: skip
        stamp = Dictionary(Type=Name.Annot, Subtype=Name.Stamp, Rect=[9, 9, 99, 99], P=page.obj)
        stamp.AP, stamp.F = Dictionary(N=form), 4
        page.obj.Annots = Array([pdf.make_indirect(link), pdf.make_indirect(stamp)])


def rewritten(file: Path) -> None:
    """Write a file again in the ways that writers differ: unpacked, packed, encrypted, in order."""
    ways: dict[str, dict[str, object]] = {
        "unpacked": {
            "object_stream_mode": MODES.disable, "compress_streams": False,
            "stream_decode_level": pikepdf.StreamDecodeLevel.generalized,
        },
        "open-object-streams": {"object_stream_mode": MODES.generate, "compress_streams": False},
        "linear": {"linearize": True},
        "encrypted": {"encryption": pikepdf.Encryption(owner="owner", user="", R=6)},
    }  # fmt: skip
    for way, how in ways.items():
        if way in ("unpacked", "open-object-streams") or file.stem in ("furnished", "reportlab"):
            with pikepdf.open(file) as pdf:
                pdf.save(file.with_name(f"{file.stem}-{way}.pdf"), **how)


if __name__ == "__main__":
    write_seeds(Path(sys.argv[1]))
