"""What a clerk should know of a split besides what needs a person: likely slips of the call."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from domain.words import say_count

if TYPE_CHECKING:
    from command_line.split_figures import SplitFigures


def notes(figures: SplitFigures) -> list[str]:
    """Return sentences about patterns that found nothing and files that were there before."""
    bills = figures.assignment.bills
    if not bills:
        file = shlex.quote(str(figures.file))
        return [
            "No page names an account as --account says, so there is nothing to write;"
            f" `billclose pattern {file}` shows the text and likely patterns."
        ]
    told = []
    if figures.asked_amount and all(bill.amount_due is None for bill in bills):
        told.append("No bill shows an amount due as --amount-due says.")
    if figures.asked_due_date and all(bill.due_on is None for bill in bills):
        told.append("No bill shows a due date as --due-date says.")
    return told + _of_folder(figures)


def _of_folder(figures: SplitFigures) -> list[str]:
    if figures.outcome is None or not figures.before:
        return []
    written = {bill.path for bill in figures.outcome.bills}
    told = []
    if replaced := len(written & figures.before):
        told.append(
            f"{say_count(replaced, 'file')} of that name in {figures.folder} were replaced."
        )
    if others := len(figures.before - written):
        told.append(
            f"{say_count(others, 'other file')} in {figures.folder} were there before and are not"
            " of this run."
        )
    return told
