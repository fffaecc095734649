"""A third town, with two cycles, people who move, cabins and two rises of prices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

from bench.register.books import MONTHS, Line, Truth, WrittenPeriod, line_of, write_periods
from bench.register.slips import plant_slips
from bench.register.towns import written_period

# kind: share of the accounts, rate of water, meter sizes, typical hundred cubic feet a day
KINDS = {
    "house": (0.70, "W10", ("3/4", "3/4", "3/4", "3/4", "1"), 0.20),
    "flats": (0.08, "W20", ("1", "1 1/2", "2"), 0.60),
    "cabin": (0.07, "W10", ("3/4",), 0.18),
    "trade": (0.11, "W30", ("3/4", "1", "1 1/2", "2", "3"), 0.45),
    "lawn": (0.03, "W40", ("1", "2"), 1.1),
    "school": (0.01, "W30", ("2", "3"), 2.2),
}
BASES = {"3/4": 18_60, "1": 31_00, "1 1/2": 58_50, "2": 92_00, "3": 181_00}
CARTS = {"T35": 14_20, "T65": 19_85, "T95": 25_50}
HEAT = (1.6, 1.35, 1.0, 0.6, 0.25, 0.35, 0.8, 0.75, 0.3, 0.4, 0.95, 1.45)  # of electric use
GROWTH = (0.0, 0.0, 0.05, 0.35, 0.9, 1.3, 1.55, 1.4, 0.85, 0.3, 0.0, 0.0)  # of what is watered
WATER_ROSE, WASTE_ROSE = (date(2026, 7, 1), 1.045), (date(2026, 10, 1), 1.03)


@dataclass
class Household:
    """An account with its meters; `moods` are what happens to it: month -> times its use."""

    key: str
    kind: str
    cycle: str
    since: int  # month of its first bill; before 0: always there
    until: int  # month of its final bill; MONTHS and more: stays
    rate: str
    size: str
    daily: float  # hundred cubic feet, indoors
    yard: float
    kilowatts: float  # a day; 0: no electric service
    cart: str
    units: int  # of roof and pavement, for storm water
    by_hand: bool  # is read by a person, who may not come
    wobble: float
    winter_average: float
    moods: dict[int, float] = field(default_factory=dict)
    dials: dict[str, float] = field(default_factory=dict)
    owed: float = 0.0  # use that estimates have left to the next read
    turned: int = 0  # how often the water meter was changed
    lines: list[list[Line]] = field(default_factory=list)  # one list a month, empty if not billed


def make_valley(file: Path, accounts: int, *, seed: int = 4099, spoiled: bool = True) -> Truth:
    """
    Write the books of a valley whose cycle A is reviewed; a quarter more are of cycle B.

    Nothing of the review is known here: how people use water and power, how readers err and what
    clerks key is made up from what billing offices tell.
    """
    random = Random(seed)
    town = [
        _household(random, one, "A" if one < accounts else "B") for one in range(accounts * 5 // 4)
    ]
    weather = [random.gauss(1, 0.06) for _ in range(MONTHS)]
    for month in range(MONTHS):
        for house in town:
            start, end = _dates(month, house.cycle)
            house.lines.append(_bill(random, house, month, start, end, weather[month]))
    truth = Truth(period="2026-10A")
    if spoiled:
        plant_slips(random, [house for house in town if house.cycle == "A"], truth)
    write_periods(file, list(_periods(random, town, truth)))
    return truth


def _dates(month: int, cycle: str) -> tuple[date, date]:
    """Return first and last day: cycle A is read on the last days, cycle B around the fifteenth."""
    late = (0, 1, -1, 0, 2, 0, -1, 0, 0, 1, 0, -1, 0, 1)

    def read(place: int) -> date:
        year, of_year = divmod(2025 * 12 + 9 + place, 12)
        day = date(year, of_year + 1, 1) - timedelta(days=1)
        return day + timedelta(days=(late[place] if cycle == "A" else 15 - late[place]))

    return read(month) + timedelta(days=1), read(month + 1)


def _household(random: Random, one: int, cycle: str) -> Household:
    kind = random.choices(tuple(KINDS), [told[0] for told in KINDS.values()])[0]
    _, rate, sizes, typical = KINDS[kind]
    size = random.choice(sizes)
    larger = 1 + (0.9 * tuple(BASES).index(size) if kind in ("trade", "flats", "lawn") else 0)
    daily = typical * larger * random.lognormvariate(0, 0.55)
    yard = daily * random.choice((0, 0, 0.3, 0.8, 1.5)) if kind in ("house", "cabin") else 0.0
    household = Household(
        key=f"{cycle}{one:06}",
        kind=kind,
        cycle=cycle,
        since=random.randrange(MONTHS) if random.random() < 0.09 else -1,
        until=random.randrange(MONTHS) if random.random() < 0.06 else MONTHS,
        rate=rate,
        size=size,
        daily=0.0 if kind == "lawn" else daily,
        yard=daily if kind == "lawn" else yard,
        kilowatts=random.lognormvariate(3.0, 0.45) if random.random() < 0.45 else 0.0,
        cart=random.choice(tuple(CARTS)),
        units=1 if kind in ("house", "cabin") else random.randrange(2, 30),
        by_hand=random.random() < 0.3,
        wobble=random.choice((0.08, 0.12, 0.18, 0.25, 0.4)),
        winter_average=max(1.0, round(daily * 30 * random.uniform(0.8, 1.1))),
    )
    household.until = max(household.until, household.since + 2)
    household.dials = {
        "WATER": float(random.randrange(0, 9_000)),
        "ELECTRIC": random.randrange(90_000),
    }
    household.moods = _moods(random, kind)
    return household


def _moods(random: Random, kind: str) -> dict[int, float]:
    """Choose guests, journeys, leaks that run until they are found, and houses left empty."""
    moods: dict[int, float] = {}
    for month in range(MONTHS):
        chance = random.random()
        if chance < 0.025:
            moods[month] = random.uniform(1.2, 1.7)  # guests
        elif chance < 0.055:
            moods[month] = random.uniform(0.35, 0.8)  # a journey
        elif chance < 0.057:
            running = random.uniform(1.6, 4)
            for later in range(month, min(month + random.randrange(1, 4), MONTHS)):
                moods[later] = running
        elif chance < 0.0585 and kind == "house":
            for later in range(month, min(month + random.randrange(2, 7), MONTHS)):
                moods[later] = 0.0  # between two tenants
    return moods


def _bill(
    random: Random, house: Household, month: int, start: date, end: date, weather: float
) -> list[Line]:
    if not house.since <= month <= house.until:
        return []
    days = (end - start).days + 1
    if month in (house.since, house.until):
        days = random.randrange(5, days)
    water = _water(random, house, month, start, days, weather)
    rise = WATER_ROSE[1] if start >= WATER_ROSE[0] else 1.0
    lines = [_price_water(line, house, start, days, rise) for line in water]
    if house.kind != "lawn":
        lines += _flat(house, start, days)
        used = sum(line["usage"] for line in water)
        basis = used if house.kind in ("trade", "school") else house.winter_average
        lines.append(
            line_of("SEWER", round((9_80 + 385 * basis) * (rise + 1) / 2), f"S{house.rate[1:]}")
        )
    if house.kilowatts and house.kind in ("house", "cabin"):
        lines.append(_power(random, house, month, start, days, weather))
    for line in lines:
        line["days"] = days
    return lines


def _factor(house: Household, start: date, month: int) -> float:
    of_year = start.month - 1
    if house.kind == "cabin":  # open from May to September, and some weekends
        return 1.0 if 5 <= start.month <= 9 else 0.0
    if house.kind == "school":
        return 0.3 if start.month in (7, 8) else 1.0
    return 0.0 if house.kind == "lawn" and not GROWTH[of_year] else house.moods.get(month, 1.0)


def _water(
    random: Random, house: Household, month: int, start: date, days: int, weather: float
) -> list[Line]:
    each = house.daily + house.yard * GROWTH[start.month - 1] * weather
    times = _factor(house, start, month) * random.lognormvariate(0, house.wobble)
    true = each * times * days + house.owed
    estimated = house.by_hand and random.random() < (0.12 if start.month in (12, 1, 2) else 0.03)
    used = round(each * days * 0.9) if estimated else max(round(true), 0)
    house.owed = true - used
    meters = [used]
    if not estimated and random.random() < 0.004:  # a new meter: the old one's use, and its own
        old = random.randrange(used + 1)
        meters = [old, used - old]
    lines = []
    for place, part in enumerate(meters):
        if place:
            house.turned, house.dials["WATER"] = house.turned + 1, 0.0
        lines.append(_metered(house, "WATER", f"{house.key}-{house.turned}", part, house.rate))
        lines[-1]["read_type"] = "estimated" if estimated else "actual"
    return lines


def _metered(house: Household, service: str, meter: str, used: float, rate: str) -> Line:
    before = house.dials[service]
    house.dials[service] += used
    line = line_of(service, 0, rate) | {"meter": f"{service[0]}-{meter}", "read_type": "actual"}
    return line | {"usage": float(used), "previous_read": before, "current_read": before + used}


def water_price(used: float, size: str, start: date, days: int, rise: float) -> int:
    """Return cents: the base by size and days, then three blocks, dearer in summer."""
    base = BASES[size] * (1.0 if days > 26 else days / 30)
    summer = 1.15 if 6 <= start.month <= 9 else 1.0
    first, second, third = min(used, 8), min(max(used - 8, 0), 22), max(used - 30, 0)
    return round((base + summer * (first * 210 + second * 345 + third * 520)) * rise)


def _price_water(line: Line, house: Household, start: date, days: int, rise: float) -> Line:
    """Price a line; the second meter of a month has no base of its own."""
    amount = water_price(line["usage"], house.size, start, days, rise)
    if house.turned and line["previous_read"] == 0.0 and line["meter"].endswith(f"-{house.turned}"):
        amount -= round(BASES[house.size] * (1.0 if days > 26 else days / 30) * rise)
    return line | {"amount": amount}


def _flat(house: Household, start: date, days: int) -> Iterator[Line]:
    part = 1.0 if days > 26 else days / 30
    rise = WASTE_ROSE[1] if start >= WASTE_ROSE[0] else 1.0
    if house.kind in ("house", "cabin"):
        yield line_of("SOLID WASTE", round(CARTS[house.cart] * rise * part), house.cart)
    else:
        yield line_of("SOLID WASTE", round(42_00 * (1 + house.units // 6) * rise * part), "TD")
    yield line_of("STORM", round(5_75 * house.units * part), "D1")


def _power(
    random: Random, house: Household, month: int, start: date, days: int, weather: float
) -> Line:
    times = _factor(house, start, month) or 0.12  # the refrigerator
    hot = 0.4 + HEAT[start.month - 1] * (2 - weather)
    used = round(house.kilowatts * hot * times * days * random.lognormvariate(0, house.wobble / 2))
    line = _metered(house, "ELECTRIC", house.key, used, "E1")
    first = min(used, 600)
    return line | {"amount": round(14_50 + first * 10.9 + (used - first) * 13.6)}


def _periods(random: Random, town: list[Household], truth: Truth) -> Iterator[WrittenPeriod]:
    for month in range(MONTHS):
        for cycle in "AB":
            here = [house for house in town if house.cycle == cycle]
            period = f"{date(2025 + (month + 9) // 12, (month + 9) % 12 + 1, 1):%Y-%m}{cycle}"
            yield written_period(
                period, _dates(month, cycle), here, month, random, pay_late=0.06, cycle=cycle,
                is_closed=period != truth.period and not (cycle == "B" and month == MONTHS - 1),
            )  # fmt: skip
