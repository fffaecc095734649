"""Step: split the bulk bills."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from database.auditing import record_audit
from database.runs import finished_step, get_run, move_run
from domain.failures import Refused
from domain.steps import Step
from domain.words import say_count
from office.wiring import Office, office
from splitter.batches import forget_batches
from splitter.run_bills import SplitCounts, read_run, split_run
from splitter.run_records import staged_files
from splitter.scrutiny import say_scrutiny
from tasks.batches import split_in_batches
from tasks.progress import progress_of
from tasks.step import Done, step


@step(Step.SPLIT, once=True)
def split_bulk_bills(run: str) -> Done:
    """File one document for each bill, every page accounted for once (rules 11-13)."""
    here = office()
    known = get_run(here.database, run).run
    is_alone = here.settings.workers.task_runner == "threads" or here.rehearses
    with _refusing(here, run):
        counts = _split_alone(here, known) if is_alone else split_in_batches(here, known)
    return Done(_sentence(counts), asdict(counts))


@step(Step.READ)
def read_bulk_bills(run: str) -> Done:
    """Find out which page belongs to whom, so that the checks can look; nothing is written."""
    here = office()
    if finished_step(here.database, run, Step.SPLIT) is not None:
        return Done("split before")
    with _refusing(here, run):
        counts = read_run(
            here.database,
            get_run(here.database, run).run,
            exports_folder=here.exports_folder,
            processes=here.settings.splitter.processes or None,
            progress=progress_of(Step.READ, run),
            ocr=here.settings.splitter.ocr,
        )
    return Done(_sentence(counts), asdict(counts))


def _split_alone(here: Office, run: str) -> SplitCounts:
    forget_batches(here.database, run)  # of a close that was begun with other machines
    return split_run(
        here.database,
        run,
        here.store,
        exports_folder=here.exports_folder,
        processes=here.settings.splitter.processes or None,
        progress=progress_of(Step.SPLIT, run),
        scrutiny=here.scrutiny,
        ocr=here.settings.splitter.ocr,
    )


@contextmanager
def _refusing(here: Office, run: str) -> Iterator[None]:
    """Note that a bulk file is not sound, so that a corrected export may take its place."""
    try:
        yield
    except Refused as refusal:
        known = get_run(here.database, run)
        message = _named_as_exported(here, run, refusal.message)
        with here.database.writing() as books:
            move_run(books, run, "refused")
            record_audit(books, here.now(known), here.who, "refuse", run, message)
        raise Refused(refusal.code, message) from None


def _named_as_exported(here: Office, run: str, message: str) -> str:
    """Call a staged file what the clerk knows it by."""
    for file in staged_files(here.database, run, here.exports_folder):
        if message.startswith(f"{file.path.name} "):
            return file.patterns.file + message.removeprefix(file.path.name)
    return message


def _sentence(counts: SplitCounts) -> str:
    sentence = f"{say_count(counts.pages, 'page')}, {say_count(counts.bills, 'bill')}"
    if counts.separators:
        sentence += f", {say_count(counts.separators, 'separator')}"
    if counts.unassigned:
        sentence += f", {counts.unassigned} unassigned"
    if counts.by_ocr:
        sentence += f", {say_count(counts.by_ocr, 'page')} read by OCR"
    if counts.read_back or counts.audited:
        sentence += f"; {say_scrutiny(counts.read_back, counts.audited)}"
    return sentence
