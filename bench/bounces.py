"""
How many returned mails of real servers are read right: `python -m bench.bounces CORPUS`.

The corpus is a folder of .eml files with `expected.jsonl` (what Sisimai reads out of each); it is
no part of this project. Writes results/bounces.json and results/bounces.md.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.writing import RESULTS
from mail.bounces.reading import ParsedBounce, read_returned
from rules.mail.bounces import judge

NO_FAILURE = frozenset({"feedback", "vacation", "delivered"})


@dataclass(frozen=True, slots=True)
class Case:
    """One mail: what it is, and what was read."""

    reasons: frozenset[str]
    is_hard: bool
    returned: ParsedBounce

    @property
    def is_failure(self) -> bool:
        return bool(self.reasons - NO_FAILURE)

    @property
    def is_recognized(self) -> bool:
        told = any(one.action in ("failed", "delayed") for one in self.returned.reports)
        return told and not self.returned.is_answer

    @property
    def is_judged(self) -> bool:
        """Tell whether it says enough that no person has to judge it."""
        return self.is_recognized and any(one.status for one in self.returned.reports)

    @property
    def suppresses(self) -> bool:
        words = self.returned.in_words
        return any(
            judge(one.action, one.status, one.diagnostic, in_words=words).suppresses
            for one in self.returned.reports
        )


def main() -> None:
    cases = list(read_cases(Path(sys.argv[1])))
    counts = count(cases)
    (RESULTS / "bounces.json").write_text(json.dumps(counts, indent=1) + "\n")
    (RESULTS / "bounces.md").write_text(to_table(counts))
    print(to_table(counts))


def read_cases(corpus: Path) -> Iterator[Case]:
    for line in (corpus / "expected.jsonl").read_text().splitlines():
        row: dict[str, Any] = json.loads(line)
        outcomes = row["outcomes"]
        if outcomes:  # what the oracle reads nothing out of says nothing of us
            yield Case(
                frozenset(outcome["reason"] for outcome in outcomes),
                all(outcome["hard"] for outcome in outcomes),
                read_returned((corpus / row["file"]).read_bytes()),
            )


def count(cases: list[Case]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for case in cases:
        if case.is_failure:
            counted["failures"] += 1
            counted["failures recognized"] += case.is_recognized
            counted["failures judged without a person"] += case.is_judged
            counted["of these in words alone"] += case.is_judged and case.returned.in_words
            counted["mailboxes that are gone"] += case.is_hard
            counted["of these suppressed at once"] += case.is_hard and case.suppresses
            counted["other failures"] += not case.is_hard
            counted["of these suppressed, too"] += not case.is_hard and case.suppresses
        else:
            counted["feedback, vacation, delivered"] += 1
            counted["of these taken for a failure"] += case.is_recognized
            counted["complaints"] += "feedback" in case.reasons
            counted["complaints known as such"] += case.returned.is_complaint
    return dict(counted)


def to_table(counts: dict[str, int]) -> str:
    lines = [
        "# Returned mails of real servers",
        "",
        "Half of sisimai/set-of-emails (BSD 2-clause), measured by what Sisimai 5.1 says of each.",
        "A mail in words alone fails its delivery where our signed sender is in it; it suppresses",
        "nobody. Feedback that is no complaint (DMARC, authentication) is among the complaints.",
        "",
        "| mails | number |",
        "| --- | ---: |",
    ]
    lines += [f"| {what} | {number:,} |" for what, number in counts.items()]
    share = counts["failures recognized"] / counts["failures"]
    return "\n".join([*lines, f"| **recognized** | **{share:.1%}** |", ""])


if __name__ == "__main__":
    main()
