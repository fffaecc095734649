"""A PDF that is to be posted or attached: is it one that every customer can open?"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

from domain.failures import DAMAGED_PDF, Misuse
from mail.sizing import MEGABYTE


@dataclass(frozen=True, slots=True)
class PdfFile:
    """A sound PDF and the name it came by."""

    name: str
    content: bytes = field(repr=False)
    pages: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def read_pdf_file(file: Path, largest: int) -> PdfFile:
    """
    Read a PDF of at most `largest` octets that opens without a password and has pages.

    Raises Misuse (`pdf-unreadable`) with what to do.
    """
    try:
        size = file.stat().st_size
        content = file.read_bytes() if size <= largest else b""
    except OSError as failure:
        reason = (failure.strerror or type(failure).__name__).lower()
        raise _unfit(file, f"cannot be read: {reason}; check the path.") from None
    if size > largest:
        raise _unfit(
            file,
            f"has {size / MEGABYTE:.1f} MB, more than the {largest / MEGABYTE:g} MB allowed; "
            "make it smaller.",
        )
    if not content.startswith(b"%PDF-"):
        raise _unfit(file, "is not a PDF file; save it as PDF.")
    return PdfFile(file.name, content, _count_pages(file, content))


def _count_pages(file: Path, content: bytes) -> int:
    from pypdf import PdfReader  # it takes long to load
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        is_locked = reader.is_encrypted
        pages = 0 if is_locked else sum(1 for _ in reader.pages)
    except (PyPdfError, DependencyError, *DAMAGED_PDF):
        raise _unfit(file, "is cut off or damaged; save it again.") from None
    if is_locked:
        raise _unfit(file, "is encrypted; save it without a password and without restrictions.")
    if not pages:
        raise _unfit(file, "has no pages; save it again.")
    return pages


def _unfit(file: Path, what: str) -> Misuse:
    return Misuse(f"{file.name} {what}", "pdf-unreadable")
