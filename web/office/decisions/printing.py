"""Print batches: who has them for the printer."""

from __future__ import annotations

from office.procedures.printing import mark_fetched
from web.office.decisions.deciding import DecidedRow, RowDecision, Way
from web.office.pages import page_of
from web.visits import Visit


def _fetch(visit: Visit, decided: DecidedRow) -> None:
    mark_fetched(visit.office, file=decided.key)


PRINTING: tuple[RowDecision, ...] = (
    RowDecision(
        page_of("print-batches"),
        "/office/print/fetched",
        "A print batch is fetched",
        "Say so once the file is with the printer: then nobody prints it a second time, and "
        "whoever takes the close back is told that the printer has to be stopped.",
        (Way("fetched", "I have it", "The print batch is marked as fetched.", _fetch),),
        asks_why=False,
    ),
)
