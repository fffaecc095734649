"""What each line was expected to use: the customer's own level times what all peers do now."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from data_checks.register.reading import HISTORY, MONTH, SERVICES, Matrix, Register

CLASS_SIZE = 30  # customers of a class, below which it has no season of its own
WHOLE = 10  # months that make a customer steady
FEW_LIVE = 0.25  # of a class's steady customers with use, below which a month has no season
WHOLE_BILL = 0.9  # of the days that bills of its length are for, below which one is a part
ENOUGH = 3  # months of its own, from where a line can be compared
LEAST_SPREAD = 0.18  # of the logarithm of use
TO_SIGMA = 1.4826  # makes a median absolute deviation a standard deviation


def add_usual(register: Register) -> pd.DataFrame:
    """
    Add to the frame what each line was expected to use, and how far it is from that.

    Expected is level × index now × days. The index of a class and month is the median over its
    steady customers of use by own median, this month included: a drought or a hot month for all is
    nobody's finding. The spread is robust (median absolute deviation of the logarithm), widened
    where months are few and where the meter counts in coarse steps.
    """
    frame = register.frame
    past, now = _daily(register)
    seen = ~np.isnan(past)
    _drop_first_bills(register, past, seen)
    frame["months"] = (~np.isnan(past)).sum(axis=1)
    frame["months_billed"] = (~np.isnan(register.amount[:, :-1])).sum(axis=1)
    rate = frame["rate_code"].where(frame["rate_code"] != "", frame["rate_code_before"])
    frame["rate"] = rate.fillna("")
    rates, _ = pd.factorize(frame["rate"])
    frame["rate_place"] = rates * SERVICES + frame["service_place"]  # a service's rate code
    _add_lengths(register)
    frame["class"] = class_names(frame["service"], frame["rate"], frame["length"])
    with np.errstate(all="ignore"):
        index = _index(frame, past, now)
        level = np.where(past > 0, past, np.nan) / index[:, :-1]
        centre = row_medians(level)
        level /= centre[:, None]  # in place: a city's matrices are its largest memory
        deviations = np.abs(np.log(level, out=level), out=level)
        spread = TO_SIGMA * row_medians(deviations)
        _add_expected(register, centre, index)
        _add_distance(register, past, centre, index, spread)
    return frame


def row_medians(values: Any) -> Any:
    """
    Return the median of each row's numbers; not a number where a row has none.

    NumPy's own `nanmedian` masks and counts, and warns once for each row that is empty, of which a
    young office has as many as lines.
    """
    ordered = np.sort(values, axis=1)  # what is not a number comes last
    count = (~np.isnan(values)).sum(axis=1)
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, values.shape[1] - 1)
    rows = np.arange(len(values))
    lower, upper = ordered[rows, low], ordered[rows, high]
    return np.where(low == high, lower, (lower + upper) / 2)


def class_names(services: Any, rates: Any, lengths: Any) -> Any:
    """
    Name the class of each line: what is used and billed alike.

    A bill for two months has steps of a price twice as wide as one for a month, and another
    weather: under one rate code the two are two classes.
    """
    long = np.where(lengths > 1, "/" + lengths.astype("i8").astype(str), "")
    return (services + "/" + rates.fillna("") + long).astype("category")


def _add_lengths(register: Register) -> None:
    """Add for how many months a line is, and whether it is for a part of them."""
    frame = register.frame
    frame["days"] = frame["days"].fillna(pd.Series(register.days[:, -1], frame.index))
    for ending in ("", "_before"):
        days = frame[f"days{ending}"]
        frame[f"length{ending}"] = (days / MONTH).round().clip(lower=1).fillna(1)
        usual = days.groupby(frame[f"length{ending}"]).transform("median")
        frame[f"of_part{ending}"] = days < WHOLE_BILL * usual
    frame["seen"] = frame["months"] * frame["length"]


def _daily(register: Register) -> tuple[Matrix, Matrix]:
    """Return use a day, so that months of 28 and of 33 days are alike."""
    with np.errstate(all="ignore"):
        daily = register.usage / register.days
    return daily[:, :-1].copy(), daily[:, -1]


def _drop_first_bills(register: Register, past: Matrix, seen: Any) -> None:
    """Leave a first bill out of the history: it is for a part of a month, if days do not tell."""
    own = [one.back for one in register.before if one.cycle == register.period.cycle]
    backs = own or [one.back for one in register.before]
    if not backs:
        return
    first = seen.argmax(axis=1)
    newborn = np.nonzero(seen.any(axis=1) & (first > HISTORY - max(backs)))[0]
    past[newborn, first[newborn]] = np.nan


def _index(frame: pd.DataFrame, past: Matrix, now: Matrix) -> Matrix:
    """Return the season and weather of each row's class: 1 is the customers' usual month."""
    live = np.where(past > 0, past, np.nan)
    own = row_medians(live)
    there = int((~np.isnan(past)).any(axis=0).sum())
    whole = min(WHOLE, max(there, 1))
    length = frame["length"].to_numpy()
    known = frame["months"].to_numpy() * length >= whole
    used = (past > 0).sum(axis=1) * length
    index = np.ones((len(frame), HISTORY + 1), "f4")
    for rows in frame.groupby("class", observed=True).indices.values():
        use = _steady(rows[known[rows]], used, whole)
        if len(use) >= CLASS_SIZE:
            shares = np.c_[live[use], np.where(now[use] > 0, now[use], np.nan)] / own[use, None]
            index[rows] = _middle(shares)
    kept: Matrix = np.where(index > 0.02, index, np.nan)
    return kept


def _steady(rows: Any, used: Any, whole: int) -> Any:
    """
    Return who shows the season of a class: those with use in as many months as is usual there.

    Gardens stand still all winter, so that nobody of their class is steady by the months alone.
    """
    live = rows[used[rows] > 0]
    usual = min(whole, int(np.median(used[live]))) if len(live) else whole
    return live[used[live] >= usual]


def _middle(shares: Matrix) -> Matrix:
    """Return each month's median; 1 for months that nobody was billed, none where few used."""
    billed = (~np.isnan(shares)).sum(axis=0)
    middle = row_medians(shares.T)
    few = (billed > 0) & (billed < FEW_LIVE * len(shares))
    kept: Matrix = np.where(billed == 0, 1.0, np.where(few, 0.0, middle))
    return kept


def _add_expected(register: Register, centre: Any, index: Matrix) -> None:
    frame = register.frame
    frame["step"] = _by(frame, "service").transform(_step)
    frame["peers"] = _by(frame, "class").transform("median")
    known = frame["months"].to_numpy() >= ENOUGH
    expected = centre * index[:, -1] * register.days[:, -1]
    frame["expected"] = np.where(known, expected, frame["peers"])
    last = _newest(register.usage[:, :-1])
    before = np.take_along_axis(register.days, last[:, None], axis=1)[:, 0]
    frame["expected_before"] = centre * np.where(np.isnan(before), 30, before)
    frame["expected_before"] *= np.take_along_axis(index, last[:, None], axis=1)[:, 0]


def _newest(past: Matrix) -> Any:
    """Return the column of each row's own last month, which is last month where it has none."""
    there = ~np.isnan(past[:, ::-1])
    return past.shape[1] - 1 - there.argmax(axis=1)


def _by(frame: pd.DataFrame, name: str) -> Any:
    return frame.groupby(name, observed=True)["usage"]


def _add_distance(
    register: Register, past: Matrix, centre: Any, index: Matrix, spread: Any
) -> None:
    frame, days = register.frame, register.days[:, -1]
    step = frame["step"].to_numpy()
    frame["year_ago"] = past[:, 0] * days
    most = np.fmax(np.fmax.reduce(past, axis=1), 0).astype("f8")
    frame["most"] = most * days
    frame["used_months"] = (past > 0).sum(axis=1)
    last = _last_uses(past)
    frame["recent_zero"] = (last == 0).any(axis=1)
    few = 1 + 2 / np.maximum(
        frame["months"].to_numpy() - 1, 1
    )  # few months tell little of a spread
    wide = np.hypot(np.nan_to_num(spread, nan=0.5), LEAST_SPREAD * few)
    coarse = 0.6 * step / np.maximum(frame["expected"].fillna(0) + step, 1e-9)
    frame["ratio"] = (frame["usage"] + step) / (frame["expected"] + step)
    frame["deviation"] = np.log(frame["ratio"].where(frame["ratio"] > 0)) / np.hypot(wide, coarse)
    frame["ratio_before"] = (frame["usage_before"] + step) / (frame["expected_before"] + step)


def _last_uses(past: Matrix) -> Matrix:
    """Return the two newest uses of each row's own, wherever in the months they stand."""
    places = np.where(np.isnan(past), -1, np.arange(past.shape[1], dtype="i1"))
    newest = np.sort(places, axis=1)[:, -2:]
    uses: Matrix = np.take_along_axis(past, np.maximum(newest, 0), axis=1)
    return np.where(newest >= 0, uses, np.nan)


def _step(use: pd.Series[Any]) -> float:
    """Return what a service's meters count in: 1 for thousands of gallons, 10 or 100 for others."""
    values = np.unique(use.dropna().to_numpy())[:2000]
    whole = len(values) and bool((values == np.rint(values)).all()) and abs(values).max() < 1e15
    return float(np.gcd.reduce(values.astype("i8"))) if whole else 0.0
