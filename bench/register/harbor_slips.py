"""What goes wrong on the way to a harbor's bills, planted in its last month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from bench.register.books import MONTHS, Truth, line_of
from bench.register.harbor import CAP, Customer, water_cents
from bench.register.towns import bill_line, month_again, plant

THERM = 105  # cents, about: what a changed use is billed by
Slip = Callable[[Customer, Random], None]


def plant_harbor_slips(random: Random, town: Sequence[Customer], truth: Truth) -> None:
    """Spoil an account once at most; each kind some four in a thousand, and never fewer than 8."""
    each = max(len(town) // 250, 8)
    free = [one for one in town if one.since < MONTHS - 8 and one.until >= MONTHS]
    free = [one for one in free if not {MONTHS - 1, MONTHS - 2} & set(one.moods)]
    random.shuffle(free)
    plant(HARBOR_SLIPS, free, each, random, truth)


def _is_home(customer: Customer) -> bool:
    return customer.kind == "row house" and bill_line(customer, "WATER")["usage"] >= 2


def _heats(customer: Customer) -> bool:
    return customer.kind == "row house" and customer.therms > 0 and _was_read(customer)


def _was_read(customer: Customer) -> bool:
    return all(bill_line(customer, "GAS", back)["read_type"] == "actual" for back in (1, 2))


def _of_kind(*kinds: str) -> Callable[[Customer], bool]:
    return lambda customer: customer.kind in kinds


def _bill_water(customer: Customer, used: float) -> None:
    line = bill_line(customer, "WATER")
    line["amount"] += round(water_cents(max(used, 0)) - water_cents(line["usage"]))
    line["usage"] = used
    line["current_read"] = round(line["previous_read"] + used, 2)


def _bill_gas(customer: Customer, therms: float) -> None:
    line = bill_line(customer, "GAS")
    line["amount"] += round((max(therms, 0) - line["usage"]) * THERM)
    line["usage"] = float(therms)
    line["current_read"] = line["previous_read"] + round(therms / 1.035)


def _point_lost(customer: Customer, _random: Random) -> None:
    """The decimal point of a smart meter was lost: a hundred times as much."""
    _bill_water(customer, round(bill_line(customer, "WATER")["usage"] * 100))


def _burst(customer: Customer, random: Random) -> None:
    """A pipe burst where nobody is all winter."""
    _bill_water(customer, float(random.randrange(20, 90)))


def _digit(customer: Customer, random: Random) -> None:
    _bill_gas(customer, bill_line(customer, "GAS")["usage"] + 100 * random.randrange(2, 9))


def _slow_gas(customer: Customer, _random: Random) -> None:
    _bill_gas(customer, round(bill_line(customer, "GAS")["usage"] * 0.15))


def _dial_of_ten(customer: Customer, _random: Random) -> None:
    """Therms are ten times what the dial says."""
    line = bill_line(customer, "GAS")
    line["amount"] += round(9 * line["usage"] * THERM)
    line["usage"] *= 10


def _without_cap(customer: Customer, random: Random) -> None:
    """A home's sewer is charged for what waters nobody's drain: 10 and more above the cap."""
    bill_line(customer, "WASTEWATER")["amount"] = round(
        9_00 + 612 * (CAP + random.randrange(10, 40))
    )


def _wrong_cart(customer: Customer, _random: Random) -> None:
    line = bill_line(customer, "REFUSE")
    line["amount"] += 13_35


def _lights(customer: Customer, _random: Random) -> None:
    bill_line(customer, "STREET LIGHTS")["amount"] *= 10


def _hotel_code(customer: Customer, _random: Random) -> None:
    bill_line(customer, "WATER")["rate_code"] = "H"


def _hotel_base(customer: Customer, _random: Random) -> None:
    """The code is the office's, and the base that of a hotel."""
    bill_line(customer, "WATER")["amount"] += 138_00 - 27_40


def _keyed_before(customer: Customer, _random: Random) -> None:
    """The read before was keyed anew, and is not the one of the last bill."""
    line = bill_line(customer, "GAS")
    line["previous_read"] -= 60
    line["usage"] += 62.0
    line["amount"] += 62 * THERM


def _backwards(customer: Customer, _random: Random) -> None:
    line = bill_line(customer, "GAS")
    line["current_read"], line["previous_read"] = line["previous_read"] - 40, line["previous_read"]
    line["usage"] = -41.0


def _dropped(service: str) -> Slip:
    return lambda customer, _random: customer.lines[-1].remove(bill_line(customer, service))


def _doubled(service: str) -> Slip:
    return lambda customer, _random: customer.lines[-1].append(dict(bill_line(customer, service)))


def _moorage(customer: Customer, _random: Random) -> None:
    """A boat's place is charged to a house."""
    customer.lines[-1].append(line_of("MOORAGE", 73_80, "B") | {"days": 31})


def _stuck(customer: Customer, _random: Random) -> None:
    now = bill_line(customer, "GAS")
    for back in (2, 3):
        line = bill_line(customer, "GAS", back)
        line["usage"], line["amount"] = now["usage"], now["amount"]


def _never_read(customer: Customer, _random: Random) -> None:
    for back in (1, 2, 3):
        bill_line(customer, "GAS", back)["read_type"] = "estimated"


HARBOR_SLIPS: dict[str, tuple[Callable[[Customer], bool], Slip]] = {
    "hotel-base": (_of_kind("office"), _hotel_base),
    "burst-in-winter": (_of_kind("summer house"), _burst),
    "point-lost": (lambda one: _is_home(one) and one.smart, _point_lost),
    "dead-water": (_is_home, lambda one, _random: _bill_water(one, 0.0)),
    "gas-misread": (_heats, _digit),
    "dead-gas": (_heats, lambda one, _random: _bill_gas(one, 0)),
    "slow-gas": (_heats, _slow_gas),
    "dial-of-ten": (_heats, _dial_of_ten),
    "stuck-gas": (_heats, _stuck),
    "gas-backwards": (_heats, _backwards),
    "keyed-before": (_heats, _keyed_before),
    "never-read": (_heats, _never_read),
    "no-gas": (_heats, _dropped("GAS")),
    "month-again": (_heats, month_again),
    "without-cap": (_of_kind("row house"), _without_cap),
    "wrong-cart": (_of_kind("row house"), _wrong_cart),
    "lights-ten-times": (_of_kind("row house"), _lights),
    "hotel-code": (_of_kind("row house"), _hotel_code),
    "no-wastewater": (_is_home, _dropped("WASTEWATER")),
    "refuse-twice": (_of_kind("row house"), _doubled("REFUSE")),
    "moorage-of-another": (_of_kind("row house"), _moorage),
}
