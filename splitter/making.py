"""Bills made in a child: copied, read back, and written where they belong."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from domain.bills import BillRange
from splitter.copying import BillCopier
from splitter.filing import BillStore
from splitter.neighbours import Neighbours
from splitter.patterns import Patterns
from splitter.verifying import read_back

THOROUGH_EVERY = 64  # bills: so often the full audit looks, whatever the swift one says


class BillMaker:
    """
    Makes bills' documents; one that does not pass its reading back is not written.

    `store` is None where only the parent can write; it is then sent the bytes.
    """

    def __init__(
        self,
        copier: BillCopier,
        patterns: Patterns,
        neighbours: Neighbours,
        store: BillStore | None,
        verify_every: int,
    ) -> None:
        self._copier = copier
        self._patterns = patterns
        self._neighbours = neighbours
        self._store = store
        self._verify_every = verify_every

    def make(self, bills: Sequence[tuple[int, str, BillRange]]) -> list[dict[str, Any]]:
        """
        Return, for each bill with its place in the bulk file and its path, what became of it.

        When this returns, all of them are in the store to stay.
        """
        if self._store is None:
            return [self._made(index, bill)[0] for index, _, bill in bills]
        answers = []
        with self._store.batch() as batch:
            for index, path, bill in bills:
                answer, copy = self._made(index, bill)
                if not answer["finding"]:
                    batch.write(path, copy)
                answers.append(answer)
        return answers

    def _made(self, index: int, bill: BillRange) -> tuple[dict[str, Any], bytes]:
        copy, sha256 = self._copier.copy_with_sha256(bill.pages)
        findings: list[str] = []
        if index % self._verify_every == 0:
            is_thorough = index // self._verify_every % THOROUGH_EVERY == 0
            findings = read_back(
                copy, bill, self._patterns, self._neighbours, is_thorough=is_thorough
            )
        if findings:
            return {"finding": findings[0]}, b""
        answer = {"finding": "", "sha256": sha256, "bytes": len(copy)}
        if self._store is None:
            answer["copy"] = base64.b64encode(copy).decode()
        return answer, copy
