"""What a page gives away about whose it is, besides its account; taken in the reading child."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from splitter.association.names import Sieve
from splitter.association.numbering import PrintedNumber, printed_numbers

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
_NO_SIGNS = b" -._/"  # of a number as it is written, which an account's key has not
_PHONES = (12, 14)  # signs of a telephone number with spaces
_FAR = 60  # signs from a number: words that stand farther off say nothing of it
_SURELY_FOUR = 9  # signs: a longer number with spaces has four digits at least


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
        keys = numbers.encode().translate(None, _NO_SIGNS).decode().split("\n")
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


def folded_of(low: str) -> bytes:
    """Return a text with every number as one 0: what a form prints, whatever the figures."""
    plain = low.encode("utf-8", "surrogatepass").translate(_DIGITS)
    for period in (b"00000000", b"0000", b"00", b"00", b"0,0"):
        plain = plain.replace(period, b"0")
    return plain.replace(b"00", b"0")


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
        low = text.lower()
        folded = folded_of(low)
        numbers = printed_numbers(low, folded)
        if is_named and not is_sampled(page, pages):
            return Clues(numbers=numbers)
        lines = _pack(filter(None, dict.fromkeys(map(crc32, folded.split(b"\n")))))
        exact = _pack(map(crc32, _long_numbers(text)))
        if is_named:
            has_words = page < WORDS_OF_FIRST or page % WORDS_OF_EACH == 0
            words = {crc32(word.encode()) for word in _WORDS.findall(low)} if has_words else ()
            return Clues(lines, exact, numbers, vocabulary=_pack(words))
        words_here = _WORDS.findall(low)
        different = list(dict.fromkeys(words_here))  # a table repeats its few words in each row
        common = sum(map(_COMMON.__contains__, different))
        return Clues(
            lines,
            exact,
            numbers,
            written=_tokens(text, low),
            labels=self._labels(low, folded),
            names=self.sieve.passed(low) if self.sieve else (),
            words=len(different),
            common=common,
            letters=sum(map(len, words_here)),
            vocabulary=_odd_words(different, common),
            is_blank=not text.strip(),
        )

    def _labels(self, low: str, folded: bytes) -> bytes:
        is_there = self.label and self.label[:4] in low
        if not is_there and not _may_name_accounts(low):
            return b""
        return _pack(_label_lines(low, folded, self.label))


def _long_numbers(text: str) -> list[bytes]:
    """Return longer numbers with the letters before them, as keys are written."""
    found = [number for number in _LONG.findall(text) if not _is_other(number)]
    for match in _LETTERED.finditer(text):
        start = match.start()
        if before := _LETTERS.search(text, max(0, start - 5), start):
            found.append(before[1] + match.group())
    return "\n".join(found).encode().translate(None, _NO_SIGNS).split(b"\n") if found else []


def _odd_words(words: list[str], common: int) -> bytes:
    if common >= 0.1 * len(words):
        return b""
    return _pack([crc32(word.encode("utf-8", "surrogatepass")) for word in words[:_FEW_WORDS]])


def _is_other(number: str) -> bool:
    return _OTHER.fullmatch(number) is not None


def _tokens(text: str, low: str) -> str:
    tokens: dict[PrintedToken, None] = {}
    for match in _CORE.finditer(text):
        if not _is_other(number := match.group()):
            tokens[number, PLAIN, _words_before(text, low, match.start())] = None
    for match in _SPACED.finditer(text):
        number = match.group()
        if " " in number and (len(number) > _SURELY_FOUR or _has_four_digits(number)):
            if len(number) in _PHONES and _is_other(number):
                continue
            tokens[number, SPACED, _words_before(text, low, match.start())] = None
    if "-\n" in text or ".\n" in text:
        for match in _BROKEN.finditer(text):
            tokens[match[1] + match[2], BROKEN, ""] = None
    return "\t".join(map("\n".join, zip(*tokens, strict=True)))


def _has_four_digits(number: str) -> bool:
    return sum(map(str.isdigit, number)) >= 4


def _words_before(text: str, low: str, at: int) -> str:
    start = text.rfind("\n", 0, at) + 1
    return _last_words(low[start if at - start < _FAR else at - _FAR : at])


@lru_cache(maxsize=1024)
def _last_words(line: str) -> str:
    """Return the last words of a line; a table has the same ones again and again."""
    return " ".join(_WORDS.findall(line)[-3:])


def _may_name_accounts(low: str) -> bool:
    """Say whether a text in small letters has a word for accounts; mostly told at once."""
    if low.isascii() and not any(map(low.__contains__, _STEMS)):
        return False
    return ACCOUNT_WORD.search(low) is not None


def _label_lines(low: str, folded: bytes, label: str) -> list[int]:
    found = []
    length = len(_WORDS.findall(label)) + 4
    for line, plain in zip(low.split("\n"), folded.split(b"\n"), strict=True):
        squashed = "".join(line.split())
        has_label = label and label in squashed
        if not has_label and (not _ENDS_WITH_LABEL.search(line) or _SALUTATION.search(line)):
            continue
        rest = squashed.replace(label, "", 1) if label else ""
        if len(_WORDS.findall(line)) <= length and len(rest) < 24:
            found.append(crc32(plain))
    return found
