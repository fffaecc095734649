"""What each line was expected to use: the customer's own level times what all peers do now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data_checks.memory import give_back_memory
from data_checks.register.reading import HISTORY, MONTH, SERVICES, Matrix, Register

CLASS_SIZE = 30  # customers of a class, below which it has no season of its own
WHOLE = 10  # months that make a customer steady
FEW_LIVE = 0.25  # of a class's steady customers with use, below which a month has no season
WHOLE_BILL = 0.9  # of the days that bills of its length are for, below which one is a part
ENOUGH = 3  # months of its own, from where a line can be compared
LEAST_SPREAD = 0.18  # of the logarithm of use
ROWS = 20_000  # of a matrix that are worked at together; they stay in the processor's cache
LONGEST = 1 << 10  # months that a bill may be for, in the number of a class
TO_SIGMA = 1.4826  # makes a median absolute deviation a standard deviation


def add_usual(register: Register) -> pd.DataFrame:
    """
    Add to the frame what each line was expected to use, and how far it is from that.

    Expected is level × index now × days. The index of a class and month is the median over its
    steady customers of use by own median, this month included: a drought or a hot month for all is
    nobody's finding. The spread is robust (median absolute deviation of the logarithm), widened
    where months are few and where the meter counts in coarse steps.

    What is a row's own is taken some rows at a time: whole matrices are a city's largest memory.
    """
    frame = register.frame
    own = _look_back(register)
    frame["months"], frame["used_months"] = own.months, own.used
    frame["months_billed"] = _count_billed(register)
    rate, before = frame["rate_code"].cat, frame["rate_code_before"].cat.codes
    codes: Any = np.where(rate.codes > 0, rate.codes, before)
    words: Any = frame["rate_code"].dtype
    frame["rate"] = pd.Categorical.from_codes(codes, dtype=words)
    pairs = codes.astype("i8") * SERVICES + frame["service_place"]
    frame["rate_place"] = pd.factorize(pairs)[0].astype("i4")  # a service's rate code
    _add_lengths(register)
    frame["class"] = class_places(frame, "rate", "length")
    with np.errstate(all="ignore"):
        index = _index(register, own)
        spread = _add_expected(register, own, index)
        _add_distance(register, own, spread)
    register.days.forget()
    give_back_memory()
    return frame


@dataclass(frozen=True, slots=True)
class _Own:
    """What the months before tell of each row by itself; `middle` is its median use a day."""

    months: Any
    used: Any
    middle: Any
    year_ago: Any
    most: Any
    recent_zero: Any
    months_there: int  # in which anybody has a use


@dataclass(frozen=True, slots=True)
class _Index:
    """The season and weather of each class, a row a class: 1 is the customers' usual month."""

    classes: Any  # the class of each row of the frame
    months: Matrix

    def of(self, rows: Any) -> Matrix:
        found: Matrix = self.months[self.classes[rows]]
        return found


def _some_rows(size: int) -> Iterator[slice]:
    for start in range(0, size, ROWS):
        yield slice(start, start + ROWS)


def _look_back(register: Register) -> _Own:
    size = len(register.frame)
    months, used = np.empty(size, "i2"), np.empty(size, "i2")
    middle, year_ago, most = (np.empty(size, "f4") for _ in range(3))
    recent_zero = np.empty(size, bool)
    there = np.zeros(HISTORY, bool)
    for rows in _some_rows(size):
        past = _past(register, rows)
        known, live = ~np.isnan(past), past > 0
        there |= known.any(axis=0)
        months[rows], used[rows] = known.sum(axis=1), live.sum(axis=1)
        middle[rows] = row_medians(np.where(live, past, np.nan))
        year_ago[rows] = past[:, 0]
        most[rows] = np.fmax(np.fmax.reduce(past, axis=1), 0)
        recent_zero[rows] = (_last_uses(past) == 0).any(axis=1)
    return _Own(months, used, middle, year_ago, most, recent_zero, int(there.sum()))


def _count_billed(register: Register) -> Any:
    """Return in how many months before each row was billed."""
    billed = np.zeros(len(register.frame), "i2")
    for month in range(HISTORY):
        billed += ~np.isnan(register.amount[month])
    return billed


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


def class_places(frame: pd.DataFrame, rate: str, length: str) -> Any:
    """
    Return the number of each line's class: what is used and billed alike.

    A bill for two months has steps of a price twice as wide as one for a month, and another
    weather: under one rate code the two are two classes.
    """
    pairs = frame[rate].cat.codes.to_numpy("i8") * SERVICES + frame["service_place"].to_numpy()
    places = pd.factorize(pairs * LONGEST + frame[length].to_numpy())[0]
    return pd.Series(places.astype("i4"), frame.index)


def _add_lengths(register: Register) -> None:
    """Add for how many months a line is, and whether it is for a part of them."""
    frame = register.frame
    frame["days"] = frame["days"].fillna(pd.Series(register.days[-1], frame.index))
    for ending in ("", "_before"):
        days = frame[f"days{ending}"]
        length = (days / MONTH).round().clip(lower=1, upper=LONGEST - 1).fillna(1)
        frame[f"length{ending}"] = length.astype("i2")
        usual = days.groupby(frame[f"length{ending}"]).transform("median")
        frame[f"of_part{ending}"] = days < WHOLE_BILL * usual
    frame["seen"] = frame["months"] * frame["length"]


def _past(register: Register, rows: Any) -> Matrix:
    """
    Return use a day of some rows in the months before, so that months of 28 and 33 days are alike.

    A first bill is left out of it: it is for a part of a month, if days do not tell.
    """
    with np.errstate(all="ignore"):
        past: Matrix = register.usage.of(rows)[:, :-1] / register.days.of(rows)[:, :-1]
    own = [one.back for one in register.before if one.cycle == register.period.cycle]
    backs = own or [one.back for one in register.before]
    if backs:
        seen = ~np.isnan(past)
        first = seen.argmax(axis=1)
        newborn = np.nonzero(seen.any(axis=1) & (first > HISTORY - max(backs)))[0]
        past[newborn, first[newborn]] = np.nan
    return past


def _index(register: Register, own: _Own) -> _Index:
    """Find the index of each class."""
    frame = register.frame
    whole = min(WHOLE, max(own.months_there, 1))
    length = frame["length"].to_numpy()
    known = own.months * length >= whole
    used = own.used * length
    classes = frame["class"].to_numpy()
    index = np.ones((int(classes.max(initial=-1)) + 1, HISTORY + 1), "f4")
    by_class: dict[Any, Any] = dict(frame.groupby("class").indices)
    for place, rows in by_class.items():
        use = _steady(rows[known[rows]], used, whole)
        if len(use) >= CLASS_SIZE:
            past, now = _past(register, use), register.usage[-1][use] / register.days[-1][use]
            shares = np.c_[np.where(past > 0, past, np.nan), np.where(now > 0, now, np.nan)]
            shares /= own.middle[use, None]
            index[place] = _middle(shares)
    return _Index(classes, np.where(index > 0.02, index, np.nan))


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


def _add_expected(register: Register, own: _Own, index: _Index) -> Matrix:
    """Add what is expected now and was before; return how far each row's own months spread."""
    frame, size = register.frame, len(register.frame)
    frame["step"] = frame["usage"].groupby(frame["service_place"]).transform(_step)
    frame["peers"] = frame["usage"].groupby(frame["class"]).transform("median")
    expected, before, spread = (np.empty(size, "f4") for _ in range(3))
    for rows in _some_rows(size):
        months = index.of(rows)
        past = _past(register, rows)
        level = np.where(past > 0, past, np.nan) / months[:, :-1]
        centre = row_medians(level)
        level /= centre[:, None]
        deviations = np.abs(np.log(level, out=level), out=level)
        spread[rows] = TO_SIGMA * row_medians(deviations)
        expected[rows] = centre * months[:, -1] * register.days[-1][rows]
        last = _newest(register.usage.of(rows)[:, :-1])[:, None]
        days = np.take_along_axis(register.days.of(rows), last, axis=1)[:, 0]
        before[rows] = centre * np.where(np.isnan(days), 30, days)
        before[rows] *= np.take_along_axis(months, last, axis=1)[:, 0]
    known = own.months >= ENOUGH
    frame["expected"] = np.where(known, expected, frame["peers"])
    frame["expected_before"] = before
    return spread


def _newest(past: Matrix) -> Any:
    """Return the column of each row's own last month, which is last month where it has none."""
    there = ~np.isnan(past[:, ::-1])
    return past.shape[1] - 1 - there.argmax(axis=1)


def _add_distance(register: Register, own: _Own, spread: Matrix) -> None:
    frame, days = register.frame, register.days[-1]
    step = frame["step"].to_numpy()
    frame["year_ago"] = own.year_ago * days
    frame["most"] = own.most.astype("f8") * days
    frame["recent_zero"] = own.recent_zero
    # few months tell little of a spread
    few = 1 + 2 / np.maximum(own.months.astype("i8") - 1, 1)
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
