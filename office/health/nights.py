"""Do the nights go on: the rounds that look for work, and the events of our own Prefect server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from database.tables import look_round
from domain.troubles import say_work
from domain.words import say_count
from office.health.conditions import Condition, Looking, or_well, trouble, unwatched

ROUNDS, EVENTS = "rounds-silent", "events-lost"
INTERVALS = 3  # so many looks in a row that did not happen are a trouble
LEAST = timedelta(minutes=5)  # a machine that starts again takes a while
DEAD_LETTERS = "dlq"  # of Prefect's home: where it leaves events that it cannot write


def silent_rounds(looking: Looking) -> list[Condition]:
    """Find the looks that have not happened for too long, on whichever machine they go round."""
    with looking.office.database.reading() as books:
        rows = list(books.execute(sa.select(look_round).order_by(look_round.c.look)))
    if not rows or not looking.office.settings.prefect.schedules:
        return unwatched(ROUNDS, "Nothing goes round by itself here.")
    return or_well(ROUNDS, _silent(looking, rows), "The rounds go on.")


def _silent(looking: Looking, rows: list[sa.Row[tuple[object, ...]]]) -> Iterator[Condition]:
    for row in rows:
        patience = max(INTERVALS * timedelta(minutes=row.every_minutes), LEAST)
        if looking.looked_until - row.looked_at > patience:
            yield trouble(
                ROUNDS,
                row.look,
                row.looked_at,
                f"Nobody has looked whether {say_work(row.look)} has something to do since "
                f"{looking.say_time(row.looked_at)}.",
                "Ask whoever looks after the machine to see that billclose runs there.",
                command=f"{looking.office.command} up, or where a worker carries the flows out: "
                f"{looking.office.command} rounds",
            )


def lost_events(looking: Looking) -> list[Condition]:
    """
    Find events that a Prefect server of this machine could not write: what watches missed them.

    It is our own, in the home, or the one of a bigger office whose PREFECT_HOME the rounds know.
    """
    ours = looking.office.home / "prefect"
    homes = {ours, Path(os.environ.get("PREFECT_HOME") or ours)}
    folders = [home / DEAD_LETTERS for home in homes if (home / DEAD_LETTERS).is_dir()]
    if not folders:
        return unwatched(EVENTS, "No event was ever lost here.")
    ages = [age for folder in folders for age in _ages(folder)]
    if not ages:
        return or_well(EVENTS, ())
    since = datetime.fromtimestamp(min(ages), UTC)
    detail = f"The Prefect server could not write {say_count(len(ages), 'event')}; an alert that "
    detail += "waits for them may not come."
    remedy = "Look into the server's log for why (a full disk, a locked database); "
    remedy += f"put that right and delete the files in {' and '.join(map(str, sorted(folders)))}."
    return [trouble(EVENTS, "", since, detail, remedy)]


def _ages(folder: Path) -> list[float]:
    """Return when each file of a folder was written; of one that is not to be read, none."""
    try:
        return [file.stat().st_mtime for file in folder.iterdir() if file.is_file()]
    except OSError:
        return []
