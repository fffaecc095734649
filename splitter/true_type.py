"""The one thing that must be known of an embedded TrueType font: how its codes are counted."""

from __future__ import annotations

import struct

from splitter.syntax import Odd

_MOST_TABLES = 64
_ROMAN = (1, 0)  # platform and encoding: Macintosh, Roman


def has_roman_table(font: bytes) -> bool:
    """
    Say whether a font counts its signs as the Macintosh did, which is ASCII below 127.

    Then the codes of a font that is called symbolic, without any table of their meaning, can be
    read. Raises Odd for what is no TrueType font.
    """
    try:
        (tables,) = struct.unpack_from(">H", font, 4)
        for place in range(min(tables, _MOST_TABLES)):
            tag, _, start, _ = struct.unpack_from(">4sIII", font, 12 + 16 * place)
            if tag == b"cmap":
                (count,) = struct.unpack_from(">H", font, start + 2)
                return any(
                    struct.unpack_from(">HH", font, start + 4 + 8 * row) == _ROMAN
                    for row in range(min(count, _MOST_TABLES))
                )
    except struct.error:
        raise Odd("not a TrueType font") from None
    return False
