"""What a page's content shows, and where: read at once, or odd where it is not plainly written."""

from __future__ import annotations

import math
import re
from binascii import unhexlify
from collections.abc import Mapping

from splitter.plain_arrays import HEX, NESTING, Fragment, Style, advance, read_array
from splitter.plain_codes import PlainFont
from splitter.syntax import Odd, string_bytes

MOST_BYTES = 1 << 19  # of one page's content: what is longer draws more than it writes

_SPACE = rb"[\x00\t\n\x0c\r ]"
_REGULAR = rb"[^\x00\t\n\x0c\r ()<>\[\]{}/%]"
_NAME = rb"/" + _REGULAR + rb"++"
_NUMBERS = rb"[-+.0-9\x00\t\n\x0c\r ]*+(?<![-+.0-9])"
_END = rb"(?!" + _REGULAR + rb")"

# Only signs are repeated possessively: CPython up to 3.11.4 matches groups repeated so wrongly.

# Statements that neither show text nor change where and how it is shown.
_QUIET = b"|".join((
    _NUMBERS + rb"(?:E(?:T|MC)|re|[fWBb]\*?|[FnmlcvyhSswJjMiKkGg]|RG|rg|SCN?|scn?)" + _END,
    _SPACE + rb"*+(?:0(?:\.0*)?" + _SPACE + rb"++T[cwrs]|[12]" + _SPACE + rb"++Tr"
    rb"|100(?:\.0*)?" + _SPACE + rb"++Tz)" + _END,
    _NUMBERS + _NAME + _SPACE + rb"*+(?:gs|CS|cs|SCN|scn|sh|ri|BMC|Do)" + _END,
    _NUMBERS + rb"\[[-+.0-9\x00\t\n\x0c\r ]*+\]" + _NUMBERS + rb"d" + _END,
    _SPACE + rb"*+(?!/OC" + _END + rb")" + _NAME + _SPACE
    + rb"*+<<(?![^>]*/ActualText)[^()<>%#]*+>>" + _SPACE + rb"*+BDC" + _END,
))  # fmt: skip
_STATEMENT = re.compile(
    rb"(?:" + _QUIET + rb")*" + _SPACE + rb"*+"
    rb"(?:(BT)" + _END + _SPACE + rb"*+)?"
    rb"(?:(" + _NAME + rb")" + _SPACE + rb"++([.0-9]++)" + _SPACE + rb"++Tf" + _END + _SPACE
    + rb"*+)?"
    rb"(?:(" + _NUMBERS + rb")(T[dmD*L]|cm|q|Q|\xff\Z)" + _END + _SPACE + rb"*+)?"
    rb"(?:(?:\((" + NESTING + rb")\)" + _SPACE + rb"*+Tj"
    rb"|\[([^\]]*+)\]" + _SPACE + rb"*+TJ|<(" + HEX + rb")>" + _SPACE + rb"*+Tj)" + _END + rb")?"
    rb"(?(1)|(?(2)|(?(5)|(?(6)|(?(7)|(?(8)|([\s\S]++)))))))"  # whatever else is odd, to the end
)  # fmt: skip
_LAST = b"\n\xff"


def fragments(content: bytes, fonts: Mapping[bytes, PlainFont]) -> list[Fragment]:
    """
    Return what a content stream shows, in the order of drawing.

    Raises Odd, ValueError, KeyError or IndexError where anything in it is not plain: signs whose
    meaning the font does not tell, text that is turned, hidden or spaced, pictures in line, what
    replaces text for readers, and statements that are not known to be harmless.
    """
    if len(content) > MOST_BYTES:
        raise Odd("too long")
    shown: list[Fragment] = []
    here = a, d, e, f = 1.0, 1.0, 0.0, 0.0
    is_straight = True
    kept = []
    font: PlainFont | None = None
    style: Style | None = None  # of what is shown next; None where it must be put together anew
    chosen = b"", b""
    size = leading = across = up = 0.0
    x = line = y = math.nan  # nowhere, until a text begins
    is_placed = False
    for begins, name, height, numbers, operator, literal, array, digits, odd in _STATEMENT.findall(
        content + _LAST
    ):
        if odd:
            raise Odd("a statement that may show text, or hide it")
        if begins:
            x = line = y = 0.0
            is_placed = True
            if operator != b"Tm" and not across == up == 1:
                across = up = 1.0
                style = None
        if name and (name, height) != chosen:
            chosen = name, height
            font, size, style = fonts[name], float(height), None
        if operator:
            if operator == b"T*":
                x, y = line, y - leading * up
                is_placed = True
            elif operator == b"Td":
                right, above = numbers.split()
                x = line = line + float(right) * across
                y += float(above) * up
                is_placed = True
            elif operator == b"Tm":
                first, turned, leant, fourth, right, above = map(float, numbers.split())
                if turned or leant:
                    raise Odd("turned text")
                if first != across or fourth != up:
                    across, up, style = first, fourth, None
                x = line = right
                y = above
                is_placed = True
            elif operator == b"TL":
                leading = float(numbers)
            elif operator == b"TD":
                right, above = numbers.split()
                leading = -float(above)
                x = line = line + float(right) * across
                y += float(above) * up
                is_placed = True
            elif operator == b"\xff":
                break
            else:
                x = line = y = math.nan
                style, chosen = None, (b"", b"")
                if operator == b"q":
                    kept.append((here, is_straight, font, size, leading))
                elif operator == b"Q":
                    here, is_straight, font, size, leading = kept.pop()
                else:
                    first, turned, leant, fourth, right, above = map(float, numbers.split())
                    is_straight = is_straight and not turned and not leant
                    here = first * a, fourth * d, right * a + e, above * d + f
                a, d, e, f = here
        if literal:
            codes = string_bytes(b"(" + literal + b")") if b"\\" in literal else literal
        elif digits:
            codes = unhexlify(digits)
        elif not array:
            continue
        if style is None:
            if font is None or not is_straight:
                raise Odd("text without a font, or turned")
            style = Style(size * up * d, size * across * a / 1000, up * d, font)
        if array:
            codes, text = read_array(array, style.font)
            if not codes:
                continue
        else:
            text = style.font.decode(codes)
        if not is_placed:
            x += advance(shown[-1]) / a
        is_placed = False
        shown.append((x * a + e, y * d + f, style, text, codes, array))
    return shown
