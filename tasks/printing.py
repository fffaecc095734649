"""Step: write the print batch."""

from __future__ import annotations

from database.runs import get_run
from domain.steps import Step
from domain.words import say_count
from office.wiring import office
from splitter.run_paper import write_paper_bills
from tasks.step import Done, step


@step(Step.PRINT, once=True)
def write_print_batch(run: str) -> Done:
    """Put the bills of those who get paper into one PDF a form, in ZIP-code order."""
    here = office()
    known = get_run(here.database, run)
    here.print_folder.delete_run(run)  # what a kill left half written
    bills, pages, files = write_paper_bills(
        here.database,
        run,
        here.print_folder,
        exports_folder=here.exports_folder,
        now=here.now(known),
    )
    sentence = f"{say_count(bills, 'bill')}, {say_count(pages, 'page')}"
    return Done(sentence, {"bills": bills, "pages": pages, "files": files})
