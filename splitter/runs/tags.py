"""What is told of bills that whoever has them read aloud gets without structure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from domain.bills import Tagging
from domain.problems import Problem
from domain.words import say_count
from splitter.runs.records import TAGS_PROBLEM, StagedFile

_LOST = {
    Tagging.INCOMPLETE: "do not match what their pages show",
    Tagging.UNREADABLE: "are not a tree that can be read",
}


def tag_problems(file: StagedFile, tagging: Mapping[Tagging, int]) -> list[Problem]:
    """
    Return a sentence for a bulk file without tags, or for each way in which bills lost theirs.

    What a public body shows on its site must be readable by all (28 CFR 35.200, ruling 23); a
    source without tags has neither headings nor tables nor an order of reading.
    """
    name = file.patterns.file
    told = []
    if count := tagging.get(Tagging.NONE, 0):
        told.append(
            f"{name} is not tagged: {say_count(count, 'bill')} "
            f"{'goes' if count == 1 else 'go'} out without the structure that screen readers "
            "read by"
        )
    told += [
        f"{name}: the tags of {say_count(tagging[reason], 'bill')} {said} ({reason.value}); "
        f"{'it goes' if tagging[reason] == 1 else 'they go'} out without"
        for reason, said in _LOST.items()
        if tagging.get(reason, 0)
    ]
    return [Problem(TAGS_PROBLEM, f"{said}.", file=name) for said in told]


def source_tagging(bills: int, *, is_tagged: bool) -> Counter[Tagging]:
    """Return what is known of a file's bills before any is copied."""
    return Counter() if is_tagged else Counter({Tagging.NONE: bills})
