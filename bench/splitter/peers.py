"""The peers: other ways to do the same work with one bulk file, each told to do it alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.splitter.made_up_bills import ACCOUNT

Ranges = list[tuple[str, list[int]]]  # account and pages, counted from 0
PROCESS_BILLS = 20  # those that start a process for each bill are measured on so many


def grouped(texts: Iterable[str]) -> Ranges:
    """Give every page to the account it names, else to the bill before it."""
    ranges: Ranges = []
    for page, text in enumerate(texts):
        found = re.search(ACCOUNT, text)
        if found:
            ranges.append((found[1], []))
        ranges[-1][1].append(page)
    return ranges


def pdfium_texts(file: Path) -> Iterable[str]:
    import pypdfium2

    document = pypdfium2.PdfDocument(file)
    for page in document:
        text = page.get_textpage()
        yield text.get_text_range()
        text.close()
        page.close()


def by_pypdfium2(file: Path, folder: Path) -> int:
    import pypdfium2

    ranges = grouped(pdfium_texts(file))
    source = pypdfium2.PdfDocument(file)
    for account, pages in ranges:
        bill = pypdfium2.PdfDocument.new()
        bill.import_pages(source, pages)
        bill.save(folder / f"{account}.pdf")
        bill.close()
    return len(ranges)


def by_pikepdf(file: Path, folder: Path) -> int:
    """Copy with pikepdf; it reads no text, so pdfium finds the accounts."""
    import pikepdf

    ranges = grouped(pdfium_texts(file))
    with pikepdf.open(file) as source:
        for account, pages in ranges:
            bill = pikepdf.new()
            bill.pages.extend([source.pages[page] for page in pages])
            bill.save(
                folder / f"{account}.pdf",
                compress_streams=False,
                stream_decode_level=pikepdf.StreamDecodeLevel.none,
                deterministic_id=True,
            )
    return len(ranges)


def by_pypdf(file: Path, folder: Path) -> int:
    from pypdf import PdfReader, PdfWriter

    reader = PdfReader(file)
    ranges = grouped(page.extract_text() for page in reader.pages)
    for account, pages in ranges:
        bill = PdfWriter()
        for page in pages:
            bill.add_page(reader.pages[page])
        bill.write(folder / f"{account}.pdf")
    return len(ranges)


def pdftotext(file: Path) -> Ranges:
    told = subprocess.run(["pdftotext", "-layout", file, "-"], check=True, capture_output=True)
    return grouped(told.stdout.decode("utf-8", "replace").split("\f")[:-1])


def _each_by(command: Callable[[Path, str, Path], list[object]]) -> Callable[[Path, Path], int]:
    def run(file: Path, folder: Path) -> int:
        ranges = pdftotext(file)[:PROCESS_BILLS]
        for account, pages in ranges:
            told = f"{pages[0] + 1}-{pages[-1] + 1}"
            subprocess.run([*map(str, command(file, told, folder / f"{account}.pdf"))], check=True)
        return len(ranges)

    return run


def by_poppler(file: Path, folder: Path) -> int:
    ranges = pdftotext(file)[:PROCESS_BILLS]
    for account, pages in ranges:
        first, last = str(pages[0] + 1), str(pages[-1] + 1)
        part = str(folder / "part-%d")
        subprocess.run(["pdfseparate", "-f", first, "-l", last, file, part], check=True)
        parts = [folder / f"part-{page + 1}" for page in pages]
        subprocess.run(["pdfunite", *parts, folder / f"{account}.pdf"], check=True)
        for made in parts:
            made.unlink()
    return len(ranges)


by_qpdf = _each_by(lambda file, pages, out: ["qpdf", "--empty", "--pages", file, pages, "--", out])
by_mutool = _each_by(lambda file, pages, out: ["mutool", "merge", "-o", out, file, pages])
by_pdftk = _each_by(lambda file, pages, out: ["pdftk", file, "cat", pages, "output", out])

PEERS: dict[str, Callable[[Path, Path], int]] = {
    "pypdfium2": by_pypdfium2,
    "pikepdf": by_pikepdf,
    "pypdf": by_pypdf,
    "poppler": by_poppler,
    "qpdf": by_qpdf,
    "mutool": by_mutool,
    "pdftk-java": by_pdftk,
}
PROGRAMS = {
    "poppler": "pdfseparate",
    "qpdf": "qpdf",
    "mutool": "mutool",
    "pdftk-java": "pdftk",
}  # what is started for each bill


def is_installed(peer: str) -> bool:
    return peer not in PROGRAMS or shutil.which(PROGRAMS[peer]) is not None
