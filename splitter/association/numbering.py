"""Page numbers as they are printed: which of them count a bill's pages, and what they say."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import pairwise
from operator import or_

PrintedNumber = tuple[str, int, int]  # the spelling, the number, and of how many (0: not told)

_WORD = r"(?:p[aá]ginas?|pages?|pag|pág|pg|hoja|sheet|seite|blatt|folio)"
_OF = r"(?:out\s+of|of|de|sur|von|/|-|\|)"
# A word before the number is believed; how far the other spellings are is learnt from the file.
_SPELLINGS = {
    "word": re.compile(
        rf"\b{_WORD}\b\.?[ \t]*(?:no?\.?|#)?[ \t]*:?\s*(\d{{1,5}})\s*\(?{_OF}\s*(\d{{1,5}})\b"
    ),
    "word-after": re.compile(
        rf"(?<![\w/.$-])(\d{{1,5}})[ \t]*{_OF}[ \t]*(\d{{1,5}})[ \t]*{_WORD}\b"
    ),
    "of": re.compile(
        r"(?<![\w/.$-])(\d{1,3})[ \t]+(?:of|de|von|sur)[ \t]+(\d{1,3})(?![\w/]|[.,]\d)"
    ),
    "line": re.compile(
        r"^[ \t]*[-(\[]?[ \t]*(\d{1,3})[ \t]*(?:/|\|)[ \t]*(\d{1,3})[ \t]*[-)\]]?[ \t]*$", re.M
    ),
    "word-alone": re.compile(
        rf"(?:^|(?<!on)(?<!see)(?<!to)(?<!of)[ \t]){_WORD}\.?[ \t]*(?:no\.?|\#)?[ \t]*:?"
        r"[ \t]*(\d{1,4})[ \t]*$",
        re.M,
    ),
    "dashes": re.compile(r"^[ \t]*[-–][ \t]*(\d{1,3})[ \t]*[-–][ \t]*$", re.M),
}
BELIEVED = frozenset({"word", "word-after"})
_WORDS = ("pag", "pág", "pg", "hoja", "sheet", "seite", "blatt", "folio")
_OFS = (b"0 of 0", b"0 de 0", b"0 von 0", b"0 sur 0")
_OF_WORDS = (" of ", " de ", " von ", " sur ")
_ALONE = frozenset({b"0/0", b"0 / 0", b"(0/0)", b"0 | 0", b"- 0/0 -", b"[0/0]"})
_DASHES = frozenset({b"- 0 -", b"-0-"})
_LINES_BELOW = 2  # a word, a number and a total may be spread over so many lines more
FEW_STARTS, MOST_BEGIN, MOST_COUNT = 5, 0.9, 0.6
_HAS_WORD, _HAS_OF, _HAS_OF_WORD, _IS_ALONE, _IS_DASHED = 1, 2, 4, 8, 16


def hints_of(low: str, folded: bytes) -> int:
    """
    Return which page numbers a line may have.

    `low` is the line in small letters, `folded` the same with every number as one 0.
    """
    return (
        _HAS_WORD * any(word in low for word in _WORDS)
        | _HAS_OF * any(place in folded for place in _OFS)
        | _HAS_OF_WORD * any(word in low for word in _OF_WORDS)
        | _IS_ALONE * (folded in _ALONE)
        | _IS_DASHED * (folded in _DASHES)
    )


def printed_numbers(lines: Sequence[str], hints: Sequence[int]) -> tuple[PrintedNumber, ...]:
    """
    Return the page numbers on a page in all spellings; several of one spelling are all told.

    `hints` say of each line which of them it may have: most pages have few numbers.
    """
    anywhere = reduce(or_, hints, 0)
    if not anywhere:
        return ()
    numbers: dict[PrintedNumber, None] = {}
    for place, hint in enumerate(hints):
        if hint & _HAS_WORD:
            near = lines[place : place + _LINES_BELOW + 1]
            _find(near, ("word", "word-after", "word-alone"), numbers)
    if anywhere & _HAS_OF:
        for line, hint in zip(lines, hints, strict=True):
            if hint & _HAS_OF_WORD:
                _find([line], ("of",), numbers)
    if anywhere & _IS_ALONE:
        _find(lines, ("line",), numbers)
    if anywhere & _IS_DASHED:
        _find(lines, ("dashes",), numbers)
    return tuple(numbers)


def _find(
    lines: Sequence[str], spellings: Iterable[str], numbers: dict[PrintedNumber, None]
) -> None:
    low = "\n".join(lines).lower()
    for spelling in spellings:
        for match in _SPELLINGS[spelling].finditer(low):
            place = int(match[1])
            total = int(match[2]) if match.re.groups > 1 else 0
            if place >= 1 and (not total or place <= total):
                numbers.setdefault((spelling, place, total))


@dataclass(frozen=True, slots=True)
class Numbering:
    """
    How a file numbers its pages: the spellings that count each bill's pages from 1.

    With `runs_on` the numbers count the whole file, so they tell no bill from another, but a jump
    tells that a page is missing. `begins_with_number`: nearly all bills have one on the first page.
    With `counts_backs` pages without a number count too.
    """

    spellings: frozenset[str] = BELIEVED
    runs_on: bool = False
    begins_with_number: bool = False
    counts_from_first: bool = False  # so do most of the bills that have any number
    counts_backs: bool = False

    def numbers(self, printed: Collection[PrintedNumber]) -> tuple[tuple[int, int], ...]:
        """Return the numbers that count the pages of a bill, each with its total (0: none)."""
        return _numbers(self.spellings, tuple(printed)) if printed else ()

    def number(self, printed: Collection[PrintedNumber]) -> tuple[int, int] | None:
        """Return the number of a page, if there is just one."""
        numbers = self.numbers(printed)
        return numbers[0] if len(numbers) == 1 else None


@lru_cache(maxsize=4096)
def _numbers(
    spellings: frozenset[str], printed: tuple[PrintedNumber, ...]
) -> tuple[tuple[int, int], ...]:
    """Return the numbers that are spelled so; a file has few, and each is asked for often."""
    return tuple(dict.fromkeys([(x, y) for spelling, x, y in printed if spelling in spellings]))


def file_number(printed: Collection[PrintedNumber]) -> tuple[int, int] | None:
    """Return the one number with a word before it, whatever it counts."""
    told = {(x, y) for spelling, x, y in printed if spelling in BELIEVED}
    return told.pop() if len(told) == 1 else None


def learn_numbering(bills: Sequence[Sequence[Collection[PrintedNumber]]], pages: int) -> Numbering:
    """Learn from the printed numbers of the pages of bills, in a file of so many pages."""
    if _runs_on(bills, pages):
        return Numbering(frozenset(), runs_on=True)
    spellings = set(BELIEVED)
    seen = {spelling for own in bills for page in own for spelling, _, _ in page}
    for spelling in seen - BELIEVED:
        if _counts_bills(bills, spelling):
            spellings.add(spelling)
    numbering = Numbering(frozenset(spellings))
    first = [bool(numbering.number(own[0])) for own in bills if own]
    told = [bool(numbering.number(own[0])) for own in bills if any(map(numbering.number, own))]
    return Numbering(
        numbering.spellings,
        begins_with_number=_share(first) > MOST_BEGIN,
        counts_from_first=_share(told) > MOST_COUNT,
        counts_backs=_counts_backs(bills, numbering),
    )


def _counts_backs(
    bills: Sequence[Sequence[Collection[PrintedNumber]]], numbering: Numbering
) -> bool:
    """Say whether pages without a number are counted, between others or as the last of a bill."""
    steps = [step for own in bills for step in _steps(own, numbering)]
    gaps = [after - before == distance for before, after, distance in steps if distance > 1]
    for own in bills:
        last = next((n for page in reversed(own) if (n := numbering.number(page))), None)
        if last and last[0] < last[1] and not numbering.number(own[-1]):
            gaps.append(len(own) == last[1])
    return len(gaps) >= FEW_STARTS and _share(gaps) > MOST_BEGIN


def _runs_on(bills: Sequence[Sequence[Collection[PrintedNumber]]], pages: int) -> bool:
    """Say whether the numbers with a word count the file: one total, that of all its pages."""
    numbered = [[n for page in own if (n := file_number(page))] for own in bills]
    numbered = [own for own in numbered if own]
    totals = {total for own in numbered for _, total in own}
    if len(numbered) < 2 or len(totals) != 1 or 10 * max(totals) < 9 * pages:
        return False
    rising = [before[-1][0] < after[0][0] for before, after in pairwise(numbered)]
    return _share(rising) > MOST_BEGIN


def _counts_bills(bills: Sequence[Sequence[Collection[PrintedNumber]]], spelling: str) -> bool:
    alone = Numbering(frozenset({spelling}))
    starts = [number for own in bills if own and (number := alone.number(own[0]))]
    steps = [step for own in bills for step in _steps(own, alone)]
    begins = _share(x == 1 for x, _ in starts)
    goes_on = not steps or _share(after - before == gap for before, after, gap in steps) > 0.5
    if spelling == "word-alone":
        later = [n[0] for own in bills for page in own[1:] if (n := alone.number(page))]
        if not starts and len(later) >= FEW_STARTS and _share(x >= 2 for x in later) > MOST_BEGIN:
            return goes_on  # first pages bear no number, and the later ones do
        return len(starts) >= FEW_STARTS and begins > MOST_BEGIN and goes_on
    few = max(2, len(bills) // 2)
    return len(starts) >= few and begins > MOST_BEGIN and goes_on


def _steps(
    own: Sequence[Collection[PrintedNumber]], numbering: Numbering
) -> list[tuple[int, int, int]]:
    """Return for numbers that follow each other in a bill both, and how many pages apart."""
    numbers = [(place, n[0]) for place, page in enumerate(own) if (n := numbering.number(page))]
    return [(b[1], a[1], a[0] - b[0]) for b, a in pairwise(numbers)]


def _share(flags: Iterable[bool]) -> float:
    told = list(flags)
    return sum(told) / len(told) if told else 0.0
