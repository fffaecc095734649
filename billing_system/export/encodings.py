"""How the bytes of a table are letters: found out, or named so that it can be said."""

from __future__ import annotations

import codecs
import re
from contextlib import AbstractContextManager
from typing import IO, Protocol

from domain.failures import Refused

ENCODINGS = ("utf-8", "cp1252", "latin-1", "iso-8859-15", "utf-16", "mac-roman", "cp850", "cp437")
_CODECS = {
    **{name: name for name in ENCODINGS},
    **{"utf8": "utf-8", "windows-1252": "cp1252", "ansi": "cp1252", "iso-8859-1": "latin-1"},
    **{"latin1": "latin-1", "utf16": "utf-16", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be"},
    **{"utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be", "macroman": "mac-roman"},
    **{"mac_roman": "mac-roman", "macintosh": "mac-roman", "mac": "mac-roman", "dos": "cp437"},
}
_BLOCK = 2**20  # bytes decoded at once
_BEFORE_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BEFORE_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)  # the first begins as UTF-16's does
# Signs and capitals of cp1252 within or behind small letters: in other encodings they are the small
# letters with accents that a name has there.
_MISREAD = re.compile(
    rb"(?<=[a-z])[\x80-\x84\x86-\x90\x98\x9d\x9f]|(?<=[a-z])[\x96\x97\x99\xa1-\xa5](?=[a-z])"
)
_WESTERN = re.compile(rb"(?<=[A-Za-z])[\xe0-\xff]")  # where cp1252 has those letters


class Files(Protocol):
    """Where files are opened by their names."""

    def open(self, file: str) -> AbstractContextManager[IO[bytes]]: ...


def to_encoding(name: str) -> str | None:
    """Return Python's name of an encoding as people write it, None for one that is not taken."""
    return _CODECS.get(name.strip().casefold().replace(" ", "-"))


def find_encoding(files: Files, file: str, said: str = "", *, is_mapped: bool = True) -> str:
    """
    Return the encoding of a file: what is `said`, else `utf-8-sig` or `cp1252`.

    Whichever it is, all bytes must fit. Raises Refused (`wrong-encoding`), which names UTF-16,
    UTF-32, Mac Roman and DOS where the file looks like one: cp1252 takes the bytes of some for
    other letters, and customers' names would be wrong without a word. `is_mapped`: a bundle.toml
    stands beside the file, which may say its encoding.
    """
    if said:
        encoding = "utf-8-sig" if said == "utf-8" else said
        if not _fits(files, file, encoding):
            line = _first_misfit(files, file, encoding)
            raise _wrong(file, f"row {line} has bytes that are not {said}, as bundle.toml says")
        return encoding
    if _looks_like_utf32(files, file):
        raise _wrong(file, "is UTF-32, which has four bytes for each letter and is not read")
    if _looks_like_utf16(files, file):
        raise _wrong(
            file,
            "is UTF-16, which Excel calls Unicode text",
            _or_say("utf-16") if is_mapped else "",
        )
    if _fits(files, file, "utf-8"):
        return "utf-8-sig"
    encoding = "utf-8" if _has_byte_order_mark(files, file) else "cp1252"
    line, other = _looks_misread(files, file) if encoding == "cp1252" else (0, "")
    if other:
        names = {"mac-roman": "Mac Roman", "cp850": "DOS (cp850)"}
        raise _wrong(
            file,
            f"row {line} has letters that are neither UTF-8 nor cp1252 (Windows Western), and "
            f"looks like {names[other]}",
            _or_say(other) if is_mapped else "",
        )
    if _fits(files, file, encoding):
        return encoding
    line = _first_misfit(files, file, encoding)
    raise _wrong(file, f"row {line} has bytes that are neither UTF-8 nor cp1252 (Windows Western)")


def _or_say(encoding: str) -> str:
    return f'; or say encoding = "{encoding}" at the top of bundle.toml'


def _wrong(file: str, what: str, otherwise: str = "") -> Refused:
    message = f"{file} {what}; export it again as UTF-8{otherwise}"
    return Refused("wrong-encoding", message)


def _looks_like_utf32(files: Files, file: str) -> bool:
    """Say whether a file begins with the mark of UTF-32, or has two zero bytes in every four."""
    with files.open(file) as stream:
        start = stream.read(200)
    if start.startswith(_BEFORE_UTF32):
        return True
    halves = (start[::4] + start[1::4], start[2::4] + start[3::4])
    return len(start) >= 8 and any(start) and not all(any(half) for half in halves)


def _looks_like_utf16(files: Files, file: str) -> bool:
    """Say whether a file begins with the mark of UTF-16, or has a zero byte in every second."""
    with files.open(file) as stream:
        start = stream.read(200)
    if start.startswith(_BEFORE_UTF16):
        return True
    even, odd = start[::2].count(0), start[1::2].count(0)
    return len(start) >= 8 and max(even, odd) > len(start) // 4 and min(even, odd) == 0


def _looks_misread(files: Files, file: str) -> tuple[int, str]:
    """
    Find a row whose letters make no sense in cp1252, and what they are then; 0 and "" for none.

    A file that has letters where cp1252 has its accented ones is left alone.
    """
    hints: dict[str, int] = {"mac-roman": 0, "cp850": 0}
    first = 0
    with files.open(file) as stream:
        for row, line in enumerate(stream, start=1):
            if line.isascii():
                continue
            if _WESTERN.search(line):
                return 0, ""
            for found in _MISREAD.finditer(line):
                first = first or row
                byte = next(bytes([code]) for code in found[0] if code > 127)
                for encoding in hints:
                    hints[encoding] += byte.decode(encoding).islower()
    if not first or not any(hints.values()):
        return 0, ""
    return first, max(hints, key=lambda encoding: hints[encoding])


def _fits(files: Files, file: str, encoding: str) -> bool:
    """Say whether all bytes of a file fit; a zero byte is no letter."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with files.open(file) as stream:
        try:
            while block := stream.read(_BLOCK):
                if "\0" in decoder.decode(block):
                    return False
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True


def _first_misfit(files: Files, file: str, encoding: str) -> int:
    """Return the first line that does not fit, 0 if all do."""
    if encoding.startswith("utf-16"):
        return 1
    with files.open(file) as stream:
        for row, line in enumerate(stream, start=1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return row
            if b"\0" in line:
                return row
    return 0


def _has_byte_order_mark(files: Files, file: str) -> bool:
    with files.open(file) as stream:
        return stream.read(3) == codecs.BOM_UTF8
