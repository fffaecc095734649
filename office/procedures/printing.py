"""The next part of a period's print batches."""

from __future__ import annotations

from database.audit import record_audit
from database.runs import get_run
from domain.words import say_count
from office.equipment import locking
from office.equipment.office import Office
from splitter.runs.print_batch import PrintPart, write_next_part
from splitter.runs.records import fetch_documents


def write_waiting_part(office: Office, period: str) -> PrintPart:
    """Print the bills of a period that wait, in a part of their own; none: nothing is written."""
    known = get_run(office.database, period)
    with locking.working_on(office, period):
        fetch_documents(office.database, period, office.store, office.exports_folder)
        part = write_next_part(
            office.database,
            period,
            office.print_folder,
            exports_folder=office.exports_folder,
            now=office.now(known),
        )
    if part.bills:
        detail = f"part {part.number}: {say_count(part.bills, 'bill')}"
        with office.database.writing() as books:
            now = office.now(known)
            record_audit(books, now, office.who, "write print part", period, detail)
    return part
