"""What a page gives away about whose it is, besides its account; taken in the reading child."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

from splitter.association.line_clues import (
    NO_SIGNS,
    LineClues,
    PrintedToken,
    line_shapes,
    long_numbers,
    tokens_on,
    words_of,
)
from splitter.association.names import Sieve
from splitter.association.numbering import PrintedNumber, printed_numbers

_COMMON_TEXT = (  # function words and the words of bills: English, Spanish, French
    "the of to and in is for your you on be with or by at this that are if not from please will "
    "may our we us as it an all have has any can per page date amount due total account number "
    "water sewer service bill billing charge charges payment pay balance previous current usage "
    "meter read name address customer city tax rate el la los las de del en por para su con un "
    "una que se al pago cuenta agua fecha servicio factura total le les des du et pour votre vous "
    "par sur dans compte eau date facture"
)
_COMMON = frozenset(_COMMON_TEXT.split())
_FEW_WORDS = 64  # of a page in no known language: to know it again by


@dataclass(frozen=True, slots=True)
class Clues:
    """
    One page, as checksums and short texts; most of it of pages alone that name no account.

    `folded` are its lines with every number as one 0, which is what the form prints; empty where a
    large file's page is not looked at for its habits. `exact` are its longer numbers.
    """

    folded: bytes = b""
    exact: bytes = b""
    numbers: tuple[PrintedNumber, ...] = ()
    written: str = ""  # the tokens by columns, a line each: a text is a tenth of as many objects
    labels: bytes = b""  # checksums of folded lines that are an account's label without an account
    names: tuple[int, ...] = ()  # marks that may be customers' names or addresses
    words: int = 0
    common: int = 0  # words that any bill has
    letters: int = 0
    vocabulary: bytes = b""  # checksums of words: of odd pages, and of some named ones
    is_blank: bool = False

    @property
    def tokens(self) -> tuple[PrintedToken, ...]:
        """The numbers that may be accounts, as they are written, with the words before them."""
        return tuple(zip(*self._columns(), strict=True))

    @property
    def tokens_by_key(self) -> Iterable[tuple[str, str, str, str]]:
        """The same, each after what it is as the key of an account."""
        if not self.written:
            return ()
        numbers = self.written.partition("\t")[0]
        keys = numbers.encode().translate(None, NO_SIGNS).decode().split("\n")
        return zip(keys, *self._columns(), strict=True)

    def _columns(self) -> Iterable[list[str]]:
        return (column.split("\n") for column in self.written.split("\t")) if self.written else ()


NO_CLUES = Clues()


ALL_PAGES, SAMPLE_PAGES, BLOCK = 1024, 2048, 64
WORDS_OF_FIRST, WORDS_OF_EACH = 256, 64  # pages: enough to know the language by


def is_sampled(page: int, pages: int) -> bool:
    """
    Say whether a page that names its account is looked at for the habits of its file.

    All of a small file are; of a large one the first, and blocks from all over it.
    """
    return page < ALL_PAGES or page // BLOCK % max(1, -(-pages // SAMPLE_PAGES)) == 0


def checksums(packed: bytes) -> array[int]:
    """Return checksums as they were packed."""
    return array("I", packed)


def _pack(sums: Iterable[int]) -> bytes:
    return array("I", sums).tobytes()


@dataclass(frozen=True, slots=True)
class ClueTaker:
    """Takes the clues of the pages of one file; `sieve` lets customers' names through."""

    label: str  # what stands before an account, without spaces and in small letters
    sieve: Sieve

    def take(self, text: str, page: int, pages: int, *, is_named: bool) -> Clues:
        """
        Return the clues of a page, counted from 0, of so many.

        Of one that names its account there are few, and fewer if it is not sampled.
        """
        lines = text.split("\n")
        clues = line_shapes(self.label).of(lines, text)
        numbers = printed_numbers(lines, [line.hints for line in clues])
        if is_named and not is_sampled(page, pages):
            return Clues(numbers=numbers)
        folded = _pack(filter(None, dict.fromkeys([line.folded for line in clues])))
        exact = _pack(map(crc32, long_numbers(lines, clues)))
        if is_named:
            has_words = page < WORDS_OF_FIRST or page % WORDS_OF_EACH == 0
            words = {crc32(word.encode()) for word in words_of(clues)} if has_words else ()
            return Clues(folded, exact, numbers, vocabulary=_pack(words))
        different = list(dict.fromkeys(words_of(clues)))  # a table repeats its few words
        common = sum(map(_COMMON.__contains__, different))
        return Clues(
            folded,
            exact,
            numbers,
            written=tokens_on(text, lines, clues),
            labels=_labels(clues),
            names=self.sieve.passed(text.lower()) if self.sieve else (),
            words=len(different),
            common=common,
            letters=sum([line.letters for line in clues]),
            vocabulary=_odd_words(different, common),
            is_blank=not text.strip(),
        )


def _labels(clues: Sequence[LineClues]) -> bytes:
    if not any(line.begins_label or line.names_accounts for line in clues):
        return b""
    return _pack([line.folded for line in clues if line.is_label])


def _odd_words(words: list[str], common: int) -> bytes:
    if common >= 0.1 * len(words):
        return b""
    return _pack([crc32(word.encode("utf-8", "surrogatepass")) for word in words[:_FEW_WORDS]])
