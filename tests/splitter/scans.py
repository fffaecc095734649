"""Scans made on the fly, the program that reads them, and a double that says what it is told."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

SMALL = (400.0, 200.0)  # points: a card, which is read sooner than a letter
SKEW, RESOLUTION, QUALITY = 0.6, 200, 60


def require_tesseract() -> None:
    if shutil.which("tesseract") is None:
        if os.environ.get("CI"):
            pytest.fail("tesseract is not installed")
        pytest.skip("tesseract is not installed")


def write_cards(path: Path, pages: Sequence[Sequence[str]]) -> Path:
    """Write a small page of text for each list of lines."""
    canvas = Canvas(str(path), pagesize=SMALL, invariant=1)
    for lines in pages:
        for row, line in enumerate(lines):
            canvas.drawString(30, 170 - 20 * row, line)
        canvas.showPage()
    canvas.save()
    return path


def scanned(path: Path, pages: Collection[int] | None = None, *, turned: int = 0) -> Path:
    """
    Make pages of a file, all unless they are named, what a scanner makes of paper; in place.

    They are a little askew. `turned` pages lie on their side or head in the file and say so.
    """
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        for number in range(len(pdf.pages)) if pages is None else pages:
            with pikepdf.open(io.BytesIO(_picture_page(path, number, turned))) as one:
                pdf.pages[number] = one.pages[0]
                pdf.pages[number].rotate(turned, relative=False)
        pdf.save(path, deterministic_id=True)
    return path


def _picture_page(path: Path, number: int, turned: int) -> bytes:
    document = pypdfium2.PdfDocument(path.read_bytes())
    paper = document[number].render(scale=RESOLUTION / 72, grayscale=True).to_pil()
    document.close()
    paper = paper.rotate(SKEW, fillcolor=255, resample=3).rotate(turned, expand=True)
    jpeg = io.BytesIO()
    paper.save(jpeg, "JPEG", quality=QUALITY)
    width, height = (side * 72 / RESOLUTION for side in paper.size)
    content = io.BytesIO()
    canvas = Canvas(content, pagesize=(width, height), invariant=1)
    canvas.drawImage(ImageReader(jpeg), 0, 0, width, height)
    canvas.showPage()
    canvas.save()
    return content.getvalue()


class Reader:
    """
    A program named tesseract, first in the path: it says what it is told, or asks the real one.

    What is told is lines for the drawing at 200 dots an inch, and others at 300 if they differ.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._real = shutil.which("tesseract")
        folder.mkdir()
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def says(self, lines: Sequence[str], at_300: Sequence[str] | None = None) -> None:
        (self.folder / "200").write_text(_as_table(lines))
        (self.folder / "300").write_text(_as_table(lines if at_300 is None else at_300))
        self.does(
            f'case "$*" in *"--dpi 200"*) cat {self.folder}/200;; *) cat {self.folder}/300;; esac'
        )

    def asks_the_real_one(self) -> None:
        self.does(f'exec {self._real} "$@"', takes_picture=False)

    def does(self, what: str, *, takes_picture: bool = True) -> None:
        program = self.folder / "tesseract"
        program.write_text(
            '#!/bin/sh\n[ "$1" = --list-langs ] && { echo eng; exit; }\n'
            f"echo x >> {self.folder}/calls\n"
            + ("cat > /dev/null\n" if takes_picture else "")
            + f"{what}\n"
        )
        program.chmod(0o755)

    @property
    def calls(self) -> int:
        told = self.folder / "calls"
        return len(told.read_text().split()) if told.exists() else 0


def _as_table(lines: Sequence[str]) -> str:
    """Write words as tesseract does, 100 dots wide and 30 high, one line below the other."""
    heading = "level page block par line word left top width height conf text".replace(" ", "\t")
    rows = [
        f"5\t1\t1\t1\t{at}\t{place}\t{100 * place}\t{50 * at}\t90\t30\t91.5\t{word}"
        for at, line in enumerate(lines, start=1)
        for place, word in enumerate(line.split(), start=1)
    ]
    return "\n".join([heading, *rows]) + "\n"
