"""What others with the same rate and use are billed: the tariff, read from the months."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from data_checks.register.fitting import fitted_moves
from data_checks.register.following import follow
from data_checks.register.usual import CLASS_SIZE, class_places

LIKE = 8  # others within a fifth of the use, from where an amount can be compared
SHARED = 3  # lines for each use, below which they are no measure of one another
MIXED = 0.25  # of a class's lines off its curve: several prices stand under one rate code
ONE_PRICE = 0.02  # of them, up to which there is one price
OFF_CENTS = 5_00.0  # from where a line is counted as off for that
ALIKE = 0.005  # so near two rises are one
STEADY = 0.95  # of a class that moved alike
STEADY_NOW = 0.8  # the same this month, where it did so the time before: errors hide no errors


def add_prices(frame: pd.DataFrame) -> pd.DataFrame:
    """
    Add what others are billed for the same, and the money that an unusual use would move.

    Amounts are cents as figures: medians and curves, which are compared and never booked. An
    account's own offset of last month is kept beside, for meter sizes under one rate code.
    """
    single = frame["lines"] == 1
    frame["like_others"], frame["stake"] = _tariff(
        frame, frame["amount"], frame["usage"], single, frame["class"]
    )
    before = class_places(frame, "rate_code_before", "length_before")
    like_before, _ = _tariff(
        frame, frame["amount_before"], frame["usage_before"], frame["lines_before"] == 1, before
    )
    each = (frame["amount"] / frame["usage"].where(frame["usage"] > 0)).groupby(frame["class"])
    moved = frame["usage"].clip(lower=0) - frame["expected"]
    frame["stake"] = frame["stake"].fillna(each.transform("median") * moved)
    frame["off"] = frame["amount"] - frame["like_others"]
    frame["off_before"] = frame["amount_before"] - like_before
    frame["own_price"] = _own_prices(frame)
    off = (frame["off"].abs() > OFF_CENTS).where(frame["off"].notna()).astype("f8")
    part = off.groupby(frame["class"]).transform("mean")
    frame["mixed"], frame["one_price"] = part > MIXED, part <= ONE_PRICE
    _compare_flat(frame)
    frame["own_price"] = frame["own_price"].fillna(pd.Series(follow(frame), frame.index))
    return frame


def _own_prices(frame: pd.DataFrame) -> Any:
    """
    Return what each line would cost at its own price of last month, for this month's use.

    Where meters of several sizes stand under one rate code, the class has no one curve: medians
    jump from one base to another's. What a use costs *more* is common to all of them. So last
    month's own amount is taken, and the class's steps between the two uses are added; the steps of
    both months are fitted together, so that a new price for all is nobody's finding. Not a number
    where it cannot be told.
    """
    both = (frame["lines"] == 1) & (frame["lines_before"] == 1)
    both &= frame["rate_code"] == frame["rate_code_before"]
    both &= frame["length"] == frame["length_before"]
    both &= (frame["usage"] >= 0) & (frame["usage_before"] >= 0)
    both &= frame["amount"].notna() & frame["amount_before"].notna()
    price = np.full(len(frame), np.nan)
    was = frame["amount_before"].to_numpy("f8")
    now, before = frame["usage"].to_numpy("f8"), frame["usage_before"].to_numpy("f8")
    moved = (frame["amount"] - frame["amount_before"]).to_numpy("f8")
    names = frame.loc[both, "class"]  # the whole frame once more is the most memory of a review
    for rows in names.groupby(names).indices.values():
        own = np.nonzero(both.to_numpy())[0][rows]
        if len(own) >= CLASS_SIZE:
            price[own] = fitted_moves(now[own], before[own], moved[own], was[own])
    own = frame["amount_before"] + price
    return own.where(own * frame["amount_before"] > 0)  # a price below nothing is no measure


def _compare_flat(frame: pd.DataFrame) -> None:
    """Expect of a charge without a meter what it was before, times the rise of its class."""
    flat = frame["usage"].isna() & (frame["length"] == frame["length_before"])
    usual, alike, size = _common_rise(frame, flat, "amount", "amount_before")
    _, alike_before, _ = _common_rise(frame, flat, "amount_before", "amount_earlier")
    steady = (alike > STEADY) | ((alike_before > STEADY) & (alike > STEADY_NOW))
    expected = frame["amount_before"] * usual
    sure = flat & steady & (size >= CLASS_SIZE) & expected.notna() & frame["amount"].notna()
    frame.loc[sure, "like_others"] = expected[sure]
    frame.loc[sure, "off"] = (frame["amount"] - expected)[sure]


def _common_rise(frame: pd.DataFrame, flat: Any, now: str, before: str) -> tuple[Any, Any, Any]:
    """Return of each line's class the rise that most have, how many have it, and of how many."""
    flat = flat & frame[now].notna() & (frame[before].abs() > 0)
    rise = (frame[now] / frame[before]).where(flat)
    # a rise is the same for bills of one month and of two
    by = rise.groupby(frame["rate_place"])
    usual = by.transform("median")
    alike = ((rise - usual).abs() < ALIKE).astype("f8").where(flat)
    part = alike.groupby(frame["rate_place"]).transform("mean")
    return usual, part, by.transform("count")


def _tariff(
    frame: pd.DataFrame, amounts: Any, uses: Any, counts: Any, classes: Any
) -> tuple[Any, Any]:
    priced, stake = np.full(len(frame), np.nan), np.full(len(frame), np.nan)
    usage, amount = uses.to_numpy("f8"), amounts.to_numpy("f8")
    expected, single = frame["expected"].to_numpy("f8"), counts.to_numpy()
    by_class: dict[Any, Any] = dict(classes.groupby(classes).indices)
    for rows in by_class.values():
        have = rows[~np.isnan(amount[rows]) & single[rows]]
        metered = ~np.isnan(usage[have])
        if len(have) < CLASS_SIZE or float(metered.mean()) < 0.5:  # without a meter: _compare_flat
            continue
        have = have[metered & (usage[have] >= 0)]
        curve = _curve(usage[have], amount[have])
        if curve is None:
            continue
        x, y = curve
        near: Any = np.searchsorted(
            np.sort(usage[have]), np.c_[usage[rows] * 0.8, usage[rows] * 1.2]
        )
        known = (near[:, 1] - near[:, 0]) >= LIKE
        priced[rows[known]] = np.interp(usage[rows[known]], x, y)
        used = _priced(x, y, np.maximum(usage[rows], 0))
        stake[rows] = used - _priced(x, y, expected[rows])
    return priced, stake


def _curve(usage: Any, amount: Any) -> tuple[Any, Any] | None:
    """
    Return the median amount for each use, smoothed where there are many; None for too few.

    Where meters tell decimals each use is one customer's, and no amount may be its own measure: it
    is then the middle of five neighbors, which where prices only rise is the price itself.
    """
    medians = pd.Series(amount).groupby(usage).median()
    if len(medians) < 3:
        return None
    x, y = medians.index.to_numpy(), medians
    if len(x) > 200:
        y = medians.rolling(5, center=True, min_periods=1).median()
    elif len(x) * SHARED > len(usage):
        y = medians.rolling(5, center=True).median().fillna(medians)
    return x, y.to_numpy()


def _priced(x: Any, y: Any, use: Any) -> Any:
    """Return what a use costs by the curve, beyond its end by its middle slope."""
    slope = np.median((y[1:] - y[0]) / np.maximum(x[1:] - x[0], 1e-9))
    return np.interp(use, x, y) + np.clip(use - x[-1], 0, None) * slope
