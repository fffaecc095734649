"""This month's figures of services and rates, and the band that each may lie in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data_checks.register.limits import Limits
from data_checks.register.reading import HISTORY, Register

CANCELS = 0.1  # of the lines with the other sign, from where a sum is of no meaning
FEWEST = 30  # lines, below which a class is too small to have a usual
ALIKE = 0.005  # so near two rises are one
TAXES = ("TAX", "TAXES", "SALES TAX", "UTILITY TAX")


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One figure with its band: dollars, lines or a share; statistics, and no amounts of the books.

    `column` and `where` say where the judge finds it in the frame of lines: which column, of which
    service and class (None: all).
    """

    check: str
    service: str
    rate_code: str
    figure: str  # lines, total, mean, share, same
    column: str
    low: float | None
    high: float | None
    before: float | None
    sentence: str

    @property
    def name(self) -> str:
        return f"{self.service}/{self.rate_code}" if self.rate_code else self.service


@dataclass(frozen=True, slots=True)
class ExpectedFigure:
    """A line of the office's own suite: what it expects of a figure, whatever was before."""

    figure: str
    service: str
    rate_code: str = ""
    low: float | None = None
    high: float | None = None
    because: str = ""


def list_lines(register: Register) -> pd.DataFrame:
    """Return this month's lines as the judge reads them; dollars as float64, or cents get lost."""
    frame = register.frame
    rates: Any = [f"{service}/{rate}" for service, rate in _rates(frame)]
    rate_places: Any = frame["rate_place"]
    lines = pd.DataFrame(
        {
            # a judge asks for each name in turn: words that are numbered are found at once
            "service": frame["service"],
            "rated": pd.Categorical.from_codes(rate_places, rates),
            "amount": register.amount[-1].astype("f8") / 100,
        }
    )
    same_use = frame["usage"] == frame["usage_before"]
    repeated = (frame["amount"] == frame["amount_before"]) & same_use & (frame["usage"] > 0)
    told = frame["usage"].notna() & frame["usage_before"].notna()
    lines["same"] = repeated.astype("f8").where(told)
    reads = repeated & (frame["current_read"] == frame["current_read_before"])
    lines["same_reads"] = reads.astype("f8").where(told)
    lines["penalized"] = _penalized_now(register)
    lines["estimated"] = (frame["read_type"] == "estimated").astype("f8")
    for name in _taxes(frame):
        share = _tax_shares(register, name)
        lines[f"share_{name}"] = np.where(frame["service"] == name, share[-1], np.nan)
    return lines[lines["amount"].notna()].reset_index(drop=True)


def list_figures(
    register: Register, limits: Limits, own: tuple[ExpectedFigure, ...] = ()
) -> list[Figure]:
    """
    Return the figures with their bands; none where there is no month to compare with.

    Amounts that move alike for half of the lines are flat: their band is about last month's.
    Others have a season, and lie between last month and the same month a year ago.
    """
    figures = list(_own(own))
    frame = register.frame
    if not len(frame) or not count_months(register):
        return figures
    taxes, lengths = _taxes(frame), _longest_bills(frame)
    for places, names in _named(frame):
        indices = places.groupby(places).indices
        seasonal = _with_a_season(frame, places)
        for place in sorted(indices, key=lambda place: "/".join(names[place])):
            service, rate = (*names[place], "")[:2]
            if names[place][-1] and service not in taxes:
                amounts = _amounts_by_turn(register, lengths, indices[place])
                rated, season = len(names[place]) > 1, place in seasonal
                figures += _of_class(amounts, service, rate, limits, season, rated)
    figures += _shares(register, limits)
    figures += _penalties(register, limits)
    figures.append(_again(limits))
    return figures


def count_months(register: Register) -> int:
    """Count the months before that there are to compare with."""
    return sum(not np.isnan(register.amount[month]).all() for month in range(HISTORY))


def _named(frame: pd.DataFrame) -> Iterator[tuple[Any, list[tuple[str, ...]]]]:
    """Yield the lines' services by number, with their names, and then their rate codes."""
    yield frame["service_place"], [(name,) for name in frame["service"].cat.categories]
    yield frame["rate_place"], _rates(frame)


def _rates(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the service and the rate code of each number that lines have for them."""
    firsts = frame.loc[~frame["rate_place"].duplicated(), ["rate_place", "service", "rate"]]
    named = firsts.sort_values("rate_place")
    return list(named[["service", "rate"]].itertuples(index=False, name=None))


def _longest_bills(frame: pd.DataFrame) -> Any:
    """Return for each line how many months the longest bill of its account is for."""
    return frame.groupby("account_place")["length"].transform("max").to_numpy()


def _amounts_by_turn(register: Register, lengths: Any, rows: Any) -> Any:
    """
    Return rows' amounts a month, what is billed every second month beside its own last bill.

    Else last month's column holds those alone who are billed each month.
    """
    amounts, length = register.amount.of(rows).astype("f8"), lengths[rows]
    for months in np.unique(length[length > 1]):
        skipped = (length == months) & np.isnan(amounts[:, -2])
        if months < amounts.shape[1]:
            amounts[skipped, -2] = amounts[skipped, -1 - months]
    return amounts


def _own(lines: tuple[ExpectedFigure, ...]) -> Iterator[Figure]:
    for line in lines:
        where = f"{line.service}, rate {line.rate_code}" if line.rate_code else line.service
        sentence = f"{where}, {line.figure}: {_between(line.figure, line.low, line.high)}"
        if line.because:
            sentence += f", because {line.because}"
        yield Figure(
            "register-expected", line.service, line.rate_code, line.figure,
            "" if line.figure == "lines" else "amount", line.low, line.high, None, sentence,
        )  # fmt: skip


def _with_a_season(frame: pd.DataFrame, places: Any) -> set[int]:
    """Return whose amounts do not move alike for half of their lines; `places` are whose."""
    rise = (frame["amount"] / frame["amount_before"]).where(frame["amount_before"] != 0).dropna()
    of = places[rise.index]
    alike = (rise - rise.groupby(of).transform("median")).abs() < ALIKE
    part = alike.groupby(of).mean()
    return set(part.index[part < 0.5])


def _of_class(
    amounts: Any, service: str, rate: str, limits: Limits, season: bool, rated: bool
) -> Iterator[Figure]:
    there = ~np.isnan(amounts)
    lines = there.sum(axis=0).astype("f8")
    place = _newest(lines[:-1])
    if place is None or lines[place] < FEWEST:
        return
    total = np.nansum(amounts, axis=0) / 100
    mean = np.divide(total, lines, out=np.full(len(total), np.nan), where=lines > 0)
    both_signs = (np.sign(amounts[:, place]) != np.sign(total[place])) & there[:, place]
    for figure, values in (("lines", lines), ("total", total), ("mean", mean)):
        if figure != "lines" and both_signs.mean() > CANCELS:
            continue  # what is left of a sum that cancels itself tells nothing
        check = f"register-{figure}"
        kind = "width" if figure == "lines" else "metered" if season else "flat"
        width = limits.of(check, kind, service, rate)
        low, high = _band(values, place, width, season=season and figure != "lines")
        where = f"{service}, rate {rate}" if rated else service
        yield Figure(
            check, service, rate, figure, "" if figure == "lines" else "amount",
            round(low, 2), round(high, 2), round(float(values[place]), 2),
            f"{where}, {figure}: {_between(figure, low, high)}",
        )  # fmt: skip


def _newest(values: Any) -> int | None:
    """Return the place of the newest month that has something."""
    places = np.nonzero(values > 0)[0]
    return int(places[-1]) if len(places) else None


def _band(values: Any, place: int, width: float, *, season: bool) -> tuple[float, float]:
    """
    Return the lowest and the highest value that this month may have.

    Spreads taken from the figure's own steps do not serve: a season makes them so wide that
    nothing fails.
    """
    marks = [float(values[place])]
    if season and np.isfinite(values[0]) and values[0]:
        marks.append(float(values[0]))  # the same month a year ago
    wide = [one + side * width * abs(one) for one in marks for side in (-1, 1)]  # or credits
    return min(wide), max(wide)


def _between(figure: str, low: float | None, high: float | None) -> str:
    def write(value: float) -> str:
        if figure == "lines":
            return f"{value:,.0f}"
        return f"{value:.2%}" if figure in ("share", "same") else f"${value:,.2f}"

    if low is None or high is None:
        return f"at most {write(high)}" if high is not None else f"at least {write(low or 0.0)}"
    return f"between {write(low)} and {write(high)}"


def _taxes(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame["service"].cat.categories if name.upper() in TAXES]


def _tax_shares(register: Register, name: str) -> Any:
    """Return for each month what share of the charges it stands on the tax was."""
    account = register.frame["account_place"].to_numpy()
    rows = np.nonzero((register.frame["service"] == name).to_numpy())[0]
    shares = np.empty(HISTORY + 1)
    for month in range(HISTORY + 1):  # one by one: all at once are three more matrices
        amount = register.amount[month].astype("f8")
        billed = np.bincount(account, np.nan_to_num(amount))
        taxed = rows[~np.isnan(amount[rows])]
        tax = amount[taxed].sum()
        shares[month] = tax / max(billed[account[taxed]].sum() - tax, 1)
    return shares


def _shares(register: Register, limits: Limits) -> Iterator[Figure]:
    frame = register.frame
    for name in _taxes(frame):
        values = _tax_shares(register, name)
        place = _newest(values[:-1])
        if place is not None:
            width = limits.of("register-share", "tax", name)
            yield _share(name, f"share_{name}", float(values[place]), width)
    before = frame["amount_before"].notna()
    estimated = float((frame["read_type_before"] == "estimated")[before].mean() or 0.0)
    if before.sum() >= FEWEST and estimated * before.sum() >= FEWEST:
        width = limits.of("register-share", "other")
        yield _share("estimates", "estimated", estimated, width)


def _penalized_now(register: Register) -> float:
    """Return the share of accounts with a penalty; it stands on each line, as its own mean."""
    now = [count for one, count in register.penalized if one.back == 0]
    return now[0] / max(len(register.accounts), 1) if now else 0.0


def _penalties(register: Register, limits: Limits) -> Iterator[Figure]:
    """Expect as many accounts with a penalty as last month and a year ago; few are no part."""
    accounts = len(register.accounts)
    same = [(p, n) for p, n in register.penalized if p.back and p.cycle == register.period.cycle]
    if not same or accounts < FEWEST:
        return
    marks = [same[0][1], *(count for one, count in same if one.back == HISTORY)]
    width, few = limits.of("register-share", "other"), FEWEST / accounts
    low = max(min(marks) / accounts * (1 - width) - few, 0.0)
    high = max(marks) / accounts * (1 + width) + few
    if high >= 1:
        return
    sentence = f"penalties, share: {_between('share', low, high)} of the accounts"
    yield Figure(
        "register-share", "penalties", "", "share", "penalized", low, high,
        same[0][1] / accounts, sentence,
    )  # fmt: skip


def _share(name: str, column: str, before: float, width: float) -> Figure:
    low, high = before * (1 - width), before * (1 + width)
    sentence = f"{name}, share: {_between('share', low, high)} of what it is a part of"
    return Figure("register-share", name, "", "share", column, low, high, before, sentence)


def _again(limits: Limits) -> Figure:
    most = limits.of("last-month-again", "share")
    sentence = f"at most {most:.0%} of the metered lines repeat last month's use and amount"
    return Figure("last-month-again", "", "", "same", "same", None, most, None, sentence)


def values_of(lines: pd.DataFrame) -> Mapping[str, float]:
    """Return what share of the metered lines repeats last month, and to the very reads."""
    return {name: float(lines[name].mean()) for name in ("same", "same_reads")}
