"""Which lines of a register are unlike what was usual: a claim on each row for each check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from data_checks.register.limits import Limits
from data_checks.register.reading import METERS
from data_checks.register.tariff import LIKE
from data_checks.register.usual import CLASS_SIZE, ENOUGH, TO_SIGMA

Claim = Any  # a boolean Series, one value a row of the frame
TOGETHER, FEW = 0.2, 20  # a part of a service, from where it is one finding in all
OCCASIONAL = 0.25  # of those who had a service last month have it again: it is no standing one
FEWEST_SEEN = 5  # who had it, below which that is not known
ONE_SIGN = 0.9  # the mean sign of a class, from where none of it is charge here and credit there
FAR = 4.0  # robust deviations, from where a move is no noise
YOUNG = 10  # months, below which an office has not seen a whole year


@dataclass
class UnusualLines:
    """What was found: claims by check, and of charge-doubled and bill-copied those that block."""

    claims: dict[str, Claim] = field(default_factory=dict)
    blocking: dict[str, Claim] = field(default_factory=dict)
    in_all: dict[str, list[str]] = field(default_factory=dict)  # sentences about no account


def look(frame: pd.DataFrame, limits: Limits) -> UnusualLines:
    """
    Look at every line of a frame that `add_usual` and `add_prices` have completed.

    What cannot be compared (no history, no reads, no rate code) is no finding. Evidence of other
    lines of the account counts: where every meter is quiet, none is broken.
    """
    found = UnusualLines()
    now = frame["amount"].notna()
    metered = now & frame["usage"].notna()
    _look_at_high(found, frame, metered, limits)
    _look_at_low(found, frame, metered, limits)
    _look_at_reads(found, frame, metered, limits)
    _look_at_meters(found, frame, metered)
    _look_at_services(found, frame, now, limits)
    _look_at_rates(found, frame, now, limits)
    _look_at_prices(found, frame, now, limits)
    _look_at_copies(found, frame, now, metered, limits)
    closed = frame["status"] == "closed"
    found.claims["closed-account-used"] = metered & closed & (frame["usage"] != 0)
    return found


def _look_at_high(found: UnusualLines, f: pd.DataFrame, metered: Claim, limits: Limits) -> None:
    check = "usage-outlier"
    factor, stake = limits.per(check, "factor", f), f["stake"].fillna(0)
    is_young = f["seen"].max() < YOUNG if len(f) else True
    high = metered & (f["months"] >= ENOUGH)
    high &= (f["ratio"] > factor) & (f["deviation"] > limits.per(check, "spread", f))
    high &= stake >= limits.per(check, "money", f)
    high &= f["usage"] > 1.25 * f["year_ago"].fillna(0)
    # high last month already is told by then, unless it is high beside last month too
    told = (f["ratio_before"] > 0.9 * factor) & ~(f["ratio"] > factor * f["ratio_before"])
    high &= (f["usage"] > 1.1 * f["most"]) & ~told
    high &= ~(_with_estimate(f) <= factor)
    if is_young:  # else every seasonal house that comes back is a finding
        high &= f["usage"] > factor * f["peers"]
    else:
        high &= (f["seen"] >= YOUNG) | (f["usage"] > factor * f["peers"])
    new = metered & (f["months"] < ENOUGH) & (f["months"].max() >= ENOUGH)
    new &= f["ratio"] > limits.per(check, "new_factor", f)
    new &= stake >= limits.per(check, "new_money", f)
    found.claims[check] = high | new

    check = "leak-suspected"
    leak = metered & (f["months"] >= ENOUGH) & (f["usage"] >= 0.9 * f["usage_before"])
    over = limits.per(check, "factor", f)
    leak &= (f["ratio"] > over) & (f["ratio_before"] > over) & (f["deviation"] > 1.5)
    leak &= (stake >= limits.per(check, "money", f)) & (f["usage"] > 1.25 * f["year_ago"].fillna(0))
    found.claims[check] = leak & ~found.claims["usage-outlier"]


def _look_at_low(found: UnusualLines, f: pd.DataFrame, metered: Claim, limits: Limits) -> None:
    active = metered & (f["status"] == "active") & (f["months"] >= ENOUGH)
    active &= (f["used_months"] >= f["months"] - 1) & ~_is_changing(f, metered)
    stake = f["stake"].abs().fillna(0)
    low = active & (f["usage"] > 0) & (f["ratio"] < limits.per("usage-low", "factor", f))
    low &= f["deviation"] < -limits.per("usage-low", "spread", f)
    low &= stake >= limits.per("usage-low", "money", f)
    low &= ~(f["year_ago"] < f["usage"] * 1.5) & ~(f["ratio_before"] < 0.5)
    low &= ~(_with_estimate(f) >= limits.per("usage-low", "factor", f))
    # a meter that never stood still in a whole year is worth a look at half the money
    never = (f["used_months"] == f["months"]) & (f["seen"] >= YOUNG)
    zero = active & (f["usage"] == 0)
    zero &= (stake + _follows(f)) * (1 + never) >= limits.per("usage-zero", "money", f)
    zero &= ~f["recent_zero"] & ~(f["year_ago"] == 0)

    by = pd.DataFrame({"one": metered, "quiet": metered & (f["ratio"] < 0.5)})
    both = by.groupby(f["account_place"]).transform("sum")
    is_empty = (both["one"] >= 2) & (both["quiet"] == both["one"])
    found.claims["usage-low"] = low & ~is_empty
    found.claims["usage-zero"] = zero & ~is_empty
    found.claims["usage-empty"] = (zero | low) & is_empty


def _with_estimate(f: pd.DataFrame) -> Claim:
    """
    Return the ratio of this and last month together, where last month was an estimate.

    What an estimate took too little of stands in the next read, and what it took too much of is
    missing there. Not a number elsewhere.
    """
    used = f["usage"] + f["usage_before"] + f["step"]
    expected = f["expected"] + f["expected_before"] + f["step"]
    return (used / expected).where(f["read_type_before"] == "estimated")


def _is_changing(f: pd.DataFrame, metered: Claim) -> Claim:
    """Tell whose meter is changed this month: its use stands on two lines."""
    new = metered & (f["months"] == 0)
    return new.groupby(f["pair"]).transform("any")


def _follows(f: pd.DataFrame) -> Claim:
    """Return what an account's charges without a meter lost since last month: sewer by use."""
    lost = (f["amount_before"] - f["amount"]).where(f["usage"].isna() & f["amount"].notna())
    return lost.clip(lower=0).fillna(0).groupby(f["account_place"]).transform("sum")


def _look_at_reads(found: UnusualLines, f: pd.DataFrame, metered: Claim, limits: Limits) -> None:
    same_meter = (f["meter"] > 0) & (f["meter"] == f["meter_before"])
    backwards = same_meter & (f["current_read"] < f["previous_read"])
    found.claims["usage-negative"] = metered & ((f["usage"] < 0) | backwards)

    moved = f["current_read"] - f["previous_read"]
    moved_before = f["current_read_before"] - f["previous_read_before"]
    multiple = (f["usage_before"] / moved_before).where((moved_before > 0) & same_meter, 1.0)
    usual = multiple.groupby(f["class"]).transform("median")
    of_class = (f["usage_before"] - usual * moved_before).abs() <= f["step"]
    # a few units tell a multiple in whole ones alone, and a first bill tells none
    multiple = usual.where(of_class | ~(moved_before > 0), multiple)
    multiple = multiple.where(multiple > 0, 1.0)
    multiple *= _common_drift(f, metered & (f["usage"] > 0), moved, multiple)
    allowed = limits.per("usage-not-the-reads", "share", f) * f["usage"].abs()
    off = (f["usage"] - multiple * moved).abs()
    single = metered & (f["lines"] == 1)
    found.claims["usage-not-the-reads"] = (
        single & (moved >= 0) & (off > np.maximum(np.maximum(f["step"], 1e-6), allowed))
    )
    copied = (f["previous_read"] == f["previous_read_before"]) & (
        f["current_read"] == f["current_read_before"]
    )
    apart = (f["previous_read"] - f["current_read_before"]).abs() > np.maximum(f["step"], 1e-6)
    found.claims["reads-apart"] = (
        single & same_meter & apart & ~copied & ~found.claims["usage-negative"]
    )


def _common_drift(f: pd.DataFrame, used: Claim, moved: Claim, multiple: Claim) -> Claim:
    """
    Return by how much the multiples of a class moved together since last month; 1 for few lines.

    Gas is read in cubic feet and billed by its heat, which is another each month, for all alike.
    """
    drift = (f["usage"] / (moved * multiple)).where(used & (moved > 0))
    by = drift.groupby(f["class"])
    return by.transform("median").where(by.transform("count") >= CLASS_SIZE, 1.0)


def _look_at_meters(found: UnusualLines, f: pd.DataFrame, metered: Claim) -> None:
    estimated = f["read_type"] == "estimated"
    for ending in ("_before", "_earlier"):
        estimated &= f[f"read_type{ending}"] == "estimated"
    found.claims["estimated-again"] = metered & estimated
    named = metered & (f["meter"] > 0)
    meters = f["service_place"].astype("i8") * METERS + f["meter"]
    owners = f.loc[named, "account_place"].groupby(meters[named]).nunique()
    found.claims["meter-duplicate"] = named & meters.isin(owners.index[owners > 1])
    changed = (f["meter_before"] > 0) & (f["meter"] != f["meter_before"])
    found.claims["meter-changed"] = named & changed & f["usage_before"].notna()


def _look_at_services(found: UnusualLines, f: pd.DataFrame, now: Claim, limits: Limits) -> None:
    of_account = now.groupby(f["account_place"]).transform("sum")
    of_service = now.groupby(f["pair"]).transform("sum")
    before, earlier = f["amount_before"], f["amount_earlier"]
    had = before.notna() & earlier.notna()
    dropped = ~now & had & (of_account > 0) & ((of_service == 0) | _is_left_out(f, now))
    dropped &= (f["status"] == "active") & (
        before.abs() >= limits.per("service-dropped", "money", f)
    )
    was = before.notna().groupby(f["service_place"]).transform("sum")
    _put(found, "service-dropped", dropped, was, f, "lines are not billed any more")
    age = f["months_billed"].groupby(f["account_place"]).transform("max")
    lived = f["months_billed"].groupby(f["pair"]).transform("max")
    added = now & (lived == 0) & (age >= ENOUGH)
    # a credit that belongs to another account is lost as a charge is
    added &= f["amount"].abs() >= limits.per("service-added", "money", f)
    added &= ~_is_occasional(f)
    are = now.groupby(f["service_place"]).transform("sum")
    _put(found, "service-added", added, are, f, "lines are billed that never were before")


def _is_left_out(f: pd.DataFrame, now: Claim) -> Claim:
    """Tell lines of a meter beside which others of the service are billed, and no new one is."""
    new = now & (f["meter"] > 0) & (f["amount_earlier"].isna() | f["amount_before"].isna())
    changed = new.groupby(f["pair"]).transform("any")
    return (f["meter_before"] > 0) & f["usage_before"].notna() & ~changed


def _is_occasional(f: pd.DataFrame) -> Claim:
    """Tell services that stand on other accounts each month, such as extra pick-ups and permits."""
    now, before, earlier = (f[f"amount{one}"].notna() for one in ("", "_before", "_earlier"))
    had = before.astype("i8") + earlier.astype("i8")
    again = (before & (now | earlier)).astype("i8") + (earlier & before).astype("i8")
    had_by, again_by = (one.groupby(f["service_place"]).transform("sum") for one in (had, again))
    return (had_by >= FEWEST_SEEN) & (again_by < OCCASIONAL * had_by)


def _put(
    found: UnusualLines, check: str, claim: Claim, of: Claim, f: pd.DataFrame, words: str
) -> None:
    """Claim a check of single lines; where a part of the whole service shares it, say it once."""
    count = claim.groupby(f["service_place"]).transform("sum")
    together = claim & (count > TOGETHER * of) & (count >= FEW)
    found.claims[check] = claim & ~together
    found.in_all[check] = [
        f"{service}: {count:,} {words}" for service, count in _by_service(f, together)
    ]


def _by_service(f: pd.DataFrame, claim: Claim) -> list[tuple[str, int]]:
    """Count the lines of a claim by service, in the order of their names."""
    counts = f.loc[claim, "service"].astype("object").value_counts()
    return sorted((str(service), count) for service, count in counts.items())


def _look_at_rates(found: UnusualLines, f: pd.DataFrame, now: Claim, limits: Limits) -> None:
    known = (
        now & (f["rate_code_before"] != "") & (f["rate_code"] != "") & f["amount_before"].notna()
    )
    changed = known & (f["rate_code"] != f["rate_code_before"])
    part = changed.where(known).astype("f8").groupby(f["service_place"]).transform("mean")
    few = part < limits.per("rate-changed", "share", f)
    found.claims["rate-changed"] = changed & few
    found.in_all["rate-changed"] = [
        f"{service}: {count:,} lines have another rate code than last time"
        for service, count in _by_service(f, changed & ~few)
    ]


def _look_at_prices(found: UnusualLines, f: pd.DataFrame, now: Claim, limits: Limits) -> None:
    check = "price-unlike-others"
    share, money = limits.per(check, "share", f), limits.per(check, "money", f)
    comparable = now & (f["lines"] == 1) & ~f["status"].eq("final") & ~f["of_part"]
    # a first bill is for a part of a month: it is no measure of the second
    first = (f["months_billed"] < 2) | f["of_part_before"] | (f["length"] != f["length_before"])
    comparable &= (f["months_billed"] > 0) & ~(first & f["amount_before"].notna())
    turned = comparable & _has_turned(f) & (f["amount"].abs() >= money)
    # what all pay alike needs no rate code to be compared
    is_known = f["like_others"].notna() | f["own_price"].notna()
    is_told = (f["rate_code"] != "") | (f["usage"].isna() & is_known)
    comparable &= is_told & (f["rate_code"] == f["rate_code_before"])

    may = np.maximum(share * f["like_others"].abs(), money)
    moved = (f["off"] - f["off_before"].fillna(0)).abs()
    off = f["mixed"] | (f["off"].abs() >= may)  # a price put right again is like the others'
    off &= (moved >= may) & (moved > _usual_move(f, moved, comparable))
    off &= f["like_others"].notna()
    own = (f["amount"] - f["own_price"]).abs()
    may_own = np.maximum(share * f["own_price"].abs(), money)
    unlike = (own >= may_own) & (own > _usual_move(f, own, comparable))
    # where nobody uses as much, the own price tells alone, if the use is about last month's
    alone = f["usage"].isna() | f["usage"].between(*_about(f["usage_before"]))
    alone &= f["like_others"].isna()
    sure = f["own_price"].isna() & (f["one_price"] | f["usage"].isna())
    found.claims[check] = turned | (comparable & ((off & sure) | (unlike & (off | alone))))

    whole = ~(f["days_before"] < 25) & (f["amount_before"] > 0) & f["usage_before"].notna()
    least = f["amount_before"].where(whole).groupby(f["class"])
    base, size = least.transform("min"), least.transform("count")
    low = comparable & f["usage"].notna() & (size >= 100) & (f["amount"] > 0)
    low &= f["amount"] < base - limits.per("bill-minimum", "money", f)
    # who uses less than anybody did may well be billed less: gardens in the fall
    low &= f["usage"] >= f["usage_before"].where(whole).groupby(f["class"]).transform("min")
    low &= ~(f["amount"] >= f["own_price"] - limits.per("bill-minimum", "money", f))
    found.claims["bill-minimum"] = low & ~found.claims[check]


def _has_turned(f: pd.DataFrame) -> Claim:
    """Tell charges that have become credits, and credits charges, where all had one sign before."""
    turned = (f["amount"] * f["amount_before"]) < 0
    by = np.sign(f["amount_before"]).groupby(f["rate_place"])
    return turned & (by.transform("mean").abs() > ONE_SIGN) & (by.transform("count") >= LIKE)


def _about(use: Claim) -> tuple[Claim, Claim]:
    return 0.8 * use, 1.25 * use


def _usual_move(f: pd.DataFrame, moved: Claim, comparable: Claim) -> Claim:
    """
    Return how far from the curve lines of a class move where nothing is wrong.

    Where all have one price that is nothing. Where meters of several sizes stand under one rate
    code there is no one curve, and only what is far beyond the others' moves stands out.
    """
    middle = moved.where(comparable).groupby(f["class"]).transform("median")
    return FAR * TO_SIGMA * middle.fillna(0)


def _look_at_copies(
    found: UnusualLines, f: pd.DataFrame, now: Claim, metered: Claim, limits: Limits
) -> None:
    doubled = now & (f["lines"] > 1) & (f["amounts"] == 1) & (f["amount"] != 0)
    found.claims["charge-doubled"] = doubled
    found.blocking["charge-doubled"] = doubled & (f["meter"] > 0)

    same_reads = metered & (f["usage"] > 0) & (f["meter"] == f["meter_before"])
    for name in ("current_read", "previous_read"):
        same_reads &= f[name] == f[f"{name}_before"]
    same_use = f["usage"].isna() | (f["usage"] == f["usage_before"])
    same = now & (f["amount"] == f["amount_before"]) & same_use
    countable = metered & (f["usage"] >= limits.per("bill-copied", "steps", f) * f["step"])
    countable &= f["step"] > 0
    by = pd.DataFrame({"same": same, "now": now, "countable": countable, "reads": same_reads})
    of_account = by.groupby(f["account_place"]).transform("sum")
    whole = (of_account["same"] == of_account["now"]) & (of_account["countable"] >= 2)
    first = now & ~f["account_place"].where(now).duplicated()
    found.claims["bill-copied"] = first & (whole | (of_account["reads"] > 0))
    found.blocking["bill-copied"] = first & (of_account["reads"] > 0)

    steady = metered & (f["step"] > 0)
    steady &= f["usage"] >= limits.per("usage-same", "steps", f) * f["step"]
    steady &= (f["usage"] == f["usage_before"]) & (f["usage"] == f["usage_earlier"])
    copied = (of_account["reads"] > 0) | whole
    found.claims["usage-same"] = steady & ~copied
