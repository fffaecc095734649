"""What the bills of a run say of themselves: title and language, and whether tags are kept."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from database.books import Database
from database.tables import bill_run
from domain.languages import say_month
from splitter.copying.labels import CopyLabels
from splitter.runs.records import StagedFile

LANGUAGE = "en-US"


@dataclass(frozen=True, slots=True)
class LabelTerms:
    """How the office labels its bills; the language is that of sources that do not say theirs."""

    language: str = LANGUAGE
    keeps_tags: bool = True


USUAL_LABELS = LabelTerms()


def labels_of(
    database: Database, period: str, files: list[StagedFile], terms: LabelTerms
) -> list[CopyLabels]:
    """
    Return what the bills of each bulk file say of themselves.

    The title names the form, the utility and the month, and never a customer: it is the same for
    all bills of a file (WCAG 2.1, 2.4.2 and 3.1.1; ruling 23).
    """
    query = sa.select(bill_run.c.utility, bill_run.c.ends_on).where(bill_run.c.period == period)
    with database.reading() as books:
        run = books.execute(query).one()
    return [
        CopyLabels(
            f"{_words(file.patterns.form)}, {run.utility}, {say_month(run.ends_on)}",
            terms.language,
            terms.keeps_tags,
        )
        for file in files
    ]


def _words(form: str) -> str:
    """Write a form's name as a title begins: `utility-bill` is a Utility bill."""
    words = form.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
