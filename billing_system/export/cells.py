"""What a cell of a table says: from text to the domain's values."""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from domain.accounts import account_key
from domain.dates import parse_date
from domain.money import Money

T = TypeVar("T")


def cached_converter(convert: Callable[[str], T], most: int = 20_000) -> Callable[[str], T]:
    """Make a converter that reads a cell once where it recurs among so many different ones."""
    return _Remembered(convert, most).__getitem__


class _Remembered(dict[str, T]):
    """What cells say that were read before; a lookup takes half as long as lru_cache's."""

    def __init__(self, convert: Callable[[str], T], most: int) -> None:
        self._convert = convert
        self._most = most
        _REMEMBERED.append(self)

    def __missing__(self, cell: str) -> T:
        if len(self) >= self._most:
            self.clear()
        value = self[cell] = self._convert(cell)
        return value


_REMEMBERED: list[_Remembered[Any]] = []


def forget_cells() -> None:
    """
    Forget what cells say, once an export is read.

    They lie between all that was read with them, of which the system then gets nothing back: the
    accounts of a city of 200,000 took 150 MB for the rest of a close.
    """
    for remembered in _REMEMBERED:
        remembered.clear()
    account_key.cache_clear()


Converter = Callable[[str], Any]


class ColumnConverter(ABC):
    """A converter that also reads a whole column's cells at once."""

    @abstractmethod
    def __call__(self, cell: str) -> Any: ...

    @abstractmethod
    def all_of(self, cells: Sequence[str]) -> list[Any]:
        """Read each of the cells; raises ValueError as it does for the first that is wrong."""


S = TypeVar("S", bound=StrEnum)

LARGEST_AMOUNT = 10**14  # cents; sums of millions of them still fit a BIGINT
LONGEST_ACCOUNT = 64
# Bidi controls (Unicode, UAX 9): a name that holds one shows otherwise than it is.
TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
LONGEST_PERIOD = 1_000  # days that one line bills
LONGEST_LEAD = 365  # days prior to the due date

_SHORTENED = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{2,3}")  # 1.03E+09
_LAST4 = re.compile(r"[0-9]{4}")
_WHOLE = re.compile(r"[0-9]{1,9}")
_QUANTITY = re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,15})?(?:\.[0-9]{1,15})?")
_READ_TYPES = {
    **dict.fromkeys(("actual", "a", "act", "read"), "actual"),
    **dict.fromkeys(("estimated", "e", "est", "estimate"), "estimated"),
}
_FLAGS = {
    **dict.fromkeys(("y", "yes", "true", "1"), True),
    **dict.fromkeys(("n", "no", "false", "0", ""), False),
}


def text_up_to(length: int) -> Converter:
    """Make a converter for texts; the columns that keep them have this length."""
    return _Texts(length)


def code_up_to(length: int, *, required: bool = True) -> Converter:
    """Make a converter for what others refer to: an id, a token, a portal user's address."""
    return _Codes(length, required)


class _Texts(ColumnConverter):
    def __init__(self, length: int) -> None:
        self._length = length

    def __call__(self, cell: str) -> str:
        written = cell.strip()
        if len(written) > self._length:
            raise ValueError(f"is longer than {self._length} characters")
        if not written.isprintable():
            _refuse_control_characters(written)
        return written

    def all_of(self, cells: Sequence[str]) -> list[str]:
        """Read texts; only where one is unusual each is looked at by itself."""
        if _are_plain(cells, self._length):
            return list(map(str.strip, cells))
        return list(map(self, cells))


class _Codes(ColumnConverter):
    def __init__(self, length: int, required: bool) -> None:
        self._length = length
        self._required = required

    def __call__(self, cell: str) -> str:
        written = cell.strip()
        if self._required and not written:
            raise ValueError("is empty")
        if len(written) > self._length or len(written.casefold()) > self._length:
            raise ValueError(f"is longer than {self._length} characters")
        if not written.isprintable():
            raise ValueError("holds a line break or control character")
        return written

    def all_of(self, cells: Sequence[str]) -> list[str]:
        """Read codes; only where one is unusual each is looked at by itself."""
        if _are_plain(cells, self._length) and all(map(str.isascii, cells)):
            written = list(map(str.strip, cells))
            if not self._required or all(written):
                return written
        return list(map(self, cells))


def _are_plain(cells: Sequence[str], length: int) -> bool:
    """Say of some cells together that all are printable, and none is longer than this."""
    return "".join(cells).isprintable() and max(map(len, cells), default=0) <= length


@cached_converter
def to_account_number(cell: str) -> str:
    """Read an account number; without a letter or digit it could not be told from others."""
    written = cell.strip()
    key = account_key(written)
    if not key:
        raise ValueError("is no account number")
    if len(written) > LONGEST_ACCOUNT or len(key) > LONGEST_ACCOUNT:
        raise ValueError(f"is longer than {LONGEST_ACCOUNT} characters")
    if not written.isprintable():
        raise ValueError("holds a line break or control character")
    if _SHORTENED.fullmatch(written):
        raise ValueError(
            "is a number that a spreadsheet has shortened, and its last digits are lost; export "
            "account numbers as text"
        )
    return written


@cached_converter
def to_money(cell: str) -> Money:
    """Read an amount; never an empty one: nothing is not zero."""
    if not cell.strip():
        raise ValueError("is empty; an amount is needed")
    try:
        amount = Money.parse(cell)
    except ValueError:
        raise ValueError(
            "is not an amount of money (27.35, $1,027.35, -31.47 or ($31.47))"
        ) from None
    if abs(amount.cents) > LARGEST_AMOUNT:
        raise ValueError("is an impossibly large amount")
    return amount


@cached_converter
def to_optional_money(cell: str) -> Money | None:
    return to_money(cell) if cell.strip() else None


@cached_converter
def to_date(cell: str) -> date:
    """Read a local date of the utility."""
    try:
        return parse_date(cell)
    except ValueError:
        raise ValueError("is not a date (2026-10-31 or 10/31/2026)") from None


@cached_converter
def to_flag(cell: str) -> bool:
    """
    Read a yes or no.

    An empty flag is a field nobody has set, so no. Where that makes an account neither paperless
    nor on paper, the check `neither-paper-nor-ebill` says so and it gets paper: nobody goes
    without a bill because of it.
    """
    try:
        return _FLAGS[cell.strip().lower()]
    except KeyError:
        raise ValueError("is not a yes or no (Y, N, yes, no, true, false, 1 or 0)") from None


def one_of(members: type[S], aliases: dict[str, S] | None = None) -> Callable[[str], S]:
    """Make a converter for the words of an enumeration, the case of letters ignored."""
    words = {member.value: member for member in members} | (aliases or {})

    @cached_converter
    def to_member(cell: str) -> S:
        try:
            return words[cell.strip().lower()]
        except KeyError:
            raise ValueError(f"is not one of {', '.join(m.value for m in members)}") from None

    return to_member


def to_days_prior(cell: str) -> int:
    """Read the days before the due date that autopay draws (rule 48); 0 is the due date itself."""
    written = cell.strip()
    if not _WHOLE.fullmatch(written) or int(written) > LONGEST_LEAD:
        raise ValueError(f"is not a number of days from 0 to {LONGEST_LEAD}")
    return int(written)


def to_last4(cell: str) -> str:
    written = cell.strip()
    if not _LAST4.fullmatch(written):
        raise ValueError("is not exactly four digits")
    return written


@cached_converter
def to_usage(cell: str) -> float | None:
    """Read a meter's quantity; it is not money, and may be missing."""
    written = cell.strip()
    if not written:
        return None
    if not _QUANTITY.fullmatch(written) or not any(char.isdigit() for char in written):
        raise ValueError("is not a quantity")
    return float(written.replace(",", ""))


def _refuse_control_characters(written: str) -> None:
    for char in written:
        if unicodedata.category(char) in ("Cc", "Cs") and char not in "\t\r\n":
            raise ValueError("holds a control character")
        if char in TURNING:
            raise ValueError(
                f"holds a character that turns the direction of writing (U+{ord(char):04X}); "
                "take it out in the billing system"
            )


@cached_converter
def to_days(cell: str) -> int | None:
    """Read the days that a line bills; a first or final bill is for a part of the period."""
    written = cell.strip().removesuffix(".0")
    if not written:
        return None
    if not _WHOLE.fullmatch(written) or int(written) > LONGEST_PERIOD:
        raise ValueError(f"is not a number of days from 0 to {LONGEST_PERIOD}")
    return int(written)


@cached_converter
def to_read_type(cell: str) -> str:
    """Read whether a meter was read or its use estimated; nothing where it is not told."""
    written = cell.strip().lower()
    if written and written not in _READ_TYPES:
        raise ValueError("is not one of actual, estimated")
    return _READ_TYPES.get(written, "")
