"""A fourth town, on the coast: gas, decimals of smart meters, slips, hotels and a spring month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

from bench.register.books import MONTHS, Line, Truth, WrittenPeriod, line_of, write_periods
from bench.register.towns import written_period

# kind: share of the accounts, rate of water, thousand gallons a day, therms of a cold day
KINDS = {
    "row house": (0.56, "R", 0.13, 2.4),
    "summer house": (0.09, "R", 0.15, 1.5),
    "tower": (0.04, "M", 3.2, 22.0),
    "office": (0.09, "C", 0.20, 5.0),
    "restaurant": (0.06, "C", 0.95, 9.0),
    "hotel": (0.02, "H", 4.5, 30.0),
    "warehouse": (0.04, "C", 0.05, 7.0),
    "fish plant": (0.01, "I", 14.0, 18.0),
    "slip": (0.06, "S", 0.04, 0.0),
    "sprinkler": (0.03, "L", 0.55, 0.0),
}
COLD = (1.0, 0.95, 0.7, 0.4, 0.15, 0.03, 0.0, 0.0, 0.08, 0.3, 0.6, 0.9)  # of a heating day
GUESTS = (0.3, 0.35, 0.5, 0.7, 0.9, 1.2, 1.6, 1.7, 1.1, 0.7, 0.4, 0.45)
DRY = (0.0, 0.0, 0.0, 0.25, 0.8, 1.2, 1.5, 1.4, 0.9, 0.2, 0.0, 0.0)
BASES = {"R": 12_10, "M": 96_00, "C": 27_40, "H": 142_00, "I": 310_00, "S": 6_00, "L": 19_00}
CAP = 9.0  # thousand gallons of a home, above which no sewer is charged
CARTS = {"32": 16_40, "64": 23_10, "96": 29_75}
WATER_ROSE, RISE = date(2026, 1, 1), 1.062


@dataclass
class Customer:
    """Who is billed; `smart` meters tell hundredths of a thousand gallons, others whole ones."""

    key: str
    kind: str
    since: int
    until: int
    smart: bool
    daily: float
    therms: float  # of a cold day; 0: no gas
    cart: str
    size: int  # of roof, or of the boat
    wobble: float
    moods: dict[int, float] = field(default_factory=dict)
    dials: dict[str, float] = field(default_factory=dict)
    left: float = 0.0  # thousand gallons that a whole-number dial has not shown yet
    owed: float = 0.0  # hundred cubic feet that estimates have left to the next read
    lines: list[list[Line]] = field(default_factory=list)

    @property
    def rate(self) -> str:
        return KINDS[self.kind][1]


def make_harbor(file: Path, accounts: int, *, seed: int = 777, spoiled: bool = True) -> Truth:
    """
    Write the books of a town whose March is reviewed, after a winter.

    Gas is read in hundred cubic feet and billed in therms by each month's own heat content, at
    each month's own price. Extra pick-ups of refuse stand on few bills, and on others each month.
    """
    from bench.register.harbor_slips import plant_harbor_slips

    random = Random(seed)
    town = [_customer(random, one) for one in range(accounts)]
    months = list(_months())
    for place, (start, end) in enumerate(months):
        weather = random.gauss(1, 0.08)
        heat, price = random.uniform(1.018, 1.052), random.uniform(78, 132)
        for customer in town:
            lines = _bill(random, customer, place, (start, end), weather, (heat, price))
            customer.lines.append(lines)
    truth = Truth(period="2026-03")
    if spoiled:
        plant_harbor_slips(random, town, truth)
    write_periods(file, list(_periods(random, town, months)))
    return truth


def _months() -> Iterator[tuple[date, date]]:
    for place in range(MONTHS):
        year, month = divmod(2025 * 12 + 2 + place, 12)
        following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
        yield date(year, month + 1, 1), following - timedelta(days=1)


def _customer(random: Random, one: int) -> Customer:
    kind = random.choices(tuple(KINDS), [told[0] for told in KINDS.values()])[0]
    _, _, daily, therms = KINDS[kind]
    customer = Customer(
        key=f"H{one:06}",
        kind=kind,
        since=random.randrange(MONTHS) if random.random() < 0.08 else -1,
        until=random.randrange(MONTHS) if random.random() < 0.05 else MONTHS,
        smart=random.random() < 0.4,
        daily=daily * random.lognormvariate(0, 0.6),
        therms=therms * random.lognormvariate(0, 0.4) if random.random() < 0.8 else 0.0,
        cart=random.choice(tuple(CARTS)),
        size=random.randrange(1, 4) if "house" in kind else random.randrange(3, 40),
        wobble=random.choice((0.07, 0.12, 0.2, 0.3)) * (2 if kind == "fish plant" else 1),
    )
    customer.until = max(customer.until, customer.since + 2)
    customer.dials = {"WATER": random.randrange(8_000), "GAS": random.randrange(90_000)}
    for month in range(MONTHS):
        if random.random() < 0.03:
            customer.moods[month] = random.choice((0.5, 0.7, 1.4, 1.8))
    if random.random() < 0.02:  # something runs, and is found some months later
        begin = random.randrange(MONTHS)
        running = range(begin, begin + random.randrange(1, 4))
        customer.moods |= dict.fromkeys(running, random.uniform(1.5, 3))
    return customer


def _times(customer: Customer, month: int) -> float:
    """Return how much of its usual use a customer has in a calendar month."""
    of_year = month - 1
    if customer.kind in ("hotel", "restaurant"):
        return GUESTS[of_year] if customer.kind == "hotel" else 0.5 + GUESTS[of_year] / 2
    if customer.kind == "summer house":
        return 1.0 if 5 <= month <= 10 else 0.0
    if customer.kind == "slip":
        return GUESTS[of_year] if 4 <= month <= 10 else 0.0
    if customer.kind == "sprinkler":
        return DRY[of_year]
    return 0.6 + 0.4 * GUESTS[of_year] if customer.kind == "fish plant" else 1.0


def _bill(
    random: Random, customer: Customer, place: int, dates: tuple[date, date], weather: float,
    gas: tuple[float, float],
) -> list[Line]:  # fmt: skip
    if not customer.since <= place <= customer.until:
        return []
    days = (dates[1] - dates[0]).days + 1
    if place in (customer.since, customer.until):
        days = random.randrange(4, days)
    part = days / 30 if days < 26 else 1.0
    rise = RISE if dates[0] >= WATER_ROSE else 1.0
    lines = [_water(random, customer, place, dates[0].month, days, rise, part)]
    if customer.therms:
        lines.append(_gas(random, customer, dates[0].month, days, weather, gas))
    if customer.kind not in ("sprinkler", "slip"):
        used = lines[0]["usage"]
        capped = min(used, CAP) if "house" in customer.kind else used
        lines.append(line_of("WASTEWATER", round(9_00 * part + 612 * capped), customer.rate))
        lines.append(line_of("REFUSE", round(CARTS[customer.cart] * part), customer.cart))
        lines.append(line_of("STORMWATER", round(3_35 * customer.size * part), "SW"))
    if customer.kind == "slip":
        lines.append(line_of("MOORAGE", round(4_10 * customer.size * part), "B"))
    lines.append(line_of("STREET LIGHTS", round(2_10 * part), ""))
    if random.random() < 0.006:
        lines.append(line_of("EXTRA PICKUP", 35_00, ""))
    lines.append(line_of("UTILITY TAX", round(0.055 * sum(one["amount"] for one in lines)), ""))
    return [line | {"days": days} for line in lines]


def _water(
    random: Random, customer: Customer, place: int, month: int, days: int, rise: float, part: float
) -> Line:
    times = _times(customer, month) * customer.moods.get(place, 1.0)
    true = customer.daily * times * days * random.lognormvariate(0, customer.wobble)
    shown = true + customer.left
    used = round(true, 2) if customer.smart else float(int(shown))
    customer.left = 0.0 if customer.smart else shown - used
    before = customer.dials["WATER"]
    customer.dials["WATER"] = round(before + used, 2)
    amount = round(rise * (BASES[customer.rate] * part + water_cents(used)))
    line = line_of("WATER", amount, customer.rate) | {"meter": f"W{customer.key}"}
    reads = {"previous_read": before, "current_read": customer.dials["WATER"]}
    return line | reads | {"usage": used, "read_type": "actual"}


def water_cents(used: float) -> float:
    """Return cents of a use in thousand gallons: 3 blocks."""
    return 415 * min(used, 4) + 640 * min(max(used - 4, 0), 11) + 905 * max(used - 15, 0)


def _gas(
    random: Random, customer: Customer, month: int, days: int, weather: float,
    gas: tuple[float, float],
) -> Line:  # fmt: skip
    heat, price = gas
    warm = 0.12 + COLD[month - 1] * weather
    away = 0.35 if customer.kind == "summer house" and not 5 <= month <= 10 else 1.0
    each = customer.therms * warm * away * days
    true = each * random.lognormvariate(0, customer.wobble / 2) + customer.owed
    estimated = random.random() < 0.04
    feet = max(round(each * 0.95 if estimated else true), 0)
    customer.owed = true - feet
    before = customer.dials["GAS"]
    customer.dials["GAS"] = before + feet
    therms = round(feet * heat)
    rate = "G1" if customer.rate in ("R", "M") else "G2"
    line = line_of("GAS", round(11_50 + therms * price), rate) | {"meter": f"G{customer.key}"}
    reads = {"previous_read": float(before), "current_read": float(before + feet)}
    told = "estimated" if estimated else "actual"
    return line | reads | {"usage": float(therms), "read_type": told}


def _periods(
    random: Random, town: list[Customer], months: list[tuple[date, date]]
) -> Iterator[WrittenPeriod]:
    for place, (start, end) in enumerate(months):
        yield written_period(
            f"{start:%Y-%m}", (start, end), town, place, random, pay_late=0.05,
            is_closed=place < MONTHS - 1,
        )  # fmt: skip
