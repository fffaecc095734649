"""Bills made in a child: copied, read back, and written where they belong."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from domain.bills import BillRange
from domain.failures import Refused
from splitter.copying import BillCopier
from splitter.filing import BillStore
from splitter.neighbours import Neighbours
from splitter.patterns import Patterns
from splitter.scrutiny import Scrutiny
from splitter.verifying import Examination, examine


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
        scrutiny: Scrutiny,
    ) -> None:
        self._copier = copier
        self._patterns = patterns
        self._neighbours = neighbours
        self._store = store
        self._scrutiny = scrutiny

    def make(self, bills: Sequence[tuple[int, str, BillRange]]) -> list[dict[str, Any]]:
        """
        Return, for each bill with its place in the bulk file and its path, what became of it.

        When this returns they are all in the store, to stay when the store has settled.
        """
        if self._store is None:
            return [self._made(index, bill)[0] for index, _, bill in bills]
        answers = []
        for index, path, bill in bills:
            answer, copy = self._made(index, bill)
            if not answer["finding"]:
                self._store.write_soon(path, copy)
            answers.append(answer)
        return answers

    def _made(self, index: int, bill: BillRange) -> tuple[dict[str, Any], bytes]:
        try:
            copy, sha256 = self._copier.copy_with_sha256(bill.pages)
        except Refused:  # the other bills are none the worse for it
            finding = "holds something that cannot be copied safely"
            return {"finding": finding, "read_back": False, "audited": False}, b""
        found = self._examined(index, bill, copy)
        answer: dict[str, Any] = {"read_back": found.is_read_back, "audited": found.is_audited}
        if found.findings:
            return answer | {"finding": found.findings[0]}, b""
        answer |= {"finding": "", "sha256": sha256, "bytes": len(copy)}
        if self._store is None:
            answer["copy"] = base64.b64encode(copy).decode()
        return answer, copy

    def _examined(self, index: int, bill: BillRange, copy: bytes) -> Examination:
        reads_back, audits = self._scrutiny.reads_back(index), self._scrutiny.audits(index)
        if not reads_back and not audits:
            return Examination()
        return examine(
            copy, bill, self._patterns, self._neighbours, reads_back=reads_back, audits=audits
        )
