"""Steps: write the print batch; write its next part for bills that came back later."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from prefect import task
from prefect.cache_policies import NO_CACHE

from database.auditing import record_audit
from database.runs import finished_step, get_run
from domain.failures import Misuse, Refused
from domain.steps import Step
from domain.words import say_count
from mail.falling_back import waiting_runs
from office import locking
from office.wiring import Office, office
from rules.printing import is_part_due
from splitter.documents import fetch_documents
from splitter.run_paper import PrintPart, last_later_part, write_next_part, write_paper_bills
from tasks.step import Done, step


@step(Step.PRINT, once=True)
def write_print_batch(run: str) -> Done:
    """Put the bills of those who get paper into one PDF a form, in ZIP-code order."""
    here = office()
    known = get_run(here.database, run)
    if last_later_part(here.database, run) is None:
        here.print_folder.delete_run(run)  # what a kill left half written
    part = write_paper_bills(
        here.database,
        run,
        here.print_folder,
        exports_folder=here.exports_folder,
        now=here.now(known),
    )
    sentence = f"{say_count(part.bills, 'bill')}, {say_count(part.pages, 'page')}"
    return Done(sentence, {"bills": part.bills, "pages": part.pages, "files": list(part.files)})


@task(name="write next print parts", cache_policy=NO_CACHE, persist_result=False)
def write_next_parts(period: str | None = None, *, asked: bool = True) -> dict[str, Any]:
    """
    Print what came back since the last part, each period's bills in a part of their own.

    Unless a person asks for it, a period gets one part a day: a print office wants one job, not
    one for each mail. Gives the parts written and the bills that still wait, each with why. Raises
    Refused where the one period asked for has to wait, Misuse where there is none or its bulk file
    is on another machine alone.
    """
    here = office()
    with here.database.reading() as books:
        waiting = waiting_runs(books)
    chosen = waiting if period is None else {period: waiting.get(period, 0)}
    parts, left = [], []
    for run, bills in chosen.items():
        try:
            _require_now(here, run, asked=asked)
            part = _write_next_part(here, run)
        except (Refused, Misuse) as refusal:
            if period is not None:
                raise
            left.append({"period": run, "bills": bills, "why": refusal.message})
        else:
            parts += [{"period": run, **asdict(part)}] if part.bills else []
    return {"parts": parts, "waiting": left}


def _require_now(here: Office, run: str, *, asked: bool) -> None:
    """Raise Refused that says why a period's bills have to wait, if they have to."""
    known = get_run(here.database, run)
    if finished_step(here.database, run, Step.PRINT) is None:
        raise Refused(
            "not-printed",
            f"The close of {run} has not written its own print batch yet; "
            f"{here.command} close {run} does, and takes these bills along.",
        )
    last = last_later_part(here.database, run)
    written_on = None if last is None else last.astimezone(ZoneInfo(known.timezone)).date()
    if not asked and not is_part_due(written_on, here.today(known)):
        raise Refused(
            "part-written",
            f"Today's part of {run} is written; {here.command} print {run} writes another one.",
        )


def _write_next_part(here: Office, run: str) -> PrintPart:
    known = get_run(here.database, run)
    with locking.working_on(here, run):
        fetch_documents(here.database, run, here.store, here.exports_folder)
        part = write_next_part(
            here.database,
            run,
            here.print_folder,
            exports_folder=here.exports_folder,
            now=here.now(known),
        )
    if part.bills:
        detail = f"part {part.number}: {say_count(part.bills, 'bill')}"
        with here.database.writing() as books:
            record_audit(books, here.now(known), here.who, "write print part", run, detail)
    return part
