"""Statements that are compiled once for all tests of a process, and not once for each books."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.engine import Dialect, Engine

MANY = 5_000  # statements; all that one process's tests ever compile, and more


class CompiledStatements:
    """
    Opens engines that share what was compiled for one of their kind.

    Every test has books of its own, and would compile its statements anew: that takes longer than
    to execute them. What a dialect has learned at its first connection is the same for all.
    """

    def __init__(self, open_: Callable[..., Engine]) -> None:
        self._open = open_
        self._known: dict[str, tuple[Dialect, Any]] = {}

    def engine(self, *arguments: Any) -> Engine:
        made = self._open(*arguments)
        dialect, compiled = self._known.get(made.dialect.name, (None, None))
        if dialect is None or dialect.server_version_info is None:  # it has never been connected
            if made._compiled_cache is not None:
                made._compiled_cache.capacity = MANY
            self._known[made.dialect.name] = made.dialect, made._compiled_cache
        else:
            made.dialect, made._compiled_cache = dialect, compiled
        return made
