"""What goes wrong with the bills of the town on the plain, planted in its last month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from bench.register.books import MONTHS, Truth, line_of
from bench.register.mesa import LIFT, Premise, electric_cents, home_sewer, water_cents
from bench.register.towns import bill_line, month_again, plant

Slip = Callable[[Premise, Random], None]
LAST = MONTHS - 1


def plant_mesa_slips(random: Random, town: Sequence[Premise], truth: Truth) -> None:
    """Spoil an account once at most; each kind some four in a thousand where there are so many."""
    each = max(len(town) // 250, 8)
    free = [one for one in town if one.lines[-1] and one.since < MONTHS - 8 and one.until >= MONTHS]
    free = [one for one in free if not {LAST, LAST - 1, LAST - 2} & set(one.moods)]
    random.shuffle(free)
    plant(MESA_SLIPS, free, each, random, truth)


def _has(*services: str) -> Callable[[Premise], bool]:
    return lambda one: set(services) <= {line["service"] for line in one.lines[-1]}


def _is(*kinds: str, every: tuple[int, ...] = (1, 2)) -> Callable[[Premise], bool]:
    return lambda one: one.kind in kinds and one.every in every and bool(one.indoors)


def _uses_water(one: Premise) -> bool:
    return one.kind in ("home", "septic home") and bill_line(one, "WATER")["usage"] >= 4


def _uses_power(one: Premise) -> bool:
    return one.kind in ("home", "septic home", "store") and bool(one.power)


def _bill_water(one: Premise, used: float) -> None:
    line = bill_line(one, "WATER")
    line["usage"] = used
    line["current_read"] = round(line["previous_read"] + used, 2)
    line["amount"] = water_cents(one, max(used, 0), LAST, line["days"])


def _bill_power(one: Premise, used: float) -> None:
    line = bill_line(one, "ELECTRIC")
    line |= {"usage": float(used), "current_read": line["previous_read"] + used}
    line["amount"] = electric_cents(one, used)


def _misread(one: Premise, random: Random) -> None:
    _bill_water(one, bill_line(one, "WATER")["usage"] + 10 * one.every * random.randrange(3, 9))


def _two_in_one(one: Premise, _random: Random) -> None:
    """Somebody billed every month gets two months of power as one."""
    _bill_power(one, round(bill_line(one, "ELECTRIC")["usage"] * 2.3))


def _solar_sign(one: Premise, _random: Random) -> None:
    bill_line(one, "SOLAR CREDIT")["amount"] *= -1


def _solar_of_another(one: Premise, random: Random) -> None:
    sent = random.randrange(500, 1_100)
    credit = line_of("SOLAR CREDIT", -round(7.1 * sent), "NEM")
    one.lines[-1].append(credit | {"usage": float(sent), "days": 31})


def _winter(one: Premise, _random: Random) -> None:
    """A home's winter is keyed without its cap, and with the garden."""
    line = bill_line(one, "SEWER")
    line["amount"] = home_sewer(one, float(one.every), one.winter * 3 + 8)


def _winter_price(one: Premise, _random: Random) -> None:
    line = bill_line(one, "WATER")
    line["amount"] = water_cents(one, line["usage"], LAST, line["days"], season=1)


def _septic_sewer(one: Premise, _random: Random) -> None:
    one.lines[-1].append(line_of("SEWER", 17_30 + 295 * 5, "SRES") | {"days": 31})


def _one_unit(one: Premise, _random: Random) -> None:
    """All flats but one are forgotten in the base."""
    bill_line(one, "WATER")["amount"] -= 11_40 * (one.units - 1)


def _meter_left_out(one: Premise, _random: Random) -> None:
    one.lines[-1] = [line for line in one.lines[-1] if not line["meter"].startswith("WATER1")]


def _old_and_new(one: Premise, _random: Random) -> None:
    """Both prices for the whole month, in place of each for its days."""
    bill_line(one, "WATER")["amount"] *= 2


def _discount(one: Premise, _random: Random) -> None:
    basis = bill_line(one, "WATER")["amount"] + bill_line(one, "SEWER")["amount"]
    one.lines[-1].append(line_of("SENIOR DISCOUNT", -round(0.2 * basis), "SD") | {"days": 31})


def _demand(one: Premise, _random: Random) -> None:
    line = bill_line(one, "DEMAND")
    line |= {"usage": line["usage"] * 10, "amount": line["amount"] * 10}


def _multiple_lost(one: Premise, _random: Random) -> None:
    line = bill_line(one, "ELECTRIC")
    line["usage"] = line["usage"] // 40
    line["amount"] = electric_cents(one, line["usage"])


def _ditch_misread(one: Premise, random: Random) -> None:
    line = bill_line(one, "IRRIGATION")
    more = 100 * random.randrange(2, 6)
    line |= {"usage": line["usage"] + more, "current_read": line["current_read"] + more}
    line["amount"] += 145 * more


def _own_meters(one: Premise, _random: Random) -> None:
    """The reads of the house and of the garden were keyed the wrong way round."""
    house, garden = bill_line(one, "WATER"), bill_line(one, "IRRIGATION")
    was, other = house["current_read"], garden["current_read"]
    house["current_read"], garden["current_read"] = other, was
    for line in (house, garden):
        line["usage"] = line["current_read"] - line["previous_read"]


def _lifts(one: Premise, _random: Random) -> None:
    bill_line(one, "GARBAGE")["amount"] += 2 * LIFT * one.lifts


def _stuck(one: Premise, _random: Random) -> None:
    now = bill_line(one, "ELECTRIC")
    for back in (1 + one.every, 1 + 2 * one.every):
        line = bill_line(one, "ELECTRIC", back)
        line["usage"], line["amount"] = now["usage"], now["amount"]


def _never_read(one: Premise, _random: Random) -> None:
    for back in (1, 1 + one.every, 1 + 2 * one.every):
        bill_line(one, "WATER", back)["read_type"] = "estimated"


def _tax(one: Premise, _random: Random) -> None:
    one.lines[-1].append(line_of("SALES TAX", 31_40, "") | {"days": 31})


def _lawn_sewer(one: Premise, _random: Random) -> None:
    """The sewer of a shop is charged for what went onto its lawn too."""
    bill_line(one, "SEWER")["amount"] += round(310 * bill_line(one, "IRRIGATION")["usage"])


def _no_return(one: Premise, _random: Random) -> None:
    """The sewer of a shop is charged for no use at all."""
    line = bill_line(one, "SEWER")
    line["amount"] = round(14_20 * one.units)


def _acres(one: Premise, _random: Random) -> None:
    bill_line(one, "DITCH SHARE")["amount"] *= 10


def _dropped(service: str) -> Slip:
    return lambda one, _random: one.lines[-1].remove(bill_line(one, service))


def _doubled(service: str) -> Slip:
    return lambda one, _random: one.lines[-1].append(dict(bill_line(one, service)))


def _returns_much(one: Premise) -> bool:
    return one.kind in ("store", "bakery", "church") and bill_line(one, "WATER")["usage"] >= 8


MESA_SLIPS: dict[str, tuple[Callable[[Premise], bool], Slip]] = {
    "units-lost": (_is("apartments"), _one_unit),
    "meter-left-out": (_is("apartments"), _meter_left_out),
    "demand-ten-times": (_has("DEMAND"), _demand),
    "multiple-lost": (_has("DEMAND"), _multiple_lost),
    "sign-of-solar": (_has("SOLAR CREDIT"), _solar_sign),
    "acres-keyed": (_has("DITCH SHARE"), _acres),
    "tax-of-exempt": (_is("church"), _tax),
    "lawn-in-sewer": (
        lambda one: not one.is_home and _has("IRRIGATION", "SEWER")(one),
        _lawn_sewer,
    ),
    "no-return": (_returns_much, _no_return),
    "lifts-three-times": (_is("store"), _lifts),
    "sewer-on-septic": (_is("septic home", every=(1,)), _septic_sewer),
    "own-meters": (lambda one: one.is_home and _has("WATER", "IRRIGATION")(one), _own_meters),
    "ditch-misread": (_has("IRRIGATION"), _ditch_misread),
    "winter-keyed": (_is("home"), _winter),
    "winter-price": (
        lambda one: _uses_water(one) and bill_line(one, "WATER")["usage"] > 15 * one.every,
        _winter_price,
    ),
    "plan-left-out": (_has("BUDGET PLAN"), _dropped("BUDGET PLAN")),
    "house-misread": (_uses_water, _misread),
    "two-in-one": (_uses_power, _two_in_one),
    "dead-electric": (_uses_power, lambda one, _random: _bill_power(one, 0)),
    "solar-of-another": (lambda one: _uses_power(one) and not one.panels, _solar_of_another),
    "old-and-new": (_uses_water, _old_and_new),
    "senior-by-mistake": (
        lambda one: _uses_water(one) and one.kind == "home" and not one.is_senior,
        _discount,
    ),
    "stuck-register": (_uses_power, _stuck),
    "not-read-again": (_uses_water, _never_read),
    "last-bill-again": (
        lambda one: one.every == 1 and _uses_water(one) and bool(one.power),
        month_again,
    ),
    "can-twice": (_is("home"), _doubled("GARBAGE")),
    "no-can": (_is("home"), _dropped("GARBAGE")),
}
