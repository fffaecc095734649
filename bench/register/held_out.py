"""Months of another town, made by other means than the books, with other anomalies in the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

from bench.register.books import MONTHS, Line, Truth, line_of, write_months

# Dollars of the town's ordinance: base by meter size, then blocks of 2,000 gallons and a rate.
BASES = {"5/8": 14_20, "1": 22_75, "2": 61_40}
BLOCKS = ((2_000, 2.10), (8_000, 3.05), (10**9, 4.40))  # up to gallons, cents a ten gallons
RATES = {"home": "R1", "shop": "C1", "garden": "I1"}
FACTORS = {"R1": 1.0, "C1": 1.18, "I1": 0.9}
LATE_FEE, LATE = 5_00, 0.07  # who is late in a usual month
SPOILED = (
    *("swapped-meters", "doubled-charge", "no-service-charge", "estimated-again", "decimal-slip"),
    *("stuck-at-zero", "negative-use", "billed-twice", "wrong-class", "class-price"),
    *("ten-times", "new-meter-high", "charge-of-another", "no-sewer"),
)
OF_ALL = ("rate-of-a-class", "late-fee-to-all", "tax-left-out")  # what hits many at once


@dataclass
class House:
    """Who lives there and what stands on the meter; use follows from people, garden and habits."""

    key: str
    kind: str
    size: str
    people: float
    garden: float  # gallons a warm day
    leak_from: int  # month in which a toilet begins to run; beyond the months: never
    away: tuple[int, ...]  # calendar months away
    recycles: bool
    odometer: int
    meter: str
    lines: list[list[Line]] = field(default_factory=list)

    def gallons(self, month: int, place: int, days: int, heat: float, random: Random) -> int:
        if month in self.away:
            return 0
        each = random.gauss(55, 6)
        used = self.people * each * days + self.garden * max(heat, 0) * days
        used += 90 * days if place >= self.leak_from else 0
        return max(10 * round(used * random.uniform(0.9, 1.1) / 10), 0)


def make_held_out(file: Path, accounts: int, *, seed: int = 11, spoiled: str = "each") -> Truth:
    """
    Write the books of a town of homes, shops and gardens over thirteen months.

    `spoiled`: "each" plants every kind of single error, one of OF_ALL what hits many at once, and
    "" nothing.
    """
    random = Random(seed)
    houses = [_house(random, one) for one in range(accounts)]
    months = list(_months())
    fees: list[set[str]] = []
    for place, (start, end) in enumerate(months):
        heat = _HEAT[start.month - 1] + random.gauss(0, 0.12)
        for house in houses:
            house.lines.append(
                _bill(house, start.month, place, (end - start).days + 1, heat, random)
            )
        fees.append({house.key for house in houses if random.random() < LATE})
    truth = Truth()
    if spoiled == "each":
        _spoil_some(random, houses, truth)
    elif spoiled:
        _OF_ALL[spoiled](houses, fees)
    write_months(
        file,
        [
            (start, end, {house.key: house.lines[place] for house in houses}, fees[place])
            for place, (start, end) in enumerate(months)
        ],
    )
    return truth


_HEAT = (-0.5, -0.4, 0.0, 0.25, 0.6, 0.95, 1.2, 1.1, 0.7, 0.25, -0.1, -0.4)


def _months() -> Iterator[tuple[date, date]]:
    for back in range(MONTHS - 1, -1, -1):
        year, month = divmod(2026 * 12 + 9 - back, 12)
        start = date(year, month + 1, 1)
        yield start, date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)


def _house(random: Random, one: int) -> House:
    kind = random.choices(("home", "shop", "garden"), (86, 10, 4))[0]
    size = random.choices(tuple(BASES), (90, 8, 2) if kind == "home" else (40, 35, 25))[0]
    people = {"home": random.choice((1, 1.5, 2, 2, 3, 3, 4, 5)), "shop": random.uniform(2, 30)}
    garden = random.uniform(0, 160) if random.random() < 0.6 else 0.0
    return House(
        key=f"{one:07}",
        kind=kind,
        size=size,
        people=people.get(kind, 0.0),
        garden=random.uniform(300, 2_500) if kind == "garden" else garden,
        leak_from=random.randrange(MONTHS) if random.random() < 0.01 else MONTHS,
        away=(1, 2, 3) if kind == "home" and random.random() < 0.03 else (),
        recycles=random.random() < 0.4,
        odometer=random.randrange(10_000, 900_000),
        meter=f"M{one:06}",
    )


def _bill(
    house: House, month: int, place: int, days: int, heat: float, random: Random
) -> list[Line]:
    rate, used = RATES[house.kind], house.gallons(month, place, days, heat, random)
    water = line_of("WATER", water_price(used, rate, house.size), rate)
    water |= {"usage": float(used), "meter": house.meter, "days": days}
    water |= {"previous_read": float(house.odometer), "current_read": float(house.odometer + used)}
    water["read_type"] = "estimated" if random.random() < 0.02 else "actual"
    house.odometer += used
    lines = [water, line_of("SEWER", 11_00 + round(used * 0.21), rate)]
    if house.kind == "garden":
        lines.pop()
    else:
        lines.append(line_of("REFUSE", 18_90 if house.kind == "home" else 64_00, rate))
    if house.recycles and house.kind == "home":
        lines.append(line_of("RECYCLING", 4_35, "RC"))
    lines.append(line_of("TAX", round(0.06 * sum(line["amount"] for line in lines)), ""))
    return lines


def water_price(gallons: float, rate: str, size: str) -> int:
    """Return what water costs in cents: a base by the meter's size, then rising blocks."""
    cents, below = float(BASES[size]), 0
    for top, price in BLOCKS:
        cents += max(min(gallons, top) - below, 0) / 10 * price * FACTORS[rate]
        below = top
    return round(cents)


def _spoil_some(random: Random, houses: list[House], truth: Truth) -> None:
    """Spoil each house once at most; those that the error would move by little are left alone."""
    homes = [
        house
        for house in houses
        if house.kind == "home"
        and house.leak_from == MONTHS
        and house.lines[-1][0]["usage"] > 2_500
    ]
    random.shuffle(homes)
    each = max(len(houses) // 500, 5)
    for kind in SPOILED:
        for _ in range(each):
            if len(homes) < 2:
                return
            if kind == "class-price":  # a two-inch meter of a home costs about a shop's anyhow
                homes.sort(key=lambda home: home.size != "2")
            house, other = homes.pop(), homes[-1]
            _SPOIL[kind](house, other)
            truth.add(kind, house.key)
            if kind in ("swapped-meters", "charge-of-another"):
                truth.partners.add(homes.pop().key)


def _swap(house: House, other: House) -> None:
    """Somebody read the neighbor's meter, and the neighbor's reader ours."""
    mine, theirs = house.lines[-1][0], other.lines[-1][0]
    reads = mine["current_read"], theirs["current_read"]
    theirs["current_read"], mine["current_read"] = reads
    for line, home in ((mine, house), (theirs, other)):
        _measure(line, home, line["current_read"] - line["previous_read"])


def _measure(line: Line, house: House, used: float) -> None:
    line["usage"] = used
    line["amount"] = water_price(max(used, 0), line["rate_code"], house.size)


def _use(house: House, factor: float) -> None:
    water = house.lines[-1][0]
    used = 10 * round(water["usage"] * factor / 10)
    water["current_read"] = water["previous_read"] + used
    _measure(water, house, used)


def _negative(house: House, _other: House) -> None:
    water = house.lines[-1][0]
    water["current_read"] = water["previous_read"] - 340
    _measure(water, house, -340.0)


def _estimate(house: House, _other: House) -> None:
    for lines in house.lines[-3:]:
        lines[0]["read_type"] = "estimated"


def _slip(house: House, _other: House) -> None:
    house.lines[-1][0]["amount"] *= 10


def _without_base(house: House, _other: House) -> None:
    house.lines[-1][0]["amount"] -= BASES[house.size]


def _twice(house: House, _other: House) -> None:
    house.lines[-1].extend([dict(line) for line in house.lines[-1]])


def _as_shop(house: House, _other: House) -> None:
    for line in house.lines[-1]:
        line["rate_code"] = "C1" if line["rate_code"] == "R1" else line["rate_code"]
    water = house.lines[-1][0]
    water["amount"] = water_price(water["usage"], "C1", house.size)


def _shop_price(house: House, _other: House) -> None:
    """The code stays, and the price is another class's with its size."""
    water = house.lines[-1][0]
    water["amount"] = water_price(water["usage"], "C1", "2")


def _new_meter(house: House, _other: House) -> None:
    """A meter was changed, and its first read was taken for the use."""
    water = house.lines[-1][0]
    water |= {"meter": f"N{house.meter}", "previous_read": 0.0}
    water["current_read"] = water["usage"] * 6
    _measure(water, house, water["current_read"])


def _of_another(house: House, other: House) -> None:
    """A charge stands on the wrong account: recycling, or a second time what all have."""
    refuse = next(line for line in other.lines[-1] if line["service"] == "REFUSE")
    other.lines[-1].remove(refuse)
    house.lines[-1].append(refuse if house.recycles else line_of("RECYCLING", 4_35, "RC"))


def _no_sewer(house: House, _other: House) -> None:
    house.lines[-1] = [line for line in house.lines[-1] if line["service"] != "SEWER"]


def _double_refuse(house: House, _other: House) -> None:
    lines = house.lines[-1]
    lines.append(dict(next(line for line in lines if line["service"] == "REFUSE")))


_SPOIL: dict[str, Callable[[House, House], None]] = {
    "swapped-meters": _swap,
    "doubled-charge": _double_refuse,
    "no-service-charge": _without_base,
    "estimated-again": _estimate,
    "decimal-slip": _slip,
    "stuck-at-zero": lambda house, _other: _use(house, 0.0),
    "negative-use": _negative,
    "billed-twice": _twice,
    "wrong-class": _as_shop,
    "class-price": _shop_price,
    "ten-times": lambda house, _other: _use(house, 10.0),
    "new-meter-high": _new_meter,
    "charge-of-another": _of_another,
    "no-sewer": _no_sewer,
}


def _rate_of_a_class(houses: list[House], _fees: list[set[str]]) -> None:
    """The shops' water is billed by a price a third too high."""
    for house in houses:
        if house.kind == "shop":
            house.lines[-1][0]["amount"] = round(house.lines[-1][0]["amount"] * 1.33)


def _late_fee_to_all(houses: list[House], fees: list[set[str]]) -> None:
    fees[-1] |= {house.key for house in houses}


def _tax_left_out(houses: list[House], _fees: list[set[str]]) -> None:
    for house in houses:
        house.lines[-1] = [line for line in house.lines[-1] if line["service"] != "TAX"]


_OF_ALL: dict[str, Callable[[list[House], list[set[str]]], None]] = {
    "rate-of-a-class": _rate_of_a_class,
    "late-fee-to-all": _late_fee_to_all,
    "tax-left-out": _tax_left_out,
}
