"""Templates that are compiled once for all tests of a process, and not once for each office."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket


class CompiledTemplates:
    """Makes environments that share what was compiled; a changed source is compiled anew."""

    def __init__(self, make: Callable[..., Environment]) -> None:
        self._make = make
        self._known = {escapes: _Known() for escapes in (True, False)}

    def environment(self, loader: Any, *, escapes: bool) -> Environment:
        made = self._make(loader, escapes=escapes)
        made.bytecode_cache = self._known[escapes]
        return made


class _Known(BytecodeCache):
    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code
