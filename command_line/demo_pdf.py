"""A bulk PDF written page by page, for the bills of the demo city."""

from __future__ import annotations

import zlib
from array import array
from pathlib import Path

from command_line.demo_sheet import FONTS, Sheet

PAGES_A_BRANCH = 500  # viewers walk the page tree: a flat one is slow to open at 200,000 pages
_LETTER = "/MediaBox [0 0 612 792]"


class BulkPdf:
    """
    A PDF that goes to its file as it is made; use it as a context.

    reportlab keeps every page until it saves, some gigabytes for a city of 200,000 bills. Here
    only the places of the objects are kept. The same pages always give the same bytes: there is
    no clock and no random identifier in the file.
    """

    def __init__(self, path: Path, title: str) -> None:
        self._file = path.open("wb")
        self._places = array("Q", [0])
        self._forms: dict[str, int] = {}
        self._branches: list[tuple[int, int]] = []
        self._leaves: list[int] = []
        self._position = 0
        self._write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
        self._catalog, self._root, self._shared = (self._reserve() for _ in range(3))
        self._about = self._add(f"<< /Title ({title}) >>".encode())
        self._fonts = "".join(f"/{name} {self._add(_font(face))} 0 R " for name, face in FONTS)
        self._branch = 0

    def __enter__(self) -> BulkPdf:
        return self

    def __exit__(self, *failure: object) -> None:
        with self._file:
            if failure[0] is None:
                self._finish()

    def add_form(self, name: str, sheet: Sheet) -> None:
        """Store a drawing once, for all the pages and later forms that place it by its name."""
        placed = [form for form in self._forms if sheet.places(form)]
        described = (
            "/Type /XObject /Subtype /Form /BBox [0 0 612 792] "
            f"/Resources {self._list_resources(placed)}"
        )
        self._forms[name] = self._add_stream(described, sheet)

    def add_page(self, sheet: Sheet) -> None:
        if not self._leaves:
            self._branch = self._reserve()
        content = self._add_stream("", sheet)
        page = (
            f"<< /Type /Page /Parent {self._branch} 0 R {_LETTER} "
            f"/Resources {self._shared} 0 R /Contents {content} 0 R >>"
        )
        self._leaves.append(self._add(page.encode()))
        if len(self._leaves) == PAGES_A_BRANCH:
            self._close_branch()

    def _finish(self) -> None:
        self._close_branch()
        self._put(self._shared, self._list_resources(list(self._forms)).encode())
        kids = " ".join(f"{number} 0 R" for number, _ in self._branches)
        count = sum(pages for _, pages in self._branches)
        self._put(self._root, f"<< /Type /Pages /Count {count} /Kids [{kids}] >>".encode())
        self._put(self._catalog, f"<< /Type /Catalog /Pages {self._root} 0 R >>".encode())
        self._write_places()

    def _list_resources(self, placed: list[str]) -> str:
        forms = "".join(f"/{name} {self._forms[name]} 0 R " for name in placed)
        return f"<< /Font << {self._fonts}>> /XObject << {forms}>> >>"

    def _close_branch(self) -> None:
        if not self._leaves:
            return
        kids = " ".join(f"{number} 0 R" for number in self._leaves)
        branch = f"/Parent {self._root} 0 R /Count {len(self._leaves)} /Kids [{kids}]"
        self._put(self._branch, f"<< /Type /Pages {branch} >>".encode())
        self._branches.append((self._branch, len(self._leaves)))
        self._leaves = []

    def _write_places(self) -> None:
        start, size = self._position, len(self._places)
        self._write(f"xref\n0 {size}\n0000000000 65535 f \n".encode())
        self._write("".join(f"{place:010d} 00000 n \n" for place in self._places[1:]).encode())
        trailer = f"<< /Size {size} /Root {self._catalog} 0 R /Info {self._about} 0 R >>"
        self._write(f"trailer\n{trailer}\nstartxref\n{start}\n%%EOF\n".encode())

    def _add_stream(self, described: str, sheet: Sheet) -> int:
        content = zlib.compress(sheet.content())
        head = f"<< {described} /Filter /FlateDecode /Length {len(content)} >>"
        return self._add(head.encode() + b"\nstream\n" + content + b"\nendstream")

    def _add(self, body: bytes) -> int:
        number = self._reserve()
        self._put(number, body)
        return number

    def _reserve(self) -> int:
        self._places.append(0)
        return len(self._places) - 1

    def _put(self, number: int, body: bytes) -> None:
        self._places[number] = self._position
        self._write(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def _write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._position += len(chunk)


def _font(face: str) -> bytes:
    described = f"<< /Type /Font /Subtype /Type1 /BaseFont /{face} /Encoding /WinAnsiEncoding >>"
    return described.encode()
