"""What is closed when its `with` ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self


class Closing(ABC):
    """Whatever holds processes or files until it is closed."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None: ...
