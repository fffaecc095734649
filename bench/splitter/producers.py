"""The writers of bulk files that can be had here, each told to print the same bills."""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.splitter.made_up_bills import MadeUpBill, logo, made_up_bills, square_code

Producer = Callable[[Path, int, Path], bool]  # file, bills, cache: False where it is not installed


def by_reportlab(file: Path, bills: int, _cache: Path) -> bool:
    """Embed a TrueType font and the logo once, and a square code for each bill."""
    import reportlab
    from reportlab.lib.pagesizes import letter
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    fonts = Path(reportlab.__file__).parent / "fonts"
    pdfmetrics.registerFont(TTFont("Vera", str(fonts / "Vera.ttf")))
    canvas = Canvas(str(file), pagesize=letter, invariant=1, pageCompression=1)
    picture = ImageReader(io.BytesIO(logo()))
    for bill in made_up_bills(bills):
        for number, lines in enumerate(bill.pages):
            canvas.drawImage(picture, 40, 720, 110, 45)
            if number == 0:
                code = ImageReader(io.BytesIO(square_code(bill.account)))
                canvas.drawImage(code, 480, 690, 80, 80)
                canvas.setFont("Vera", 11)
                canvas.drawString(40, 690, bill.name)
                canvas.drawString(40, 676, bill.street)
            text = canvas.beginText(40, 640)
            text.setFont("Vera", 9, leading=16)
            text.textLines("\n".join(lines))
            canvas.drawText(text)
            canvas.showPage()
    canvas.save()
    return True


def large(file: Path, bills: int, _cache: Path) -> bool:
    """Two tiny pages a bill, as many as anybody prints."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(file), pagesize=(200, 200), invariant=1, pageCompression=1)
    for number in range(bills):
        canvas.drawString(10, 100, f"Account: {number % 90 + 10}-{number:06d}-77")
        canvas.drawString(10, 80, "Amount Due: $12.50")
        canvas.showPage()
        canvas.drawString(10, 100, "Usage details")
        canvas.showPage()
    canvas.save()
    return True


def by_fpdf2(file: Path, bills: int, _cache: Path) -> bool:
    try:
        from fpdf import FPDF
    except ImportError:
        return False
    pdf = FPDF(format="letter", unit="pt")
    pdf.set_auto_page_break(False)
    for bill in made_up_bills(bills):
        for lines in bill.pages:
            pdf.add_page()
            pdf.set_font("Helvetica", size=10)
            pdf.image(io.BytesIO(logo()), 40, 30, 110, 45)
            for row, line in enumerate(lines):
                pdf.text(40, 140 + 16 * row, line)
    pdf.output(str(file))
    return True


def by_ghostscript(file: Path, bills: int, cache: Path) -> bool:
    """Distil what reportlab wrote."""
    if shutil.which("gs") is None:
        return False
    source = cache / f"reportlab-{bills}.pdf"
    quiet = ["-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=pdfwrite"]
    subprocess.run(["gs", *quiet, f"-sOutputFile={file}", str(source)], check=True)
    return True


def with_object_streams(file: Path, bills: int, cache: Path) -> bool:
    """Put everything that is no stream into object streams, as current writers do."""
    import pikepdf

    with pikepdf.open(cache / f"reportlab-{bills}.pdf") as pdf:
        pdf.save(file, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return True


def by_chromium(file: Path, bills: int, cache: Path) -> bool:
    if shutil.which("chromium") is None:
        return False
    page = cache / f"bills-{bills}.html"
    page.write_text("".join(_html(bills)), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    options += ["--no-first-run", "--disable-background-networking", "--disable-sync"]
    subprocess.run(
        ["chromium", *options, f"--print-to-pdf={file}", "--timeout=600000", page.as_uri()],
        check=True,
        capture_output=True,
    )
    return True


def by_weasyprint(file: Path, bills: int, cache: Path) -> bool:
    """Print with a WeasyPrint installed apart: python -m venv CACHE/weasyprint, then pip."""
    python = cache / "weasyprint" / "bin" / "python"
    if not python.exists():
        return False
    page = cache / f"bills-{bills}.html"
    page.write_text("".join(_html(bills)), encoding="utf-8")
    script = "import sys, weasyprint; weasyprint.HTML(sys.argv[1]).write_pdf(sys.argv[2])"
    subprocess.run([python, "-c", script, str(page), str(file)], check=True, capture_output=True)
    return True


def _html(bills: int) -> Iterator[str]:
    style = "@page{size:letter;margin:30pt}section{break-after:page}p{margin:0 0 3pt;font-size:9pt}"
    yield f"<!doctype html><meta charset=utf-8><title>Bills</title><style>{style}</style>"
    picture = base64.b64encode(logo()).decode()
    for bill in made_up_bills(bills):
        yield from _html_pages(bill, picture)


def _html_pages(bill: MadeUpBill, picture: str) -> Iterator[str]:
    code = base64.b64encode(square_code(bill.account)).decode()
    for number, lines in enumerate(bill.pages):
        pictures = [picture] if number else [picture, code]
        yield "<section>"
        yield from (f'<img width=80 src="data:image/png;base64,{shown}">' for shown in pictures)
        yield "".join(f"<p>{line}</p>" for line in lines) + "</section>"


SPECIAL: dict[str, Producer] = {"large": large}
PRODUCERS: dict[str, Producer] = {
    "reportlab": by_reportlab,
    "ghostscript": by_ghostscript,
    "object-streams": with_object_streams,
    "chromium": by_chromium,
    "weasyprint": by_weasyprint,
    "fpdf2": by_fpdf2,
}
