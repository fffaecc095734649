"""What goes wrong between the meter and the bill, planted in the last month of a valley."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING

from bench.register.books import MONTHS, Line, Truth, line_of
from bench.register.towns import bill_line, month_again, plant

if TYPE_CHECKING:
    from bench.register.valley import Household

PER_BLOCK = 3_45  # cents of the middle block: what a changed use is billed by
Slip = Callable[["Household", Random], None]


def plant_slips(random: Random, town: Sequence[Household], truth: Truth) -> None:
    """Spoil an account once at most; each kind some four in a thousand, and never fewer than 8."""
    each = max(len(town) // 250, 8)
    free = list(town)
    random.shuffle(free)
    settled = {kind: (_if_settled(suits), slip) for kind, (suits, slip) in SLIPS.items()}
    plant(settled, free, each, random, truth)
    _read_each_other(free, each, truth)


def _if_settled(suits: Callable[[Household], bool]) -> Callable[[Household], bool]:
    return lambda house: _is_settled(house) and suits(house)


def _is_settled(house: Household) -> bool:
    """Tell who is billed by one water meter, and was all the year, with use in the last month."""
    lines = house.lines[-1]
    water = [line for line in lines if line["service"] == "WATER"]
    return (
        house.since < MONTHS - 9
        and house.until >= MONTHS
        and len(water) == 1
        and water[0]["read_type"] == "actual"
        and house.moods.get(MONTHS - 1, 1.0) == 1.0
        and house.moods.get(MONTHS - 2, 1.0) == 1.0
    )


def _has(service: str) -> Callable[[Household], bool]:
    return lambda house: any(line["service"] == service for line in house.lines[-1])


def _lives_there(house: Household) -> bool:
    """Tell a home that uses enough water for an error to be worth a look."""
    return house.kind == "house" and bill_line(house, "WATER")["usage"] >= 5


def _runs_on_power(house: Household) -> bool:
    return house.kind == "house" and _has("ELECTRIC")(house)


def _bill_use(line: Line, used: float, cents: float = PER_BLOCK) -> None:
    """Change a use and what depends on it; the dial is what the reader wrote down."""
    line["amount"] = round(line["amount"] + (max(used, 0) - line["usage"]) * cents)
    line["usage"] = float(used)
    line["current_read"] = line["previous_read"] + used


def _misread(house: Household, random: Random) -> None:
    """A digit of the tens was read two to six too high: 20 to 60 hundred cubic feet more."""
    water = bill_line(house, "WATER")
    _bill_use(water, water["usage"] + 10 * random.randrange(2, 7))


def _power_misread(house: Household, random: Random) -> None:
    power = bill_line(house, "ELECTRIC")
    _bill_use(power, power["usage"] + 1_000 * random.randrange(2, 9), 13.6)


def _dead(house: Household, _random: Random) -> None:
    _bill_use(bill_line(house, "WATER"), 0)


def _dead_power(house: Household, _random: Random) -> None:
    _bill_use(bill_line(house, "ELECTRIC"), 0, 10.9)


def _slow(house: Household, _random: Random) -> None:
    power = bill_line(house, "ELECTRIC")
    _bill_use(power, round(power["usage"] * 0.2), 10.9)


def _multiplied(house: Household, _random: Random) -> None:
    """The dial counts in tens, and somebody keyed that into a meter that does not."""
    water = bill_line(house, "WATER")
    water["amount"] = round(water["amount"] + 9 * water["usage"] * PER_BLOCK)
    water["usage"] = water["usage"] * 10


def _code_of_flats(house: Household, _random: Random) -> None:
    water = bill_line(house, "WATER")
    water["rate_code"] = "W20"


def _size_keyed(house: Household, _random: Random) -> None:
    """A three-quarter meter is billed as a two-inch one."""
    bill_line(house, "WATER")["amount"] += 92_00 - 18_60


def _cart_twice(house: Household, _random: Random) -> None:
    house.lines[-1].append(dict(bill_line(house, "SOLID WASTE")))


def _without_sewer(house: Household, _random: Random) -> None:
    house.lines[-1].remove(bill_line(house, "SEWER"))


def _storm_of_a_shop(house: Household, random: Random) -> None:
    bill_line(house, "STORM")["amount"] = 5_75 * random.randrange(6, 25)


def _never_read(house: Household, _random: Random) -> None:
    for back in (1, 2, 3):
        for line in house.lines[-back]:
            if line["service"] == "WATER":
                line["read_type"] = "estimated"


def _power_of_another(house: Household, random: Random) -> None:
    """An electric line of somebody else stands on a house that has none."""
    used = random.randrange(400, 1_200)
    line = line_of("ELECTRIC", round(14_50 + 10.9 * used), "E1") | {"usage": float(used)}
    house.lines[-1].append(line | {"meter": f"E-X{house.key}", "read_type": "actual"})


def _rolled_over(house: Household, random: Random) -> None:
    water = bill_line(house, "WATER")
    water["previous_read"] = 9_999.0 - random.randrange(3)
    water["current_read"] = water["usage"]
    bill_line(house, "WATER", 2)["current_read"] = water["previous_read"]
    _bill_use(water, water["current_read"] - water["previous_read"], 0)


def _keyed_by_hand(house: Household, random: Random) -> None:
    """The amount was typed, and a digit is missing or one too many."""
    power = bill_line(house, "ELECTRIC")
    power["amount"] = round(power["amount"] * random.choice((0.1, 10)))


def _stuck(house: Household, _random: Random) -> None:
    for back in (2, 3):
        line, now = bill_line(house, "ELECTRIC", back), bill_line(house, "ELECTRIC")
        line["usage"], line["amount"] = now["usage"], now["amount"]


def _first_read(house: Household, random: Random) -> None:
    """A meter was changed, and what the new one shows was billed as if it began at nothing."""
    water = bill_line(house, "WATER")
    water["meter"], water["previous_read"] = f"W-{house.key}-9", 0.0
    _bill_use(water, water["usage"] + random.randrange(40, 300))


def _swapped_lawn(house: Household, random: Random) -> None:
    """The lawn's use came from another meter: twenty times too much."""
    _bill_use(
        bill_line(house, "WATER"),
        round(bill_line(house, "WATER")["usage"] * random.uniform(8, 20)),
    )


def _read_each_other(free: Sequence[Household], each: int, truth: Truth) -> None:
    """Two neighbors' reads were taken for each other's."""
    pairs = [house for house in free if _is_settled(house) and _lives_there(house)][: 2 * each]
    for one, other in zip(pairs[::2], pairs[1::2], strict=False):
        mine, theirs = bill_line(one, "WATER"), bill_line(other, "WATER")
        reads = mine["current_read"], theirs["current_read"]
        for line, read in ((mine, reads[1]), (theirs, reads[0])):
            _bill_use(line, read - line["previous_read"])
        truth.add("read-each-other", one.key)
        truth.partners.add(other.key)


SLIPS: dict[str, tuple[Callable[[Household], bool], Slip]] = {
    "lawn-of-another": (
        lambda house: house.kind == "lawn" and bill_line(house, "WATER")["usage"] > 3,
        _swapped_lawn,
    ),
    "ten-dials": (
        lambda house: house.kind == "trade" and bill_line(house, "WATER")["usage"] > 3,
        _multiplied,
    ),
    "water-misread": (_lives_there, _misread),
    "dead-water": (_lives_there, _dead),
    "first-read": (_lives_there, _first_read),
    "rolled-over": (_lives_there, _rolled_over),
    "power-misread": (_runs_on_power, _power_misread),
    "dead-power": (_runs_on_power, _dead_power),
    "slow-power": (_runs_on_power, _slow),
    "stuck-power": (_runs_on_power, _stuck),
    "keyed-by-hand": (_runs_on_power, _keyed_by_hand),
    "month-again": (_runs_on_power, month_again),
    "code-of-flats": (lambda house: house.rate == "W10", _code_of_flats),
    "size-keyed": (lambda house: house.kind == "house" and house.size == "3/4", _size_keyed),
    "cart-twice": (lambda house: house.kind == "house", _cart_twice),
    "no-sewer": (_has("SEWER"), _without_sewer),
    "storm-of-a-shop": (lambda house: house.kind == "house", _storm_of_a_shop),
    "never-read": (lambda house: house.kind == "house", _never_read),
    "power-of-another": (
        lambda house: house.kind == "house" and not _has("ELECTRIC")(house),
        _power_of_another,
    ),
}
SLIP_KINDS = (*SLIPS, "read-each-other")
