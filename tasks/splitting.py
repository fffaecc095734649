"""Step: split the bulk bills."""

from __future__ import annotations

from dataclasses import asdict

from database.runs import finished_step, get_run
from domain.steps import Step
from office.wiring import office
from splitter.run_bills import SplitCounts, read_run, split_run
from tasks.step import Done, step


@step(Step.SPLIT, once=True)
def split_bulk_bills(run: str) -> Done:
    """File one document for each bill, every page accounted for once (rules 11-13)."""
    here = office()
    counts = split_run(
        here.database,
        get_run(here.database, run).run,
        here.store,
        exports_folder=here.exports_folder,
        processes=here.settings.splitter.processes or None,
        progress=lambda done, total: here.reporter.move(Step.SPLIT, done, total),
    )
    return Done(_sentence(counts), asdict(counts))


@step(Step.READ)
def read_bulk_bills(run: str) -> Done:
    """Find out which page belongs to whom, so that the checks can look; nothing is written."""
    here = office()
    if finished_step(here.database, run, Step.SPLIT) is not None:
        return Done("split before")
    counts = read_run(
        here.database,
        get_run(here.database, run).run,
        exports_folder=here.exports_folder,
        processes=here.settings.splitter.processes or None,
        progress=lambda done, total: here.reporter.move(Step.READ, done, total),
    )
    return Done(_sentence(counts), asdict(counts))


def _sentence(counts: SplitCounts) -> str:
    sentence = f"{counts.pages:,} pages, {counts.bills:,} bills"
    if counts.separators:
        sentence += f", {counts.separators} separators"
    if counts.unassigned:
        sentence += f", {counts.unassigned} unassigned"
    return sentence
