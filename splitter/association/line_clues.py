"""What single lines give away: found once for all lines that differ in their figures alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from splitter.association.numbering import hints_of

PrintedToken = tuple[str, str, str]  # a number, how it is written, the words before it on its line
PLAIN, SPACED, BROKEN = "plain", "spaced", "broken"  # as one word, with spaces, over a line end

_DIGITS = bytes.maketrans(b"123456789", b"000000000")
# All begin with their first sign and look back from there: so they are searched for quickly.
_ALONE = r"(?<![\w.,$/+-]"
_CORE = re.compile(
    rf"[A-Z\d]{_ALONE}.)(?:(?<=\d)|(?<=[A-Z])[A-Z]{{0,2}}\d)(?:[-._/]?[A-Z]?\d){{3,}}(?![\w%]|[.,]\d|-\d)"
)
_SPACED = re.compile(rf"\d{_ALONE}\d)\d{{0,9}}(?: ?[-._]? ?\d{{1,10}}){{1,9}}(?![\w%/]|[.,]\d)")
_BROKEN = re.compile(
    r"(?<![\w.,$/+-])(\d{1,8}(?:[-.]\d{1,8})*[-.])\n(\d{1,8}(?:[-.]\d{1,8})*)(?![\w%/]|[.,]\d)"
)
_LONG_END = r"[\d.-]{5,}(?![\w%/]|,\d)"
_LONG = re.compile(rf"\d{_ALONE}\d){_LONG_END}")
_LETTERED = re.compile(rf"\d(?<=[A-Z-]\d){_LONG_END}")  # a number that may have letters before it
_LETTERS = re.compile(r"(?:^|[^\w.,$/+-])([A-Z]{1,3}-?)\Z")
_OTHER = re.compile(  # dates, telephone numbers, ZIP+4, amounts
    r"\d{4}-\d\d-\d\d|\d\d?-\d\d?-\d{4}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{5}-\d{4}"
    r"|(?:1[-. ])?\d{3}[-. ]\d{3}[-. ]\d{4}|\d{3}[-.]\d{4}|\d+\.\d\d"
)
ACCOUNT_WORD = re.compile(
    r"\b(?:accounts?|acct|acc|a/c|cuenta|customer|cust|cliente|client|compte|abonado|abonné"
    r"|suscriptor|usuario|contrato|contract|konto|kunde)\b",
    re.IGNORECASE,
)
_STEMS = (  # one of these is in each of the words
    "acc", "a/c", "cuenta", "cust", "client", "compte", "abonado", "suscriptor", "usuario",
    "contra", "konto", "kunde",
)  # fmt: skip
_ENDS_WITH_LABEL = re.compile(
    r"\b(?:account|acct|cuenta|customer|cliente|abonado)\b\W{0,3}"
    r"(?:number|no|num|n[uú]mero|id|nbr)?\W*$"
)
_SALUTATION = re.compile(r"\b(?:dear|valued|to all|our|estimad[oa]s?|nuestros?|chers?|chère)\b")
_WORDS = re.compile(r"[^\W\d_]{2,}")
NO_SIGNS = b" -._/"  # of a number as it is written, which an account's key has not
_PHONES = (12, 14)  # signs of a telephone number with spaces
_FAR = 60  # signs from a number: words that stand farther off say nothing of it
_SURELY_FOUR = 9  # signs: a longer number with spaces has four digits at least
_MOST_KNOWN, _LONGEST_KNOWN = 4096, 160  # lines, and signs of one

# Where a number begins and ends, the words before it, and whether it is a telephone number that
# is no account if it begins with 1: the one thing that depends on a figure.
_Place = tuple[int, int, str, bool]


@dataclass(frozen=True, slots=True)
class LineClues:
    """What a line gives away, whatever its figures are."""

    folded: int  # the checksum of the line with every number as one 0
    hints: int  # of page numbers
    plain: tuple[_Place, ...]
    spaced: tuple[_Place, ...]
    long: tuple[_Place, ...]
    lettered: tuple[_Place, ...]  # longer numbers, each from the letters before it
    words: tuple[str, ...]
    letters: int  # of the words
    is_label: bool  # an account's label without an account
    begins_label: bool
    names_accounts: bool  # it has a word for them


class LineShapes(dict[str, LineClues]):
    """
    The clues of lines, by the lines with every figure as 0; those seen lately are known at once.

    A form prints the same few lines on each of its pages, with other figures. `label` is what
    stands before an account, without spaces and in small letters.
    """

    def __init__(self, label: str) -> None:
        super().__init__()
        self._label = label
        self._most_words = len(_WORDS.findall(label)) + 4
        self._has_figures = any(map(str.isdigit, label))  # then lines are alike that are the same

    def of(self, lines: Sequence[str], text: str) -> list[LineClues]:
        """Return the clues of the lines of a text."""
        shapes = lines if self._has_figures else _without_figures(text).split("\n")
        return list(map(self.__getitem__, shapes))

    def __missing__(self, shape: str) -> LineClues:
        found = self._look_at(shape)
        if len(shape) <= _LONGEST_KNOWN:
            if len(self) >= _MOST_KNOWN:
                self.clear()
            self[shape] = found
        return found

    def _look_at(self, shape: str) -> LineClues:
        low = shape.lower()
        folded = folded_of(low)
        words = tuple(_WORDS.findall(low))
        has_figures = "0" in folded.decode("utf-8", "surrogatepass") or not shape.isascii()
        return LineClues(
            folded=crc32(folded),
            hints=hints_of(low, folded),
            plain=tuple(_plain(shape, low)) if has_figures else (),
            spaced=tuple(_spaced(shape, low)) if has_figures else (),
            long=tuple(_long(shape)) if has_figures else (),
            lettered=tuple(_lettered(shape)) if has_figures else (),
            words=words,
            letters=sum(map(len, words)),
            is_label=self._is_label(low, len(words)),
            begins_label=bool(self._label) and self._label[:4] in low,
            names_accounts=_may_name_accounts(low),
        )

    def _is_label(self, low: str, words: int) -> bool:
        squashed = "".join(low.split())
        has_label = self._label and self._label in squashed
        if not has_label and (not _ENDS_WITH_LABEL.search(low) or _SALUTATION.search(low)):
            return False
        rest = squashed.replace(self._label, "", 1) if self._label else ""
        return words <= self._most_words and len(rest) < 24


@lru_cache(maxsize=8)
def line_shapes(label: str) -> LineShapes:
    """Return what knows the lines of files with this label before an account."""
    return LineShapes(label)


def _without_figures(text: str) -> str:
    """Return a text with every figure as 0; by its bytes, as one sign beyond ASCII is slow."""
    plain = text.encode("utf-8", "surrogatepass").translate(_DIGITS)
    return plain.decode("utf-8", "surrogatepass")


def folded_of(low: str) -> bytes:
    """Return a line with every number as one 0: what a form prints, whatever the figures."""
    plain = low.encode("utf-8", "surrogatepass").translate(_DIGITS)
    for period in (b"00000000", b"0000", b"00", b"00", b"0,0"):
        plain = plain.replace(period, b"0")
    return plain.replace(b"00", b"0")


def tokens_on(text: str, lines: Sequence[str], clues: Sequence[LineClues]) -> str:
    """Return the numbers that may be accounts by columns, a line each; see Clues.written."""
    tokens: dict[PrintedToken, None] = {}
    for line, known in zip(lines, clues, strict=True):
        for start, end, words, may_be_phone in known.plain:
            if not may_be_phone or line[start] != "1":
                tokens[line[start:end], PLAIN, words] = None
    for line, known in zip(lines, clues, strict=True):
        for start, end, words, may_be_phone in known.spaced:
            if not may_be_phone or line[start] != "1":
                tokens[line[start:end], SPACED, words] = None
    if "-\n" in text or ".\n" in text:
        for match in _BROKEN.finditer(text):
            tokens[match[1] + match[2], BROKEN, ""] = None
    return "\t".join(map("\n".join, zip(*tokens, strict=True)))


def long_numbers(lines: Sequence[str], clues: Sequence[LineClues]) -> list[bytes]:
    """Return longer numbers with the letters before them, as keys are written."""
    found = [
        line[start:end]
        for line, known in zip(lines, clues, strict=True)
        for start, end, _, may_be_phone in known.long
        if not may_be_phone or line[start] != "1"
    ]
    found += [
        line[start:end]
        for line, known in zip(lines, clues, strict=True)
        for start, end, _, _ in known.lettered
    ]
    return "\n".join(found).encode().translate(None, NO_SIGNS).split(b"\n") if found else []


def _plain(shape: str, low: str) -> Iterator[_Place]:
    for match in _CORE.finditer(shape):
        if not _is_other(match.group()):
            yield _place(match, low)


def _spaced(shape: str, low: str) -> Iterator[_Place]:
    for match in _SPACED.finditer(shape):
        number = match.group()
        if " " in number and (len(number) > _SURELY_FOUR or _has_four_digits(number)):
            if len(number) not in _PHONES:
                start, end, words, _ = _place(match, low)
                yield start, end, words, False
            elif not _is_other(number):
                yield _place(match, low)


def _long(shape: str) -> Iterator[_Place]:
    for match in _LONG.finditer(shape):
        if not _is_other(match.group()):
            yield _place(match, "")


def _lettered(shape: str) -> Iterator[_Place]:
    for match in _LETTERED.finditer(shape):
        start = match.start()
        if before := _LETTERS.search(shape, max(0, start - 5), start):
            yield before.start(1), match.end(), "", False


def _place(match: re.Match[str], low: str) -> _Place:
    start, end = match.span()
    return start, end, _words_before(low, start), _is_other("1" + match.group()[1:])


def _is_other(number: str) -> bool:
    return _OTHER.fullmatch(number) is not None


def _has_four_digits(number: str) -> bool:
    return sum(map(str.isdigit, number)) >= 4


def _words_before(low: str, at: int) -> str:
    return " ".join(_WORDS.findall(low[max(0, at - _FAR) : at])[-3:])


def _may_name_accounts(low: str) -> bool:
    """Say whether a line in small letters has a word for accounts; mostly told at once."""
    if low.isascii() and not any(map(low.__contains__, _STEMS)):
        return False
    return ACCOUNT_WORD.search(low) is not None


def words_of(clues: Iterable[LineClues]) -> Iterator[str]:
    """Yield all words of lines, in small letters."""
    for known in clues:
        yield from known.words
