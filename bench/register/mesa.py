"""A fifth town, on a dry plain: bills of one and two months, prices that change within a month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

from bench.register.books import MONTHS, Line, Truth, WrittenPeriod, line_of, write_periods
from bench.register.towns import written_period

# kind: share of the accounts, class, thousand gallons a day indoors, kilowatt-hours a day
KINDS = {
    "home": (0.62, "RES", 0.15, 21.0),
    "septic home": (0.09, "RES", 0.16, 26.0),
    "snowbird": (0.05, "RES", 0.10, 17.0),
    "apartments": (0.03, "MF", 1.9, 40.0),
    "store": (0.09, "COM", 0.16, 95.0),
    "bakery": (0.01, "COM", 0.85, 410.0),
    "farm stand": (0.02, "COM", 0.12, 30.0),
    "school": (0.015, "INST", 1.6, 520.0),
    "mill": (0.015, "LG", 3.5, 2900.0),
    "park": (0.02, "INST", 0.0, 6.0),
    "church": (0.04, "INST", 0.07, 34.0),
}
BASES = {"RES": 16_75, "MF": 11_40, "COM": 29_80, "INST": 44_00, "LG": 188_00}  # MF: each unit
YARD = (0.0, 0.0, 0.1, 0.5, 1.0, 1.5, 1.7, 1.5, 1.0, 0.4, 0.0, 0.0)
COOL = (1.15, 1.0, 0.85, 0.75, 0.9, 1.4, 1.8, 1.65, 1.2, 0.8, 0.85, 1.1)
SUN = (0.5, 0.6, 0.9, 1.1, 1.3, 1.4, 1.35, 1.2, 1.0, 0.8, 0.55, 0.45)
CANS = {"CAN1": 15_85, "CAN2": 24_10}
LIFT = 17_60  # cents of an emptied dumpster
DROUGHT, DROUGHT_PRICE, DROUGHT_SAVES = date(2026, 7, 10), 1.12, 0.75
CAP = 8  # thousand gallons of a month, above which a home's winter does not count
FIRST = (2025, 7)  # year and month of the first period


@dataclass
class Premise:
    """A customer's place. `every` is 1 or 2: how many months a bill is for."""

    key: str
    kind: str
    since: int
    until: int
    every: int
    radio: bool  # a meter that tells tens of gallons, not whole thousands
    indoors: float
    yard: float  # thousand gallons of a warm day, on the same meter
    ditch: float  # thousand gallons of a warm day, on a second meter; 0: none
    acres: float  # of unmetered irrigation; 0: none
    power: float
    panels: float  # kilowatt-hours sent back on a day of even sun
    units: int
    lifts: int
    can: str
    winter: int  # thousand gallons a month, which a home's sewer is charged by
    is_senior: bool
    plan: int  # cents of an even bill a month; 0: not on the plan
    wobble: float
    extra_cans: range
    moods: dict[int, float] = field(default_factory=dict)
    dials: dict[str, float] = field(default_factory=dict)
    unseen: float = 0.0
    lines: list[list[Line]] = field(default_factory=list)

    @property
    def rate(self) -> str:
        return KINDS[self.kind][1]

    @property
    def is_home(self) -> bool:
        return self.rate == "RES"


def make_mesa(file: Path, accounts: int, *, seed: int = 9001, spoiled: bool = True) -> Truth:
    """
    Write the books of a town whose July is reviewed, in the second month of a drought.

    A quarter of the homes is billed every second month, in steps of a price twice as wide. New
    prices hold from July 10, so that each bill blends old and new by its days.
    """
    from bench.register.mesa_slips import plant_mesa_slips

    random = Random(seed)
    town = [_premise(random, one) for one in range(accounts)]
    for month in range(MONTHS):
        weather = random.gauss(1, 0.07)
        for premise in town:
            premise.lines.append(_bill(random, premise, month, weather))
    truth = Truth(period="2026-07")
    if spoiled:
        plant_mesa_slips(random, town, truth)
    write_periods(file, list(_periods(random, town)))
    return truth


def dates_of(month: int, every: int = 1) -> tuple[date, date]:
    """Return first and last day of what a bill of a month is for."""
    start = month - every + 1

    def first_of(place: int) -> date:
        year, of_year = divmod(FIRST[0] * 12 + FIRST[1] - 1 + place, 12)
        return date(year, of_year + 1, 1)

    return first_of(start), first_of(month + 1) - timedelta(days=1)


def _premise(random: Random, one: int) -> Premise:
    kind = random.choices(tuple(KINDS), [told[0] for told in KINDS.values()])[0]
    _, rate, indoors, power = KINDS[kind]
    is_home = rate == "RES"
    units = random.randrange(6, 40) if kind == "apartments" else 1
    daily = indoors * random.lognormvariate(0, 0.45) * (units / 18 if units > 1 else 1)
    premise = Premise(
        key=f"{40_000 + one}",
        kind=kind,
        since=random.randrange(MONTHS) if random.random() < 0.10 else -2,
        until=random.randrange(MONTHS) if random.random() < 0.06 else MONTHS,
        every=2 if is_home and random.random() < 0.25 else 1,
        radio=random.random() < 0.3,
        indoors=daily,
        yard=random.choice((0, 0.1, 0.2, 0.35)) if is_home and random.random() < 0.6 else 0.0,
        ditch=_ditch(random, kind),
        acres=random.choice((0.25, 0.25, 0.5, 1.0)) if is_home and random.random() < 0.15 else 0.0,
        power=power * random.lognormvariate(0, 0.4) if random.random() < 0.9 else 0.0,
        panels=random.uniform(8, 30) if is_home and random.random() < 0.07 else 0.0,
        units=units,
        lifts=random.choice((4, 8, 8, 13)) if not is_home else 0,
        can=random.choice(tuple(CANS)) if is_home else "",
        winter=max(1, round(daily * 30 * random.uniform(0.85, 1.2))),
        is_senior=is_home and random.random() < 0.06,
        plan=100 * random.randrange(90, 240) if is_home and random.random() < 0.06 else 0,
        wobble=random.choice((0.06, 0.1, 0.16, 0.28)),
        extra_cans=_spell(random, 0.01),
    )
    premise.until = max(premise.until, premise.since + 3)
    premise.dials = {"WATER": random.randrange(6_000), "ELECTRIC": random.randrange(80_000),
                     "DITCH": random.randrange(900), "PANELS": random.randrange(9_000)}  # fmt: skip
    for month in range(MONTHS):
        if random.random() < 0.025:
            premise.moods[month] = random.choice((0.4, 0.75, 1.3, 1.6))
    leaking = _spell(random, 0.03)
    premise.moods |= dict.fromkeys(leaking, random.uniform(1.7, 3.5))
    return premise


def _ditch(random: Random, kind: str) -> float:
    if kind == "park":
        return random.uniform(1.5, 9)
    has_one = random.random() < (0.12 if "home" in kind else 0.25)
    return random.uniform(0.15, 0.6) * (1 if "home" in kind else 3) if has_one else 0.0


def _spell(random: Random, chance: float) -> range:
    begin = random.randrange(MONTHS) if random.random() < chance else MONTHS
    return range(begin, begin + random.randrange(1, 4))


def _bill(random: Random, premise: Premise, month: int, weather: float) -> list[Line]:
    start, end = dates_of(month, premise.every)
    if not premise.since <= month <= premise.until or (
        premise.every == 2 and (month + int(premise.key)) % 2
    ):
        return []
    days = (end - start).days + 1
    if month in (premise.since, premise.until):
        days = random.randrange(6, days)
    lines = _metered_lines(random, premise, month, days, weather)
    part = days / 30 if days < 26 or (premise.every == 2 and days < 57) else float(premise.every)
    lines += _unmetered_lines(premise, month, part, sum_of(lines, "WATER"))
    if premise.is_senior:
        basis = sum(one["amount"] for one in lines if one["service"] in ("WATER", "SEWER"))
        lines.append(line_of("SENIOR DISCOUNT", -round(0.2 * basis), "SD"))
    if month in premise.extra_cans and premise.is_home:
        lines.append(line_of("EXTRA CAN", 6_25 * premise.every, "XC"))
    if month - 1 in premise.moods and premise.moods[month - 1] > 1.65 and random.random() < 0.5:
        lines.append(line_of("LEAK ADJUSTMENT", -random.randrange(12_00, 160_00), ""))
    if premise.plan:
        actual = sum(one["amount"] for one in lines)
        lines.append(line_of("BUDGET PLAN", premise.plan * premise.every - actual, "BP"))
    return [line | {"days": days} for line in lines]


def sum_of(lines: list[Line], service: str) -> float:
    """Return the use of a service's lines."""
    return sum(one["usage"] for one in lines if one["service"] == service)


def _metered_lines(
    random: Random, premise: Premise, month: int, days: int, weather: float
) -> list[Line]:
    at = dates_of(month)[0].month
    dry = DROUGHT_SAVES if month >= MONTHS - 2 else 1.0
    times = _times(premise, at) * premise.moods.get(month, 1.0)
    warm = YARD[at - 1] * weather * dry
    lines: list[Line] = []
    if premise.indoors:
        true = (premise.indoors * times + premise.yard * warm * min(times, 1)) * days
        lines += _water(random, premise, month, days, true * _wobbly(random, premise))
    if premise.ditch and 4 <= at <= 10:
        used = round(premise.ditch * warm * days * _wobbly(random, premise))
        line = _measured(premise, "DITCH", "IRRIGATION", used, f"IRR-{premise.rate}")
        lines.append(line | {"amount": round(12_00 * premise.every + 145 * used)})
    if premise.power:
        cool = 0.45 + 0.55 * COOL[at - 1] * weather if premise.kind != "bakery" else 1.0
        each = premise.power * cool * max(times, 0.1) * days
        used = round(each * random.lognormvariate(0, premise.wobble / 2))
        lines += _electric(premise, used, days)
    if premise.panels and premise.power:
        sent = round(premise.panels * SUN[at - 1] * days * random.uniform(0.85, 1.1))
        line = _measured(premise, "PANELS", "SOLAR CREDIT", sent, "NEM")
        lines.append(line | {"amount": -round(7.1 * sent)})
    return lines


def _wobbly(random: Random, premise: Premise) -> float:
    return random.lognormvariate(0, premise.wobble)


def _times(premise: Premise, at: int) -> float:
    """Return how much of its usual use a place has in a calendar month."""
    if premise.kind == "school":
        return 0.25 if at in (6, 7) else 1.0
    if premise.kind == "snowbird":
        return 0.0 if 5 <= at <= 9 else 1.0
    if premise.kind == "farm stand":
        return 1.3 if 6 <= at <= 10 else 0.15
    return 0.8 if premise.kind == "church" and at in (6, 7, 8) else 1.0


def _water(random: Random, premise: Premise, month: int, days: int, true: float) -> list[Line]:
    estimated = random.random() < 0.015
    true = true + premise.unseen
    used = round(true, 2) if premise.radio else float(int(true))
    premise.unseen = 0.0 if premise.radio else true - used
    parts = [1.0] if premise.kind != "apartments" else [0.5, 0.3, 0.2]
    lines = []
    for place, share in enumerate(parts):
        own = round(used * share, 2) if premise.radio else float(round(used * share))
        line = _measured(premise, f"WATER{place or ''}", "WATER", own, premise.rate)
        line["read_type"] = "estimated" if estimated else "actual"
        line["amount"] = water_cents(premise, own, month, days, with_base=not place)
        lines.append(line)
    return lines


def water_cents(
    premise: Premise, used: float, month: int, days: int, *, with_base: bool = True,
    season: int = 0,
) -> int:  # fmt: skip
    """Return cents: a base for each unit, and steps of a price that is dearer in summer."""
    at = season or dates_of(month)[0].month
    steps = (2.05, 3.10, 4.90) if 5 <= at <= 9 else (1.95, 2.45, 2.95)
    wide = premise.every * (premise.units if premise.units > 1 else 1)
    first = min(used, 5 * wide)
    second = min(max(used - 5 * wide, 0), 10 * wide)
    third = max(used - 15 * wide, 0)
    cents = 100 * (first * steps[0] + second * steps[1] + third * steps[2])
    part = days / 30 if days < 26 else float(premise.every)
    base = BASES[premise.rate] * premise.units * part if with_base else 0.0
    since = max((dates_of(month)[1] - DROUGHT).days + 1, 0)
    new = min(since / days, 1.0)
    return round((base + cents) * (1 + (DROUGHT_PRICE - 1) * new))


def _measured(premise: Premise, dial: str, service: str, used: float, rate: str) -> Line:
    before = premise.dials.setdefault(dial, 100.0)
    premise.dials[dial] = round(before + used, 2)
    line = line_of(service, 0, rate) | {"meter": f"{dial}-{premise.key}", "read_type": "actual"}
    reads = {"previous_read": float(before), "current_read": premise.dials[dial]}
    return line | reads | {"usage": float(used)}


def _electric(premise: Premise, used: int, days: int) -> list[Line]:
    rate = {"RES": "E-RES", "MF": "E-RES", "LG": "E-LG"}.get(premise.rate, "E-COM")
    multiple = 40 if rate == "E-LG" else 1  # of transformers before the meter
    shown = used // multiple
    line = _measured(premise, "ELECTRIC", "ELECTRIC", shown, rate)
    line |= {"usage": float(shown * multiple), "amount": electric_cents(premise, shown * multiple)}
    if rate != "E-LG":
        return [line]
    kilowatts = float(round(used / days / 24 / 0.45))
    demand = line_of("DEMAND", round(kilowatts * 11_20), rate)
    return [line, demand | {"usage": kilowatts, "meter": line["meter"], "read_type": "actual"}]


def electric_cents(premise: Premise, used: float) -> int:
    """Return cents: homes pay more above 700 a month, a mill little for much."""
    if premise.rate == "LG":
        return round(95_00 + used * 6.2)
    if premise.rate in ("RES", "MF"):
        first = min(used, 700 * premise.every)
        return round(11_00 * premise.every + first * 10.4 + (used - first) * 13.1)
    return round(24_00 + used * 11.7)


def _unmetered_lines(premise: Premise, month: int, part: float, water: float) -> Iterator[Line]:
    at = dates_of(month)[0].month
    if premise.kind == "septic home":
        if at in (1, 4, 7, 10) and premise.every == 1:
            yield line_of("SEPTIC INSPECTION", 12_50, "")
    elif premise.is_home:
        yield line_of("SEWER", home_sewer(premise, part), "SRES")
    elif premise.indoors:
        yield line_of("SEWER", round(premise.units * 14_20 * part + 310 * water), "SCOM")
    if premise.acres and 4 <= at <= 10:
        yield line_of("DITCH SHARE", round(44_00 * premise.acres * part), "ACRE")
    if premise.is_home:
        yield line_of("GARBAGE", round(CANS[premise.can] * part), premise.can)
    elif premise.kind != "park":
        yield line_of("GARBAGE", round(LIFT * premise.lifts * part), "DUMP")
    trips = premise.units if premise.is_home or premise.units > 1 else premise.lifts * 3
    yield line_of("STREETS", round(4_15 * trips * part), f"T{trips}")
    if premise.rate in ("COM", "LG"):
        yield line_of("SALES TAX", round(0.047 * (3_000 * part + 250 * water)), "")


def home_sewer(premise: Premise, part: float, winter: int = 0) -> int:
    """Return cents by what a home used in winter, a year long, up to the cap."""
    return round(part * (17_30 + 295 * (winter or min(premise.winter, CAP))))


def _periods(random: Random, town: list[Premise]) -> Iterator[WrittenPeriod]:
    """June's late fees were let wait by the council, and stand with July's."""
    for month in range(MONTHS):
        late = {MONTHS - 2: 0.0, MONTHS - 1: 0.11}.get(month, 0.055)
        dates = dates_of(month)
        yield written_period(
            f"{dates[0]:%Y-%m}", dates, town, month, random, pay_late=late,
            is_closed=month < MONTHS - 1,
        )  # fmt: skip
