"""What a page's content shows, and where: read at once, or odd where it is not plainly written."""

from __future__ import annotations

import math
import re
from binascii import unhexlify
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from splitter.direct_text.fonts import DirectFont
from splitter.pdf.syntax import UnsupportedPdf, string_bytes


@dataclass(frozen=True, slots=True, eq=False)
class Style:
    """How text is shown: its height and a thousandth of it along the line, in points."""

    height: float
    unit: float
    scale: float  # the points in one of the text's own units
    font: DirectFont


# What is shown at once: where it starts, in points, how, and what it says; the codes shown, and the
# array with the gaps between them, if there is one.
Fragment = tuple[float, float, Style, str, bytes, bytes]

# How far a drawing is stretched to the right and upwards, and where it begins, in points.
Placing = tuple[float, float, float, float]
AS_IT_IS: Placing = (1.0, 1.0, 0.0, 0.0)
Drawing = Callable[[Placing], Sequence[Fragment]]  # what a form shows that is placed so

NESTING = rb"[^()\\]*+(?:(?:\\[\s\S]|\([^()\\]*+\))[^()\\]*+)*"  # what a literal string holds
HEX = rb"[0-9A-Fa-f]*+"
CLOSE, FAR = 50, 220  # thousandths of the font's height: nothing between letters, surely a space
_MOST_GAPS = 1 << 14
_NOT_BRACKETS = bytes(set(range(256)) - set(b"()<>"))
_PIECE = re.compile(
    rb"\s*(?:(\(" + NESTING + rb"\)|<" + HEX + rb">)|([-+.0-9]++)|([\s\S]++))"
)  # fmt: skip


def read_array(array: bytes, font: DirectFont) -> tuple[bytes, str]:
    """Return the codes in an array and what they say, with a space for each wide gap."""
    is_literal = array.startswith(b"(")
    opening, closing = (b"(", b")") if is_literal else (b"<", b">")
    parts = array.replace(opening, closing).split(closing)
    pieces = parts[1::2]
    if (
        array.translate(None, _NOT_BRACKETS) != (opening + closing) * len(pieces)
        or not _small_gaps.issuperset(parts[::2])
        or parts[0].strip()
        or b"\\" in array
    ):
        return _piece_by_piece(array, font)
    if not is_literal or font.code_bytes > 1:
        whole = font.code_bytes if is_literal else 2 * font.code_bytes
        if any(map(whole.__rmod__, set(map(len, pieces)))):
            raise UnsupportedPdf("half a code")
    codes = b"".join(pieces) if is_literal else unhexlify(b"".join(pieces))
    return codes, font.decode(codes)


def advance(fragment: Fragment) -> float:
    """Return how far a fragment reaches to the right, in points."""
    _, _, style, _, codes, kerned = fragment
    if not kerned:
        return style.font.width(codes) * style.unit
    moved = sum([float(match[2]) for match in _PIECE.finditer(kerned) if match[2]])
    return (style.font.width(codes) - moved) * style.unit


def _piece_by_piece(array: bytes, font: DirectFont) -> tuple[bytes, str]:
    codes: list[bytes] = []
    text: list[str] = []
    gap, end = 0.0, 0
    for match in _PIECE.finditer(array):
        if match[3]:
            if match[3].strip():
                raise UnsupportedPdf("neither a string nor a number")
        elif match[2]:
            if gap or not codes:
                raise UnsupportedPdf("a gap that is written in two parts, or before the text")
            gap = float(match[2])
        else:
            if gap <= -FAR:
                text.append(" ")
            elif not -CLOSE <= gap < 3 * CLOSE:
                raise UnsupportedPdf("a gap that may be a space or not")
            elif codes:
                _remember(array[end : match.start(1)])
            codes.append(string_bytes(match[1]))
            text.append(font.decode(codes[-1]))
            gap, end = 0.0, match.end()
    if codes and -CLOSE <= gap < 3 * CLOSE:
        _remember(array[end:])
    return b"".join(codes), "".join(text)


# Gaps as they are written that are surely no space: the same few come again and again.
_small_gaps = {b""}


def _remember(gap: bytes) -> None:
    if len(_small_gaps) >= _MOST_GAPS:
        _small_gaps.clear()
        _small_gaps.add(b"")
    _small_gaps.add(gap)


MOST_BYTES = 1 << 19  # of one page's content: what is longer draws more than it writes

_SPACE = rb"[\x00\t\n\x0c\r ]"
_REGULAR = rb"[^\x00\t\n\x0c\r ()<>\[\]{}/%]"
_NAME = rb"/" + _REGULAR + rb"++"
_NUMBERS = rb"[-+.0-9\x00\t\n\x0c\r ]*+(?<![-+.0-9])"
_END = rb"(?!" + _REGULAR + rb")"

# Only signs are repeated possessively: CPython up to 3.11.4 matches groups repeated so wrongly.


def _statement(*, finds_forms: bool) -> re.Pattern[bytes]:
    """Make the expression for a statement; forms are found by their names, or passed over."""
    named = rb"(?:gs|CS|cs|SCN|scn|sh|ri|BMC" + (b"" if finds_forms else b"|Do") + rb")"
    # Statements that neither show text nor change where and how it is shown.
    quiet = b"|".join((
        _NUMBERS + rb"(?:E(?:T|MC)|re|[fWBb]\*?|[FnmlcvyhSswJjMiKkGg]|RG|rg|SCN?|scn?)" + _END,
        _SPACE + rb"*+(?:0(?:\.0*)?" + _SPACE + rb"++T[cwrs]|[12]" + _SPACE + rb"++Tr"
        rb"|100(?:\.0*)?" + _SPACE + rb"++Tz)" + _END,
        _NUMBERS + _NAME + _SPACE + rb"*+" + named + _END,
        _NUMBERS + rb"\[[-+.0-9\x00\t\n\x0c\r ]*+\]" + _NUMBERS + rb"d" + _END,
        _SPACE + rb"*+(?!/OC" + _END + rb")" + _NAME + _SPACE
        + rb"*+<<(?![^>]*/ActualText)[^()<>%#]*+>>" + _SPACE + rb"*+BDC" + _END,
    ))  # fmt: skip
    operand = _NUMBERS + (rb"(?:" + _NAME + _SPACE + rb"*+)?" if finds_forms else b"")
    operators = rb"T[dmD*L]|cm|q|Q|\xff\Z" + (b"|Do" if finds_forms else b"")
    return re.compile(
        rb"(?:(?!" + _SPACE + rb"*+[T(])(?:" + quiet + rb"))*" + _SPACE + rb"*+"  # none begins so
        rb"(?:(BT)" + _END + _SPACE + rb"*+)?"
        rb"(?:(" + _NAME + rb")" + _SPACE + rb"++([.0-9]++)" + _SPACE + rb"++Tf" + _END + _SPACE
        + rb"*+)?"
        rb"(?:(" + operand + rb")(" + operators + rb")" + _END + _SPACE + rb"*+)?"
        rb"(?:(?:\((" + NESTING + rb")\)" + _SPACE + rb"*+Tj"
        rb"|\[([^\]]*+)\]" + _SPACE + rb"*+TJ|<(" + HEX + rb")>" + _SPACE + rb"*+Tj)" + _END
        + rb")?"
        rb"(?(1)|(?(2)|(?(5)|(?(6)|(?(7)|(?(8)|([\s\S]++)))))))"  # all else is odd, to the end
    )  # fmt: skip


_STATEMENT, _STATEMENT_OR_FORM = (_statement(finds_forms=forms) for forms in (False, True))
_LAST = b"\n\xff"
_WHITE = b"\x00\t\n\x0c\r "


def fragments(
    content: bytes,
    fonts: Mapping[bytes, DirectFont],
    forms: Mapping[bytes, Drawing] = MappingProxyType({}),
    placing: Placing = AS_IT_IS,
) -> list[Fragment]:
    """
    Return what a content stream shows, in the order of drawing.

    `forms` are those with text, by their names; whatever else is drawn by a name shows none. What
    the content is drawn into is placed by `placing`.

    Raises UnsupportedPdf, ValueError, KeyError or IndexError where anything in it is not plain:
    signs whose meaning the font does not tell, text that is turned, hidden or spaced, pictures in
    line, what replaces text for readers, and statements that are not known to be harmless.
    """
    if len(content) > MOST_BYTES:
        raise UnsupportedPdf("too long")
    shown: list[Fragment] = []
    office = a, d, e, f = placing
    statement = _STATEMENT_OR_FORM if forms else _STATEMENT
    is_straight = True
    kept = []
    font: DirectFont | None = None
    style: Style | None = None  # of what is shown next; None where it must be put together anew
    read: Callable[[bytes], str] = str  # what its font's codes say
    chosen = b"", b""
    size = leading = across = up = 0.0
    x = line = y = math.nan  # nowhere, until a text begins
    is_placed = False
    for begins, name, height, numbers, operator, literal, array, digits, odd in statement.findall(
        content + _LAST
    ):
        if odd:
            raise UnsupportedPdf("a statement that may show text, or hide it")
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
                    raise UnsupportedPdf("turned text")
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
            elif operator == b"Do":
                if (drawing := forms.get(numbers.strip(_WHITE))) is not None:
                    if not is_straight:
                        raise UnsupportedPdf("turned text")
                    shown += drawing(office)
                    x = line = y = math.nan
            else:
                x = line = y = math.nan
                style, chosen = None, (b"", b"")
                if operator == b"q":
                    kept.append((office, is_straight, font, size, leading))
                elif operator == b"Q":
                    office, is_straight, font, size, leading = kept.pop()
                else:
                    first, turned, leant, fourth, right, above = map(float, numbers.split())
                    is_straight = is_straight and not turned and not leant
                    office = first * a, fourth * d, right * a + e, above * d + f
                a, d, e, f = office
        if literal:
            codes = string_bytes(b"(" + literal + b")") if b"\\" in literal else literal
        elif digits:
            codes = unhexlify(digits)
        elif not array:
            continue
        if style is None:
            if font is None or not is_straight:
                raise UnsupportedPdf("text without a font, or turned")
            style = Style(size * up * d, size * across * a / 1000, up * d, font)
            read = font.decode
        if array:
            codes, text = read_array(array, style.font)
            if not codes:
                continue
        else:
            text = read(codes)
        if not is_placed:
            x += advance(shown[-1]) / a
        is_placed = False
        shown.append((x * a + e, y * d + f, style, text, codes, array))
    return shown
