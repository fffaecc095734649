"""Contents of pages as a writer with bad habits may write them: much of it is still plain."""

from __future__ import annotations

from random import Random

from splitter.direct_text.fonts import STANDARD_WIDTHS
from tests.splitter.content_builders import code

FONTS = {"Plain": "Helvetica", "Bold": "Helvetica-Bold", "Fixed": "Courier", "Serif": "Times-Roman"}
TEXTS = (
    *("Account: 12-345678-90", "Account: 12-34", "Account:", "12-345678-90", "01.1037.1", "-90"),
    *(
        "90",
        "345678",
        "Acc",
        "ount: 12",
        "Amount Due: $12.50",
        "Amount Due:",
        "$12.50",
        "$1",
        "2.50",
    ),
    *("Due Date: 11/20/2026", "Due Date:", "11/20/2026", "Page 1 of 2", "Page", "1 of 2", "W", "i"),
    *("Usage details", "Refuse cart    64 gal   2.816", "(64 gal)", "Total", "  ", "x ", " y"),
    *("Statement of account, prepared for you by the office", "Usage-", "Café", "a"),
)
ODDITIES = (
    *(b"0 Tr", b"3 Tr", b"0 Tw", b"1 Tc", b"/Picture Do", b"/Lines Do", b"/Text Do", b"/Opaque gs"),
    *(b"1 0 0 rg", b"/P <</MCID 3>> BDC", b"EMC", b"/Span <</ActualText (x)>> BDC", b"[3 2] 0 d"),
    *(b"BI /W 1 /H 1 /BPC 8 /CS /G ID x EI", b"% a comment", b"q", b"Q", b"0 0 9 9 re W n"),
    *(b"(Account: 88) '", b"junk", b"(Account: 77) Tj", b"/OC /Layer BDC", b"14 TL"),
)


FORMS = (
    *(b"/Head Do", b"/Whole Do", b"/Named Do", b"/Small Do", b"q 1 0 0 1 30 -20 cm /Head Do Q"),
    *(b"q .5 0 0 .5 9 9 cm /Named Do Q", b"q 2 0 0 -2 0 792 cm /Head Do Q"),
)


def a_content(chance: Random) -> bytes:
    """Return the content of one page: lines at places that are mostly, not always, sensible."""
    fonts = chance.choices([*FONTS, "Coded", "Wide"], k=chance.choice([1, 1, 1, 2]))
    scale, turned = chance.choice([1, 1, 1, 0.24, 0.75]), chance.random() < 0.25
    start = f"{scale} 0 0 {-scale if turned else scale} 0 {792 if turned else 0} cm".encode()
    size, leading = (
        chance.choice([8, 9, 10, 12, 14]),
        chance.choice([1.0, 1.2, 1.2, 1.5, 1.8, 0.85]),
    )
    if chance.random() < 0.15:
        drawn = _one_text(chance, fonts[0], size / scale, leading, turned, 740 / scale)
    else:
        drawn = [
            _one_line(chance, line, scale, turned)
            for line in _shuffled(chance, _lines(chance, fonts, size, leading))
        ]
    if chance.random() < 0.1:
        drawn.insert(chance.randrange(len(drawn) + 1), chance.choice(ODDITIES))
    if chance.random() < 0.2:
        drawn.insert(chance.randrange(len(drawn) + 1), chance.choice(FORMS))
    return b"\n".join([start, *drawn])


Line = tuple[float, float, str, float, str]  # x, y, font, size and text


def _lines(chance: Random, fonts: list[str], size: float, leading: float) -> list[Line]:
    lines: list[Line] = []
    x, y = 60.0, 740.0
    for _ in range(chance.randint(1, 14)):
        at, height = x, size if chance.random() < 0.9 else chance.choice([7, 16, 24])
        while at == x or chance.random() < 0.3:
            font, text = chance.choice(fonts), chance.choice(TEXTS)
            lines.append((at, y, font, height, text))
            at += _width(font, text) * height + _gap(chance) * height
        if chance.random() < 0.03:
            lines += _letter_by_letter(chance, x, y, fonts[0], height)
        if chance.random() < 0.02:
            lines.append(lines[-1])
        y -= height * (leading if chance.random() < 0.97 else chance.choice([0.02, 0.3, 0.6, 3]))
        x += chance.choice([100, -20, 200]) if chance.random() < 0.05 else 0
        y += chance.choice([100, 2 * height]) if chance.random() < 0.05 else 0
    return lines


def _gap(chance: Random) -> float:
    usual = chance.random() < 0.95
    return chance.choice(
        [0, 0, 0.02, -0.03, 0.4, 0.5, 1, 8] if usual else [-0.3, -0.1, 0.1, 0.2, 0.3]
    )


def _letter_by_letter(chance: Random, x: float, y: float, font: str, size: float) -> list[Line]:
    text = chance.choice(TEXTS)
    letters = [(x + 7 * place, y, font, size, letter) for place, letter in enumerate(text)]
    return letters[:: chance.choice([1, -1])]


def _shuffled(chance: Random, lines: list[Line]) -> list[Line]:
    match chance.randrange(20):
        case 0:
            return sorted(lines)
        case 1:
            return chance.sample(lines, len(lines))
        case 2 | 3:  # labels first, values later
            return lines[::2] + lines[1::2]
    return lines


def _one_line(chance: Random, line: Line, scale: float, turned: bool) -> bytes:
    x, y, font, size, text = line
    at, up, height = x / scale, (792 - y if turned else y) / scale, size / scale
    shown = _shown(chance, font, text)
    how = chance.randrange(3)
    if how == 0 and not turned:
        return b"BT /%s %g Tf %g %g Td %s ET" % (font.encode(), height, at, up, shown)
    if how == 1:
        place = b"%g 0 0 %g %g %g Tm" % (height, -height if turned else height, at, up)
        return b"BT /%s 1 Tf %s %s ET" % (font.encode(), place, shown)
    place = b"1 0 0 %d %g %g Tm" % (-1 if turned else 1, at, up)
    return b"BT /%s %g Tf %s %s ET" % (font.encode(), height, place, shown)


def _one_text(
    chance: Random, font: str, height: float, leading: float, turned: bool, up: float
) -> list[bytes]:
    step = height * leading
    drawn = [b"BT /%s %g Tf %g TL 1 0 0 %d 60 %g Tm" % (
        font.encode(), height, step, -1 if turned else 1, 52 if turned else up
    )]  # fmt: skip
    for _ in range(chance.randint(1, 14)):
        drawn.append(_shown(chance, font, chance.choice(TEXTS)))
        down = b"T*" if not turned else b"0 %g Td" % step
        drawn.append(down if chance.random() < 0.9 else b"")
    return [*drawn, b"ET"]


def _shown(chance: Random, font: str, text: str) -> bytes:
    if chance.random() < 0.5:
        return _string(chance, font, text) + b" Tj"
    pieces, rest = [], text
    while rest:
        length = chance.randint(1, 4)
        pieces.append(_string(chance, font, rest[:length]))
        rest = rest[length:]
    usual = chance.random() < 0.97
    gaps = [b"", b"0", b"-10", b"80", b"-49", b".5", b"-0.25"]
    wide = [b"-100", b"-150", b"-220", b"-300", b"-400", b"200", b"500", b"- 3", b"5 5"]
    parts = [piece + chance.choice(gaps if usual else gaps + wide) for piece in pieces]
    return b"[" + b"".join(parts) + b"] TJ"


def _string(chance: Random, font: str, text: str) -> bytes:
    if font == "Wide":
        return b"<" + b"".join(b"%04X" % code(sign) for sign in text) + b">"
    raw = bytes(map(code, text)) if font == "Coded" else text.encode("cp1252")
    match chance.randrange(8):
        case 0:
            return b"<" + raw.hex().encode() + b">"
        case 1:
            return b"(" + b"".join(b"\\%03o" % sign for sign in raw) + b")"
    for sign in (b"\\", b"(", b")"):
        raw = raw.replace(sign, b"\\" + sign)
    return b"(" + raw + b")"


def _width(font: str, text: str) -> float:
    """Return how wide a text is at a height of 1."""
    if font not in FONTS:
        return (0.5 if font == "Wide" else 0.556) * len(text)
    widths = STANDARD_WIDTHS[FONTS[font]]
    return sum(widths.get(ord(sign), 500) for sign in text) / 1000
