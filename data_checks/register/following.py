"""Charges without a meter that follow the account's use, or its other lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from data_checks.register.fitting import fitted_moves
from data_checks.register.usual import CLASS_SIZE

FOLLOWED = 0.6  # of the lines that moved explained, from where a class follows a measure
HAVE_IT = 0.8  # of a class's accounts have the measure, or it is none of theirs
FEWEST_MOVED = 15  # lines, below which nothing is known of what moves them
MOVED = 50.0  # cents, below which a line has not moved
OF_MOVE, OF_AMOUNT, ROUNDING = 0.2, 0.01, 10.0  # of them, and cents: so near a line is explained
NEIGHBORS, FAR = 25, 6.0  # lines of about the same use, and how much farther off is no noise
SAMPLE = 2_000  # lines by which a measure is tried; the one that serves is fitted on all
Measure = tuple[Any, Any]  # by account: a Series of now, and one of last time


def follow(frame: pd.DataFrame) -> Any:
    """
    Return what each charge without a meter would cost by what its class follows.

    A sewer charged by water, with a cap or without, a tax and a discount are no flat charges and
    have no use of their own: they follow another line's use, or the account's other lines. Which
    one is found by trying: where a measure explains most of the lines that moved, those that it
    does not stand out. Not a number where nothing explains a class.
    """
    expected = np.full(len(frame), np.nan)
    flat = frame["usage"].isna() & (frame["lines"] == 1) & (frame["lines_before"] == 1)
    flat &= frame["amount"].notna() & frame["amount_before"].notna()
    flat &= ~frame["of_part"] & ~frame["of_part_before"] & frame["like_others"].isna()
    flat &= (frame["rate_code"] == frame["rate_code_before"]) & (
        frame["length"] == frame["length_before"]
    )
    places = np.nonzero(flat.to_numpy())[0]
    measures = list(_measures(frame))
    names, amounts = frame.loc[flat, "class"], frame[["account_place", "amount", "amount_before"]]
    for rows in names.groupby(names).indices.values():
        if len(rows) >= CLASS_SIZE:
            own = places[rows]
            expected[own] = _by_best(amounts.iloc[own], measures)
    return expected


def _measures(frame: pd.DataFrame) -> Iterator[Measure]:
    """Yield what charges may follow: each service's use by account, and all lines with a meter."""
    is_metered = frame["usage"].notna() | frame["usage_before"].notna()
    metered = frame.loc[is_metered, ["service", "account_place", "usage", "usage_before"]]
    for _, lines in metered.groupby("service", observed=True):
        by = lines.groupby("account_place")
        yield by["usage"].sum(min_count=1), by["usage_before"].sum(min_count=1)
    by = frame.groupby("account_place")
    yield by["amount"].sum(min_count=1), by["amount_before"].sum(min_count=1)


def _by_best(lines: pd.DataFrame, measures: list[Measure]) -> Any:
    """Return the amounts by the measure that explains most of the lines that moved."""
    best, explained = None, FOLLOWED
    tried = lines.iloc[:: max(len(lines) // SAMPLE, 1)]
    for measure in measures:
        fit = _fit(tried, measure)
        share = _share_explained(tried, fit)
        if share > explained:
            best, explained = measure, share
    return np.full(len(lines), np.nan) if best is None else _fit(lines, best)


def _fit(lines: pd.DataFrame, measure: Measure) -> Any:
    now, before = (lines["account_place"].map(one).to_numpy("f8") for one in measure)
    fitted = np.full(len(lines), np.nan)
    if ((now >= 0) & (before >= 0)).sum() < HAVE_IT * len(lines):
        return fitted
    have = (now > 0) & (before > 0)  # who uses nothing tells no step, and empty houses bend it
    if have.sum() < CLASS_SIZE:
        return fitted
    was = lines["amount_before"].to_numpy("f8")
    moved = lines["amount"].to_numpy("f8") - was
    by_use = fitted_moves(now[have], before[have], moved[have], was[have], one_price=True)
    by_use[(was[have] + by_use) * was[have] <= 0] = np.nan  # below nothing is no measure
    off = np.abs(moved[have] - by_use)
    unsure = FAR * np.maximum(_nearby(off, now[have]), _nearby(off, before[have]))
    fitted[have] = np.where((off > unsure) | (off <= ROUNDING), was[have] + by_use, np.nan)
    return fitted


def _nearby(off: Any, use: Any) -> Any:
    """Return how far lines of about the same use are off: a fit is rough where a price bends."""
    order = np.argsort(use, kind="stable")
    nearby = np.empty(len(off))
    by_use = pd.Series(off[order]).rolling(NEIGHBORS, center=True, min_periods=1)
    nearby[order] = by_use.median()
    return nearby


def _share_explained(lines: pd.DataFrame, fitted: Any) -> float:
    """Return how many of the lines that moved are where the fit has them."""
    amount, was = (lines[name].to_numpy("f8") for name in ("amount", "amount_before"))
    by = np.abs(amount - was)
    may = np.maximum(np.maximum(OF_MOVE * by, OF_AMOUNT * np.abs(amount)), ROUNDING)
    has_moved = by > MOVED
    near = np.abs(amount - fitted) <= may
    return float(near[has_moved].mean()) if has_moved.sum() >= FEWEST_MOVED else 0.0
