"""The review of a period's register: is this month like the months before?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy.engine import Connection

from data_checks.check import Finding
from data_checks.register.account_looks import look_at_accounts
from data_checks.register.figures import (
    ExpectedFigure,
    Figure,
    count_months,
    list_figures,
    list_lines,
    values_of,
)
from data_checks.register.judging import Judged, JudgedRegister, judge_figures
from data_checks.register.limits import Limits
from data_checks.register.looking import UnusualLines, look
from data_checks.register.reading import SERVICES, Register, read_register
from data_checks.register.tariff import add_prices
from data_checks.register.usual import ENOUGH, add_usual
from domain.money import Money

BY_STAKE = frozenset(
    {"usage-outlier", "usage-low", "usage-zero", "usage-empty", "usage-negative", "leak-suspected"}
)
BY_AMOUNT = frozenset(
    {"service-dropped", "service-added", "charge-doubled", "closed-account-used", "bill-copied"}
)
FOR_FIGURES = frozenset(
    {
        *("account_key", "service", "account_place", "service_place", "pair", "months", "length"),
        *("rate", "rate_place", "amount", "amount_before", "usage", "usage_before"),
        *("current_read", "current_read_before", "read_type", "read_type_before"),
    }
)


@dataclass(frozen=True)
class Review:
    """
    What a review found, by check, and which lines it could judge by their own history.

    `errors` are checks of figures that crashed: nothing is known of them.
    """

    findings: Mapping[str, tuple[Finding, ...]]
    judged: Container[tuple[str, str]]  # account_key and service
    judgement: JudgedRegister | None
    errors: Mapping[str, str]
    bills: int
    months: int  # that there are to compare with


def review_accounts(
    books: Connection, period: str, limits: Limits
) -> tuple[Register, dict[str, list[Finding]]]:
    """Look at every line and account of a period; the figures are judged apart."""
    register = read_register(books, period)
    found: dict[str, list[Finding]] = {}
    if len(register.frame):
        add_prices(add_usual(register))
        _add_lines(found, register, look(register.frame, limits))
    for check, finding in look_at_accounts(books, period, register.accounts, limits):
        found.setdefault(check, []).append(finding)
    return register, found


def review(
    books: Connection,
    period: str,
    limits: Limits,
    *,
    at: datetime,
    own: tuple[ExpectedFigure, ...] = (),
) -> Review:
    """
    Review a period: its lines and accounts by our frame, its figures by the framework.

    Without any month before, what needs one is not compared, and is no finding.
    """
    register, found = review_accounts(books, period, limits)
    return review_figures(register, found, limits, at=at, own=own)


def review_figures(
    register: Register,
    accounts: Mapping[str, list[Finding]],
    limits: Limits,
    *,
    at: datetime,
    own: tuple[ExpectedFigure, ...] = (),
) -> Review:
    """Judge the figures of a register whose lines and `accounts` have been looked at."""
    found = {check: list(rows) for check, rows in accounts.items()}
    errors: dict[str, str] = {}
    judgement = None
    if len(register.frame):
        _leave(register.frame, FOR_FIGURES)  # a city's frame is its largest memory
        figures = list_figures(register, limits, own)
        lines = list_lines(register)
        if figures and len(lines):
            period = register.period.period
            judgement = judge_figures(lines, figures, period=period, at=at)
            _add_figures(found, errors, judgement, values_of(lines), limits)
    return Review(
        {check: _in_order(rows) for check, rows in found.items()},
        JudgedLines(register),
        judgement,
        errors,
        count_bills(register),
        count_months(register),
    )


def _leave(frame: pd.DataFrame, names: Collection[str]) -> None:
    """Drop all other columns, in place."""
    for name in frame.columns.difference(list(names)):
        del frame[name]


def count_bills(register: Register) -> int:
    now = register.frame["amount"].notna()
    return int(register.frame.loc[now, "account_place"].nunique())


class JudgedLines(Container[tuple[str, str]]):
    """
    The accounts and services whose lines could be judged by their own history.

    It is asked for few of them, and a pair of words for each of a city's lines takes 100 MB.
    """

    def __init__(self, register: Register) -> None:
        frame = register.frame
        self._accounts = register.accounts.index
        self._services = {name: place for place, name in enumerate(frame["service"].cat.categories)}
        known = np.zeros(len(frame), bool)
        if "months" in frame:
            known = ((frame["months"] >= ENOUGH) & frame["amount"].notna()).to_numpy()
        self._pairs = np.unique(frame["pair"].to_numpy()[known])

    def __contains__(self, line: object) -> bool:
        """Say whether a line was judged: its account's key and its service."""
        if not isinstance(line, tuple) or len(line) != 2:
            return False
        try:
            account: Any = self._accounts.get_loc(line[0])
            pair = account * SERVICES + self._services[line[1]]
        except KeyError:
            return False
        place = np.searchsorted(self._pairs, pair)
        return bool(place < len(self._pairs) and self._pairs[place] == pair)


def _in_order(rows: list[Finding]) -> tuple[Finding, ...]:
    """Put most at stake first; an account's findings of one check are one, with its lines named."""
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                -abs(row.stake.cents) if row.stake is not None else 0,
                row.account_key,
                row.service,
                row.detail,
            ),
        )
    )


def _add_lines(found: dict[str, list[Finding]], register: Register, looked: UnusualLines) -> None:
    told = {
        check: np.nonzero(np.asarray(claim.fillna(False), bool))[0]
        for check, claim in looked.claims.items()
    }
    all_told = sorted(set().union(*(set(one.tolist()) for one in told.values())))
    rows = _rows_at(register, all_told)
    uses = dict(zip(all_told, register.usage.of(all_told), strict=True))
    for check, places in told.items():
        blocking = looked.blocking.get(check)
        for place in places.tolist():
            blocks = blocking is not None and bool(blocking.iloc[place])
            finding = _to_finding(check, rows[place], uses[place], blocks=blocks)
            found.setdefault(check, []).append(finding)
    for check, sentences in looked.in_all.items():
        found.setdefault(check, []).extend(Finding("", "", sentence) for sentence in sentences)
    found["closed-account-used"] = _one_an_account(found.get("closed-account-used", []))


def _rows_at(register: Register, places: Sequence[int]) -> dict[int, dict[Hashable, Any]]:
    """Take what was found out of the frame at once: row by row is ten times the work."""
    rows = register.frame.iloc[list(places)]
    rows = rows.assign(
        account=register.accounts["account"].to_numpy()[rows["account_place"]],
        **{name: register.meters[rows[name]] for name in ("meter", "meter_before")},
    )
    return dict(zip(places, rows.to_dict("records"), strict=True))


def _one_an_account(rows: list[Finding]) -> list[Finding]:
    return list({row.account_key: row for row in reversed(rows)}.values())


def _to_finding(check: str, row: Any, uses: Any, *, blocks: bool) -> Finding:
    months = tuple(None if np.isnan(use) else round(float(use), 1) for use in uses)
    meter = row["meter"] or row["meter_before"]
    return Finding(
        account_key=row["account_key"],
        account=row["account"],
        detail=f"{row['service']}: {_SAYS.get(check, _say_amount)(row)}",
        blocks=blocks,
        service=row["service"],
        meter=meter if isinstance(meter, str) else "",
        stake=_stake(check, row),
        months=months if row["usage"] == row["usage"] or row["usage_before"] >= 0 else (),
    )


def _stake(check: str, row: Any) -> Money | None:
    """Return the money at stake in whole cents, as a figure to sort a list by."""
    if check in BY_STAKE:
        value = row["stake"]
    elif check == "price-unlike-others":
        off = row["off"]
        value = off if np.isfinite(off) else row["amount"] - row["own_price"]
    elif check in BY_AMOUNT:
        value = row["amount"] if row["amount"] == row["amount"] else row["amount_before"]
        value = value / max(row["lines"], 1) if check == "charge-doubled" else value
    else:
        return None
    return None if value is None or not np.isfinite(value) else Money(round(float(value)))


def _quantity(value: float) -> str:
    return "nothing" if not np.isfinite(value) else f"{value:,.1f}".removesuffix(".0")


def _say_use(row: Any) -> str:
    unit = ""
    return f"{_quantity(row['usage'])} used{unit}, expected is {_quantity(row['expected'])}"


def _say_reads(row: Any) -> str:
    reads = f"{_quantity(row['previous_read'])} to {_quantity(row['current_read'])}"
    return f"{_quantity(row['usage'])} used, the reads are {reads}"


def _say_apart(row: Any) -> str:
    last = _quantity(row["current_read_before"])
    return f"the previous read is {_quantity(row['previous_read'])}, last time it was {last}"


def _say_meter(row: Any) -> str:
    return f"meter {row['meter']}" + (
        f", before {row['meter_before']}" if row["meter_before"] not in ("", row["meter"]) else ""
    )


def _say_estimated(_row: Any) -> str:
    return "estimated for the third time in a row"


def _say_rate(row: Any) -> str:
    return f"rate {row['rate_code']}, last time {row['rate_code_before']}"


def _dollars(cents: float) -> str:
    return Money(round(float(cents))).dollars() if np.isfinite(cents) else "nothing"


def _say_amount(row: Any) -> str:
    now, before = _dollars(row["amount"]), _dollars(row["amount_before"])
    return f"{now} billed, {before} last time"


def _say_price(row: Any) -> str:
    use = "" if not np.isfinite(row["usage"]) else f" for {_quantity(row['usage'])} used"
    others = f"others {_dollars(row['like_others'])}"
    if not np.isfinite(row["like_others"]):
        others = f"by what it follows {_dollars(row['own_price'])}"
    return f"{_dollars(row['amount'])} billed{use}, {others}"


def _say_twice(row: Any) -> str:
    return f"{int(row['lines'])} times {_dollars(row['amount'] / row['lines'])}"


_SAYS: Mapping[str, Callable[[Any], str]] = {
    "usage-outlier": _say_use,
    "usage-low": _say_use,
    "usage-zero": _say_use,
    "usage-empty": _say_use,
    "leak-suspected": _say_use,
    "usage-same": _say_use,
    "closed-account-used": _say_use,
    "usage-negative": _say_reads,
    "usage-not-the-reads": _say_reads,
    "bill-copied": _say_amount,
    "reads-apart": _say_apart,
    "meter-duplicate": _say_meter,
    "meter-changed": _say_meter,
    "estimated-again": _say_estimated,
    "rate-changed": _say_rate,
    "price-unlike-others": _say_price,
    "charge-doubled": _say_twice,
}


def _add_figures(
    found: dict[str, list[Finding]],
    errors: dict[str, str],
    judgement: JudgedRegister,
    shares: Mapping[str, float],
    limits: Limits,
) -> None:
    for judged in judgement.figures:
        check = judged.figure.check
        if judged.error:
            errors[check] = judged.error
        elif not judged.passed and not _is_told_elsewhere(judged):
            blocks = check == "last-month-again" and (
                shares["same_reads"] > limits.of(check, "share")
            )
            detail = f"{judged.figure.sentence}; it is {say_value(judged.figure, judged.value)}"
            found.setdefault(check, []).append(Finding("", "", detail, blocks=blocks))


def _is_told_elsewhere(judged: Judged) -> bool:
    """Where no line is left, the number of lines says so."""
    return judged.value is None and judged.figure.figure in ("total", "mean", "share")


def say_value(figure: Figure, value: float | None) -> str:
    """Write a figure's value as its kind has it."""
    if value is None:
        return "nothing"
    if figure.figure == "lines":
        return f"{value:,.0f}"
    return f"{value:.2%}" if figure.figure in ("share", "same") else f"${value:,.2f}"
