"""Step: the report."""

from __future__ import annotations

from datetime import UTC

from database.auditing import record_audit
from database.runs import get_run, move_run
from domain.runs import RunState
from domain.steps import Step
from office.wiring import office
from reporting.exceptions import list_exceptions
from reporting.page import write_page
from reporting.reading import read_run_sheet
from tasks.artifacts import link_report, show_exceptions, show_print_batch, show_report
from tasks.step import Done, step


@step(Step.REPORT)
def report_run(run: str) -> Done:
    """Write the report that a clerk reads in a minute and an auditor keeps; finish the run."""
    here = office()
    known = get_run(here.database, run)
    if known.state is not RunState.FINISHED:
        with here.database.writing() as books:
            move_run(books, run, "finished")
            record_audit(books, here.now(known), here.who, "finish", run)
    place = here.folder("reports") / f"close-{run}.html"
    write_page(
        place,
        read_run_sheet(here.database, run),
        list_exceptions(here.database, run),
        written_at=here.now(known).astimezone(UTC),
        version=here.version,
        rehearsal=here.rehearses,
    )
    show_exceptions(here.database, run)
    show_report(here.database, run)
    if not here.rehearses:  # its files are gone when it ends
        show_print_batch(here.database, run, here.home)
        link_report(run, place)
    return Done(f"reports/{place.name}", {"file": f"reports/{place.name}"})
