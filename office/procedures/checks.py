"""What the office wants of its checks: the settings, its own suite of figures, and the books."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from data_checks.choices.chosen import (
    ALL,
    ALWAYS,
    BLOCK,
    SEVERITIES,
    SEVERITY,
    CheckChoices,
    list_places,
    list_set,
    read_choices,
    require_check,
    require_choice,
    require_place,
)
from data_checks.choices.muting import mute
from data_checks.register.catalog import LIMITS
from data_checks.register.figures import ExpectedFigure
from data_checks.register.limits import Limits, LimitSet
from database.checking.tables import register_record
from database.runs import find_run
from database.tables import bill_run, period_close
from domain.failures import Misuse, Refused
from domain.money import Money
from office.equipment.office import Office
from reporting.private_files import replacing

SUITE = "register.toml"
FIGURES = ("lines", "total", "mean")
KEYS = ("figure", "service", "rate_code", "low", "high", "because")
COMMENTED = """\
# The office's own lines of the register's suite: what it expects of a figure, whatever was before.
# Each is judged with the figures of the months, at every close. figure is lines, total or mean;
# low and high are dollars (or lines), and one of them may be left out.
#
# [[expect]]
# figure = "mean"
# service = "WATER"
# rate_code = "WR"          # left out: the whole service
# low = "35.00"
# high = "75.00"
# because = "the rate of July"
"""


def choices_of(office: Office) -> CheckChoices:
    """Return what is in force; raises Misuse for a setting or a line that cannot be."""
    settings = settings_of(office)
    with office.database.reading() as books:
        return read_choices(books, settings, read_suite(office.home / SUITE))


def raised_checks(office: Office) -> frozenset[str]:
    """Return the checks that the office lets block, so that they may be waived by name."""
    severities = choices_of(office).severities
    return frozenset(name for name, chosen in severities.items() if chosen == BLOCK)


def settings_of(office: Office) -> tuple[LimitSet, ...]:
    """Return what the settings say of single checks; raises Misuse for what cannot be."""
    changes = tuple(_flat(office.settings.checks.own))
    for change in changes:
        try:
            require_choice(change.check, change.name, change.value)
        except (Misuse, Refused) as wrong:
            raise Misuse(f"[checks.{change.check}] in the settings: {wrong.message}") from None
    return changes


def _flat(own: dict[str, dict[str, Any]]) -> list[LimitSet]:
    changes = []
    for check, values in own.items():
        for name, value in values.items():
            if name == "classes" and isinstance(value, dict):
                for place, limits in value.items():
                    service, _, rate = place.partition("/")
                    changes += [
                        LimitSet(check, limit, str(one), service, rate)
                        for limit, one in dict(limits).items()
                    ]
            else:
                changes.append(LimitSet(check, name, str(value)))
    return changes


def read_suite(file: Path) -> tuple[ExpectedFigure, ...]:
    """Read the office's own lines of the suite; raises Misuse with the line and what is wrong."""
    if not file.is_file():
        return ()
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise Misuse(f"{file} is not readable as TOML: {wrong}.") from None
    if unknown := [key for key in document if key != "expect"]:
        raise Misuse(f"{file}: there is no [{unknown[0]}]; each line is an [[expect]].")
    return tuple(
        _expected(file, place, line) for place, line in enumerate(document.get("expect", ()), 1)
    )


def _expected(file: Path, place: int, line: dict[str, Any]) -> ExpectedFigure:
    where = f"{file}, [[expect]] {place}"
    if unknown := [key for key in line if key not in KEYS]:
        raise Misuse(f"{where}: there is no {unknown[0]}; it has {', '.join(KEYS)}.")
    figure, service = str(line.get("figure", "")), str(line.get("service", ""))
    if figure not in FIGURES or not service:
        raise Misuse(f"{where}: give figure ({', '.join(FIGURES)}) and service.")
    low, high = (_bound(where, figure, name, line) for name in ("low", "high"))
    if low is None and high is None:
        raise Misuse(f"{where}: give low, high or both; without a limit it would always hold.")
    if low is not None and high is not None and low > high:
        raise Misuse(f"{where}: low is above high.")
    rate_code, because = str(line.get("rate_code", "")), str(line.get("because", ""))
    return ExpectedFigure(figure, service, rate_code, low, high, because)


def _bound(where: str, figure: str, name: str, line: dict[str, Any]) -> float | None:
    """Read a limit; dollars are figures to compare with here, no amounts of the books."""
    if name not in line:
        return None
    written = str(line[name])
    try:
        return float(int(written)) if figure == "lines" else Money.parse(written).cents / 100
    except ValueError:
        kind = "number of lines" if figure == "lines" else 'amount such as "35.00"'
        raise Misuse(f"{where}: {name} is no {kind}.") from None


def choices_in_force(office: Office) -> list[dict[str, str]]:
    """Return every severity and limit with its value and where that comes from."""
    settings = settings_of(office)
    with office.database.reading() as books:
        set_in_books = list_set(books)
        billed = list_places(books)
    changed = {(c.check, c.name, c.service, c.rate_code): c for c in (*settings, *set_in_books)}
    rows = []
    for name, check in ALL.items():
        shipped = {word: one for one, word in zip(SEVERITIES, SEVERITIES.values(), strict=True)}
        started = {SEVERITY: shipped[check.severity]}
        known = LIMITS.get(name, {})
        started |= {limit: one.write(one.start) for limit, one in known.items()}
        for choice, start in started.items():
            says = known[choice].says if choice in known else "block, warn, fold or off"
            places = {(c.service, c.rate_code) for c in changed.values() if c.check == name}
            for service, rate in sorted({("", ""), *places}):
                one = changed.get((name, choice, service, rate))
                if one is None and service:
                    continue
                rows.append(
                    {
                        "check": name,
                        "for": "/".join(filter(None, (service, rate))),
                        "name": choice,
                        "value": one.value if one else start,
                        "source": _source(one, billed),
                        "meaning": says,
                    }
                )
    return rows


def _source(one: LimitSet | None, billed: Set[tuple[str, str]]) -> str:
    """Say where a limit comes from, and whether its service was ever billed."""
    if one is None:
        return "default"
    is_for_none = one.service and billed and (one.service, one.rate_code) not in billed
    return f"{one.source}; nothing was ever billed so" if is_for_none else one.source


def mute_account(
    office: Office,
    check: str,
    account: str,
    *,
    service: str = "",
    until: date,
    up_to: Money | None = None,
    reason: str,
) -> None:
    """Let a check's findings about an account be known until a day; raises what `mute` does."""
    require_check(check)
    with office.database.writing() as books:
        require_place(books, service)
        mute(
            books,
            check,
            account,
            service=service,
            until=until,
            up_to=up_to,
            reason=reason,
            today=office.local_today(),
            now=office.due_now(),
            who=office.who,
            always=ALWAYS,
        )


def write_register_files(office: Office, period: str) -> list[Path]:
    """Write what judged a period's figures for an auditor: the suite, the result and its page."""
    with office.database.reading() as books:
        kept = books.execute(
            sa.select(register_record).where(register_record.c.period == period)
        ).one_or_none()
    if kept is None:
        return []
    office.folder("register")
    folder = office.folder(f"register/{period}")
    files = {"suite.json": kept.suite, "result.json": kept.result, "figures.html": kept.page}
    for name, text in files.items():
        with replacing(folder / name) as file:
            file.write(text.encode("utf-8", errors="replace"))
    return [folder / name for name in files]


def newest_periods(office: Office, number: int) -> list[str]:
    """Return the newest closed periods, the newest first."""
    query = (
        sa.select(bill_run.c.period)
        .join(period_close, period_close.c.period == bill_run.c.period)
        .order_by(bill_run.c.ends_on.desc(), bill_run.c.period)
        .limit(number)
    )
    with office.database.reading() as books:
        return list(books.scalars(query))


@dataclass(frozen=True)
class TriedReview:
    """What a review of a period would find: rows by check, its bills, and months to compare."""

    found: Mapping[str, int]
    bills: int
    months: int


def try_review(office: Office, period: str, changes: Sequence[LimitSet] = ()) -> TriedReview:
    """
    Count what the review of a period finds with other limits; nothing is kept.

    Raises Misuse for a period that was not imported, and for a service that was never billed.
    """
    from data_checks.register.figures import count_months
    from data_checks.register.reviewing import count_bills, review_accounts

    if find_run(office.database, period) is None:
        raise Misuse(f"There is no period {period}; `billclose status` names the newest.")
    with office.database.reading() as books:
        for change in changes:
            require_place(books, change.service, change.rate_code)
        limits = Limits(LIMITS, [*settings_of(office), *list_set(books), *changes])
        register, found = review_accounts(books, period, limits)
    counted = {check: len(rows) for check, rows in found.items() if rows}
    return TriedReview(counted, count_bills(register), count_months(register))
