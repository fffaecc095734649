"""The register review beside the checks in SQL: one result for each name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from data_checks.check import Check, Finding
from data_checks.choices.chosen import CheckChoices
from data_checks.register.apart import Asked, review_apart
from data_checks.register.catalog import REGISTER, REVIEWED
from data_checks.register.reading import Register
from data_checks.register.reviewing import Review, review_accounts, review_figures
from database.books import Database, insert_rows
from database.checking.tables import register_figure, register_record
from database.tables import account

SHARED = frozenset(one.check.name for one in REGISTER if one.has_sql)


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A check with the rows that fail it, and the error if it crashed."""

    check: Check
    findings: tuple[Finding, ...]
    error: str = ""


Lines = tuple[Register, dict[str, list[Finding]]]  # a register and what was found of its lines
LARGE = 50_000  # accounts, from where a review costs less in a process of its own than its memory


def review_lines(
    database: Database, period: str, choices: CheckChoices, at: datetime
) -> Lines | Review:
    """
    Look at a period's lines and accounts with the limits in force; nothing is written.

    Of a large city all is reviewed, figures as well, in a process of its own: what it needs comes
    on top of what the steps before left with this one.
    """
    with database.reading() as books:
        if not _is_large(books, period):
            return review_accounts(books, period, choices.limits)
    return review_apart(Asked(database.url, period, choices.limits, at, choices.own_figures))


def review_register(lines: Lines | Review, choices: CheckChoices, at: datetime) -> Review:
    """Judge the figures of a register whose lines have been looked at; nothing is written."""
    if isinstance(lines, Review):
        return lines
    return review_figures(*lines, choices.limits, at=at, own=choices.own_figures)


def _is_large(books: Connection, period: str) -> bool:
    accounts = sa.select(sa.func.count()).where(account.c.period == period)
    return (books.scalar(accounts) or 0) >= LARGE


def merge_review(
    looked: Iterable[LookedAt], reviewed: Review, choices: CheckChoices
) -> list[LookedAt]:
    """
    Put the review's findings beside those in SQL.

    A name that both have is one check: the review says what is unusual of a line that has months
    of its own, season and weather taken off; SQL says it of all others. A negative usage counts
    whoever finds it.
    """
    merged = [
        replace(one, findings=_merged(one, reviewed)) if one.check.name in SHARED else one
        for one in looked
    ]
    for check in choices.as_chosen(REVIEWED):
        findings = reviewed.findings.get(check.name, ())
        merged.append(LookedAt(check, findings, reviewed.errors.get(check.name, "")))
    return merged


def _merged(one: LookedAt, reviewed: Review) -> tuple[Finding, ...]:
    own = reviewed.findings.get(one.check.name, ())
    told = {(finding.account_key, finding.service) for finding in own}
    is_fact = one.check.name == "usage-negative"
    rest = (
        finding
        for finding in one.findings
        if (finding.account_key, finding.service) not in (told if is_fact else reviewed.judged)
        and not (is_fact and not finding.service and finding.account_key in {k for k, _ in told})
    )
    return (*own, *rest)


_FIGURE = (
    *("period", "line", "check_name", "service", "rate_code", "figure"),
    *("value", "low", "high", "before", "passed", "sentence"),
)


def record_figures(database: Database, period: str, reviewed: Review) -> None:
    """Keep what the judge said of the figures, and its suite, result and page for an auditor."""
    judgement = reviewed.judgement
    with database.writing() as books:
        for table in (register_figure, register_record):
            books.execute(table.delete().where(table.c.period == period))
        if judgement is None:
            return
        rows = (
            (
                *(period, line, one.figure.check, one.figure.service, one.figure.rate_code),
                *(one.figure.figure, one.value, one.figure.low, one.figure.high),
                *(one.figure.before, one.passed, one.figure.sentence),
            )
            for line, one in enumerate(judgement.figures, start=1)
        )
        insert_rows(books, register_figure, _FIGURE, rows)
        books.execute(
            register_record.insert().values(
                period=period, suite=judgement.suite, result=judgement.result, page=judgement.page
            )
        )
