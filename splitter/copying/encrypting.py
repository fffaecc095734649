"""A bill's copy that only a password opens, for the customer's mail."""

from __future__ import annotations

import io
import secrets

from pypdf import PdfReader, PdfWriter

from splitter.pdf.pypdf_reader import PYPDF_FAILURES

_OWNER_BYTES = 32  # of randomness; nobody needs the owner's password again
_HEADER = "%PDF-2.0"  # the version that AES-256 (R 6) belongs to


def encrypt(copy: bytes, password: str) -> bytes:
    """
    Return a bill's copy encrypted by AES-256 (ISO 32000-2, 7.6.4: V 5, R 6).

    Whoever has opened it may do everything with it, printing and reading aloud above all. The
    owner's password is random and forgotten. So are the keys: the same copy is encrypted
    differently each time, and it is the plain one whose hash is kept. Raises ValueError without a
    password, and for a copy that pypdf cannot read.
    """
    if not password:
        raise ValueError("an empty password protects nothing")
    try:
        return _encrypted(copy, password)
    except PYPDF_FAILURES as failure:
        raise ValueError(f"pypdf cannot encrypt it ({type(failure).__name__})") from None


def _encrypted(copy: bytes, password: str) -> bytes:
    reader = PdfReader(io.BytesIO(copy), strict=True)
    title = reader.metadata.title if reader.metadata is not None else None
    writer = PdfWriter(clone_from=reader)
    writer.metadata = None  # else pypdf signs it
    if title:
        writer.metadata = {"/Title": title}  # some viewers know no other
    writer.pdf_header = _HEADER
    writer.encrypt(password, secrets.token_urlsafe(_OWNER_BYTES), algorithm="AES-256")
    encrypted = io.BytesIO()
    writer.write(encrypted)
    return encrypted.getvalue()
