"""Whether the print files that nobody has fetched yet lie there as they were written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import sqlalchemy as sa

from database.tables import print_batch
from domain.words import say_count
from office.health.conditions import Condition, Looking, or_well, trouble, unwatched
from splitter.runs.print_plans import PrintFault, faults_of

KIND = "print-files-differ"


def differing_print_files(looking: Looking) -> list[Condition]:
    """
    Find periods with print files that are missing or changed before anybody has fetched them.

    Each file is read whole, so this is for the watch and not for a page. Where several machines
    share the books, only the one whose home has the period's folder can tell.
    """
    rows = print_batch.c
    waiting = sa.select(rows.period).where(rows.fetched_at.is_(None)).distinct()
    with looking.office.database.reading() as books:
        periods = list(books.scalars(waiting.order_by(rows.period)))
        is_shared = books.dialect.name != "sqlite"
        if is_shared:
            folder = looking.office.home / "print"
            periods = [period for period in periods if (folder / period).is_dir()]
        if not periods:
            return unwatched(KIND, "No print file waits here to be fetched.")
        found = {one: faults_of(books, looking.office.print_folder, one) for one in periods}
    return or_well(KIND, _differing(looking, found), "What waits for the printer is as written.")


def _differing(looking: Looking, found: dict[str, list[PrintFault]]) -> Iterator[Condition]:
    for period, faults in found.items():
        if not faults:
            continue
        counts: defaultdict[str, int] = defaultdict(int)
        for fault in faults:
            counts[fault.what] += 1
        said = " and ".join(f"{say_count(n, 'file')} {what}" for what, n in sorted(counts.items()))
        command = f"{looking.office.command} print {period}"
        yield trouble(
            KIND,
            period,
            looking.now,
            f"Of the print files of {period} that nobody has fetched: {said}.",
            "With the printer already? Say so; else have them written again.",
            command=f"{command} --fetched, or to have them written again: {command} --again",
        )
