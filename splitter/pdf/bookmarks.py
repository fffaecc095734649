"""The bookmarks of a file: some writers name the account there and nowhere else."""

from __future__ import annotations

from domain.failures import Refused
from splitter.pdf.source import SourceFile
from splitter.pdf.syntax import UnsupportedPdf, dictionary, string_bytes


def bookmark_titles(source: SourceFile, most: int) -> list[str]:
    """Return the titles of a file's first bookmarks, with those below them, in order."""
    titles: list[str] = []
    try:
        catalog = source.dictionary(b"%d 0 R" % source.root)
        outlines = source.value(catalog.get(b"/Outlines", b"null"))
        waiting = [_entry(outlines, b"/First")]
        seen = set[bytes]()
        while waiting and len(titles) < most:
            raw = waiting.pop()
            if not raw or raw in seen:
                continue
            seen.add(raw)
            bookmark = source.value(raw)
            titles.append(_title(source.value(_entry(bookmark, b"/Title"))))
            waiting += [_entry(bookmark, b"/Next"), _entry(bookmark, b"/First")]
    except (UnsupportedPdf, Refused, ValueError):
        return titles  # nothing depends on them but a better sentence
    return titles


def _entry(raw: bytes, key: bytes) -> bytes:
    return dictionary(raw).get(key, b"") if raw.startswith(b"<<") else b""


def _title(raw: bytes) -> str:
    written = string_bytes(raw)
    if written.startswith((b"\xfe\xff", b"\xff\xfe")):
        return written.decode("utf-16", "replace")
    return written.decode("latin-1")
