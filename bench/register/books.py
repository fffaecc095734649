"""Books of thirteen months, made up, with planted errors whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from database.books import Database, insert_rows
from database.schema import metadata
from database.tables import account, bill_run, movement, period_close
from domain.money import Money

MONTHS, LAST = 13, "2026-10"
AT = datetime(2026, 11, 2, 16, tzinfo=UTC)
SEASON = (0.66, 0.64, 0.70, 0.82, 1.05, 1.35, 1.62, 1.58, 1.25, 0.92, 0.74, 0.67)  # water
POWER = (1.12, 1.02, 0.90, 0.78, 0.80, 1.05, 1.42, 1.40, 1.08, 0.80, 0.84, 1.05)
COLUMNS = (
    *("period", "line", "account_key", "account", "posted_on", "service", "description", "kind"),
    *("amount", "usage", "meter", "read_type", "previous_read", "current_read", "rate_code"),
    "days",
)
PLANTED = (
    *("misread", "doubled-use", "dead", "slow", "stuck", "rollover", "not-the-reads"),
    *("dropped", "added", "rate", "price", "twice", "copied", "estimated", "closed", "one-meter"),
)
Line = dict[str, Any]


@dataclass
class Truth:
    """Which accounts were spoiled, and how."""

    kinds: dict[str, list[str]] = field(default_factory=dict)
    period: str = LAST  # that is reviewed
    partners: set[str] = field(default_factory=set)  # moved along with one that was spoiled

    def add(self, kind: str, key: str) -> None:
        self.kinds.setdefault(kind, []).append(key)

    @property
    def accounts(self) -> set[str]:
        return {key for keys in self.kinds.values() for key in keys}


def make_books(file: Path, accounts: int, *, seed: int = 7, planted: bool = True) -> Truth:
    """Write the books; each kind of error is planted some ten times in 5,000 accounts."""
    random = np.random.default_rng(seed)
    months = list(_billed(random, accounts))
    truth = Truth()
    if planted:
        _plant(random, months, truth, accounts)
    named = [
        (start, end, {f"{one:07}": own for one, own in lines.items()}, set[str]())
        for start, end, lines in months
    ]
    write_months(file, named, closed_now=set(truth.kinds.get("closed", ())))
    truth.partners = {f"{max(int(key) - 1, 0):07}" for key in truth.kinds.get("one-meter", ())}
    return truth


Month = tuple[date, date, dict[str, list[Line]], set[str]]  # the last: who pays a late fee


@dataclass
class WrittenPeriod:
    """A period as it goes into the books: lines by account, and what is unlike the others."""

    period: str
    start: date
    end: date
    lines: dict[str, list[Line]]
    fees: set[str] = field(default_factory=set)  # accounts that pay a late fee
    statuses: dict[str, str] = field(default_factory=dict)  # of accounts that are not active
    cycle: str = ""
    is_closed: bool = True


def write_months(file: Path, months: Sequence[Month], closed_now: Set[str] = frozenset()) -> None:
    """Write months by account into new books; the last one is staged, and the others closed."""
    written = [
        WrittenPeriod(f"{start:%Y-%m}", start, end, lines, fees)
        for start, end, lines, fees in months
    ]
    written[-1].is_closed = False
    written[-1].statuses = dict.fromkeys(closed_now, "closed")
    write_periods(file, written)


def write_periods(file: Path, periods: Sequence[WrittenPeriod]) -> None:
    """Write periods of one or more cycles into new books."""
    database = Database(f"sqlite:///{file}")
    with database.writing() as books:
        metadata.create_all(books)
        for one in periods:
            books.execute(bill_run.insert().values(**_run(one)))
            if one.is_closed:
                closed = {"period": one.period, "closed_at": AT, "closed_by": "bench"}
                books.execute(period_close.insert().values(**closed))
            insert_rows(
                books,
                movement,
                COLUMNS,
                _rows(one.period, one.end, one.lines, sorted(one.fees)),
            )
            insert_rows(books, account, _ACCOUNT, _accounts(one))
    database.close()


def _billed(random: Any, accounts: int) -> Iterator[tuple[date, date, dict[Any, list[Line]]]]:
    level = np.exp(random.normal(np.log(5.2), 0.5, accounts))
    kilowatts = np.exp(random.normal(np.log(780), 0.42, accounts))
    has_power = random.random(accounts) < 0.6
    reads = {"WATER": np.full(accounts, 1000.0), "ELECTRIC": np.full(accounts, 5000.0)}
    for back in range(MONTHS - 1, -1, -1):
        year, month = divmod(2026 * 12 + 9 - back, 12)
        start = date(year, month + 1, 1)
        end = date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)
        days = (end - start).days + 1
        weather = np.exp(random.normal(0, 0.05))
        noise = np.exp(random.normal(0, 0.2, accounts)), np.exp(random.normal(0, 0.16, accounts))
        use = {
            "WATER": np.rint(level * SEASON[month] * weather * days / 30.4 * noise[0]),
            "ELECTRIC": np.rint(kilowatts * POWER[month] * weather * days / 30.4 * noise[1]),
        }
        estimated = random.random(accounts) < 0.015
        lines: dict[Any, list[Line]] = {}
        for one in range(accounts):
            own = [_metered(one, "WATER", use, reads, "WR", 1850, 310)]
            own[0]["read_type"] = "estimated" if estimated[one] else "actual"
            if has_power[one]:
                own.append(_metered(one, "ELECTRIC", use, reads, "ER", 980, 10.4))
            own.append(line_of("GARBAGE", 1725, "GR"))
            own.append(line_of("STORMWATER", 650, "ST"))
            if one % 10 < 3:
                own.append(line_of("RECYCLING", 1240, "RC"))
            lines[one] = own
        yield start, end, lines


def _metered(
    one: int, service: str, use: Any, reads: Any, rate: str, base: int, step: float
) -> Line:
    used, before = float(use[service][one]), float(reads[service][one])
    reads[service][one] += used
    line = line_of(service, round(base + step * used), rate)
    meter = {"meter": f"{service[0]}{one:06}", "read_type": "actual"}
    return line | meter | {"usage": used, "previous_read": before, "current_read": before + used}


def line_of(service: str, amount: int, rate: str) -> Line:
    """Return a charge without a meter; amounts are cents."""
    empty = {"usage": None, "meter": "", "read_type": "", "previous_read": None}
    return {"service": service, "amount": amount, "rate_code": rate, "current_read": None} | empty


def _rows(
    period: str, end: date, lines: dict[str, list[Line]], fees: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    number = 0
    for key, own in lines.items():
        for line in own:
            number += 1
            amount = Money(int(line["amount"]))
            named = (period, number, key, key, end, line["service"], "", "billing")
            yield *named, amount, *(line.get(name) for name in COLUMNS[9:])
    for key in fees:
        number += 1
        named = (period, number, key, key, end, "LATE FEE", "", "penalty", Money(5_00))
        yield *named, None, "", "", None, None, "", None


_WORDS = ("name", "last_name", "service_address", "mailing_address", "city", "phone", "email")
_FLAGS = ("ebill", "send_paper", "direct_pay", "block_ach", "block_card")
_ACCOUNT = (
    *("period", "account_key", "account", "status", "state", "zip", "cosigner_id"),
    *("opening_balance", "closing_balance", "amount_due"),
    *_WORDS,
    *_FLAGS,
)


def _accounts(one: WrittenPeriod) -> Iterator[tuple[Any, ...]]:
    for key in sorted({*one.lines, *one.statuses}):
        status = one.statuses.get(key, "active")
        owed = (Money(0), Money(50_00), Money(50_00))
        yield one.period, key, key, status, "UT", "84001", "", *owed, *("x",) * 7, *(False,) * 5


def _run(one: WrittenPeriod) -> dict[str, Any]:
    controls = ("opening_balance", "billed", "payments", "adjustments", "penalties")
    return {
        "period": one.period,
        "cycle": one.cycle,
        "state": "finished" if one.is_closed else "staged",
        "utility": "Larkspur",
        "timezone": "America/Denver",
        "starts_on": one.start,
        "ends_on": one.end,
        "due_on": one.end + timedelta(days=20),
        "export_name": one.period,
        "export_sha256": "0" * 64,
        "imported_at": AT,
        "imported_by": "bench",
        "control_accounts": 0,
        "control_bills": 0,
        "control_closing_balance": Money(0),
        **{f"control_{name}": Money(0) for name in controls},
    }


def _plant(random: Any, months: list[Any], truth: Truth, accounts: int) -> None:
    """Spoil some lines of the last month (and what led to it), each account once."""
    now, before, earlier = (months[-1 - back][2] for back in range(3))
    usable = [
        one
        for one, own in now.items()
        if one % 10 >= 3 and len(own) == 4 and own[0]["usage"] >= 4 and own[1]["usage"] > 300
    ]
    random.shuffle(usable)
    each = max(accounts // 500, 5)
    for kind in PLANTED:
        for _ in range(min(each, len(usable))):
            one = usable.pop()
            _spoil(kind, one, now[one], before[one], earlier[one], float(random.uniform(2.6, 8)))
            truth.add(kind, f"{one:07}")


def _spoil(
    kind: str, one: int, now: list[Line], before: list[Line], earlier: list[Line], times: float
) -> None:
    water, power = now[0], now[1]
    if kind in ("misread", "doubled-use"):
        factor = times * 1.5 if kind == "misread" else 2.6 + times / 8
        _use(water, round(water["usage"] * factor), 1850, 310)
    elif kind == "dead":
        _use(power, 0, 980, 10.4)
    elif kind == "slow":
        _use(power, round(power["usage"] * 0.15), 980, 10.4)
    elif kind == "stuck":
        for line in (before[1], earlier[1]):
            line["usage"], line["amount"] = power["usage"], power["amount"]
    elif kind == "rollover":
        water.update(previous_read=99_996.0, current_read=4.0, usage=-99_992.0, amount=1850)
    elif kind == "not-the-reads":
        water["usage"] = round(water["usage"] * 1.5 + 2)
        water["amount"] = round(1850 + 310 * water["usage"])
    elif kind == "dropped":
        now.pop()
    elif kind == "added":
        now.append(line_of("RECYCLING", 1240, "RC"))
    elif kind == "rate":
        water["rate_code"] = "WC"
    elif kind == "price":
        power["amount"] = round(power["amount"] * 1.4)
    elif kind == "twice":
        now.append(dict(water))
    elif kind == "copied":
        for place in range(4):
            now[place] = dict(before[place])
    elif kind == "estimated":
        for own in (now, before, earlier):
            own[0]["read_type"] = "estimated"
    elif kind == "one-meter":
        water["meter"] = f"W{one - 1 if one else one + 1:06}"


def _use(line: Line, used: float, base: int, step: float) -> None:
    line["usage"] = float(used)
    line["current_read"] = line["previous_read"] + used
    line["amount"] = round(base + step * used)
