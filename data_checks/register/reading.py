"""The register of a period beside its own months before, read into matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice, repeat
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.checking.tables import history_period
from database.tables import bill_run, movement, period_close
from domain.movements import MovementKind

HISTORY = 12  # months before this one
MONTH = 30.44  # days
OLDEST = timedelta(days=400)
RECENT = timedelta(days=100)  # runs of which meters, reads and rates are compared
AT_ONCE = 20_000  # lines that are in memory as rows
SERVICES, METERS = 1 << 14, 1 << 24  # that are told apart in the number of a row
LIGHT = "account_key, service, meter, amount, usage, days"
DETAIL = f"{LIGHT}, read_type, previous_read, current_read, rate_code"
TOLD = ("meter", "read_type", "previous_read", "current_read", "rate_code")

Matrix = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ComparedPeriod:
    """A period that is looked at: this one, or one before it; `back` is how many months."""

    period: str
    cycle: str
    starts_on: date
    ends_on: date
    back: int
    is_history: bool

    @property
    def days(self) -> int:
        return (self.ends_on - self.starts_on).days + 1


@dataclass(frozen=True)
class Register:
    """
    One row of `frame` for each account, service and meter, with this month in the last column.

    The matrices are statistics of use and of amounts in cents, rows as the frame's, a column a
    month. They are float, because they are compared and never booked.
    """

    period: ComparedPeriod
    before: tuple[ComparedPeriod, ...]
    frame: pd.DataFrame
    accounts: pd.DataFrame  # of this period, by account_key
    usage: Matrix
    amount: Matrix
    days: Matrix
    penalized: tuple[tuple[ComparedPeriod, int], ...] = ()  # accounts with a penalty, by period


def read_register(books: Connection, run: str) -> Register:
    """
    Read the lines billed in a period, and those of the same accounts in the twelve months before.

    "Before" is each account's own: closed periods of whatever cycle, and past exports that were
    taken in for comparison. Lines are read month by month and added up here: a GROUP BY in SQL
    costs as much as the reading, and all months at once cost a gigabyte.
    """
    period, before = _periods(books, run)
    accounts = _accounts(books, run)
    reader = _Reader(books, pd.Index(accounts.index))
    recent = [period, *(b for b in before if b.ends_on > period.starts_on - RECENT)]
    details = [(one, reader.read_recent(one)) for one in recent]
    reader.tell_meters_apart([lines for _, lines in details])
    ids = np.unique(np.concatenate([reader.ids(lines) for _, lines in details]))
    filled = _Filled(ids)
    for one, lines in details:
        filled.add(one, reader.ids(lines), lines)
    for one in before[len(details) - 1 :]:
        lines = reader.read_old(one)
        filled.add(one, reader.ids(lines), lines)
    frame = _frame(reader, ids, details)
    return Register(
        period,
        before,
        frame,
        accounts,
        filled.usage,
        filled.amount,
        filled.days_of(period),
        _penalized(books, [period, *before]),
    )


def _penalized(
    books: Connection, periods: Sequence[ComparedPeriod]
) -> tuple[tuple[ComparedPeriod, int], ...]:
    """Count the accounts with a penalty in each period; past exports have no penalties here."""
    own = [one for one in periods if not one.is_history]
    row = movement.c
    query = (
        sa.select(row.period, sa.func.count(row.account_key.distinct()))
        .where(row.period.in_([one.period for one in own]), row.kind == MovementKind.PENALTY)
        .group_by(row.period)
    )
    found = dict(books.execute(query).tuples().all())
    return tuple((one, found.get(one.period, 0)) for one in own)


def _periods(books: Connection, period: str) -> tuple[ComparedPeriod, tuple[ComparedPeriod, ...]]:
    """Return this period and those before it, newest first."""
    row = bill_run.c
    columns = (row.period, row.cycle, row.starts_on, row.ends_on)
    this = books.execute(sa.select(*columns).where(row.period == period)).one()
    since = this.starts_on - OLDEST
    closed = sa.select(*columns).join(period_close, period_close.c.period == row.period)
    closed = closed.where(
        row.starts_on < this.starts_on, row.ends_on >= since, row.period != period
    )
    past = history_period.c
    history = sa.select(past.period, past.cycle, past.starts_on, past.ends_on).where(
        past.starts_on < this.starts_on, past.ends_on >= since
    )
    found = {one[0]: (one, True) for one in books.execute(history)}
    found |= {one[0]: (one, False) for one in books.execute(closed)}
    found.pop(period, None)

    def to_period(one: Any, is_history: bool) -> ComparedPeriod:
        back = max(1, round((this.ends_on - one[3]).days / MONTH))
        return ComparedPeriod(one[0], one[1], one[2], one[3], back, is_history)

    compared = [to_period(*one) for one in found.values()]
    kept = [one for one in compared if one.back <= HISTORY]
    kept.sort(key=lambda one: (one.ends_on, one.period), reverse=True)
    return ComparedPeriod(this[0], this[1], this[2], this[3], 0, False), tuple(kept)


def _accounts(books: Connection, period: str) -> pd.DataFrame:
    columns = (
        *("account_key", "account", "status", "closing_balance", "equal_pay_amount"),
        *("amount_due", "deposit_held"),
    )
    rows = books.execute(
        sa.text(f"SELECT {', '.join(columns)} FROM account WHERE period = :period"),
        {"period": period},
    ).fetchall()
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    frame = pd.DataFrame(dict(zip(columns, values, strict=True)))
    return frame.set_index("account_key")


class _Reader:
    """Reads lines as numbers: accounts, services and meters by their place."""

    def __init__(self, books: Connection, accounts: pd.Index[Any]) -> None:
        self._books = books
        self.accounts = accounts
        self._places = {key: place for place, key in enumerate(accounts)}
        self.services: dict[str, int] = {}
        self.meters: dict[str, int] = {"": 0}
        self._several: Codes = np.empty(0, "i8")  # account and service with more than one meter

    def read_recent(self, period: ComparedPeriod) -> dict[str, Any]:
        """Return all that is told of the lines of a period, by the accounts of this one."""
        return self._read(period, DETAIL, self._code_new)

    def read_old(self, period: ComparedPeriod) -> dict[str, Any]:
        """Return use and amounts of a period of long ago; meters where there are several."""
        columns = LIGHT if len(self._several) else LIGHT.replace("meter, ", "")
        lines = self._read(period, columns, self._code_known)
        return {"meter": np.zeros(len(lines["amount"]), "i8"), **lines}

    def _read(
        self, period: ComparedPeriod, columns: str, code: Callable[[str, npt.NDArray[Any]], Codes]
    ) -> dict[str, Any]:
        names = columns.split(", ")
        parts: dict[str, list[Any]] = {name: [] for name in names}
        for rows in self._rows(period, columns):
            found = {name: rows[name] for name in names}
            found["account_key"] = _places(found["account_key"], self._places)
            for name in ("service", "meter"):
                if name in found:
                    found[name] = code(name, found[name])
            known = (found["account_key"] >= 0) & (found["service"] >= 0)
            for name in names:
                parts[name].append(found[name][known])
        return {name: np.concatenate(parts[name]) if parts[name] else _none(name) for name in names}

    def _rows(self, period: ComparedPeriod, columns: str) -> Iterator[npt.NDArray[Any]]:
        """Yield rows as columns, filled as the driver reads them: lists take twice the time."""
        table = "history_line" if period.is_history else "movement"
        kind = "" if period.is_history else " AND kind = 'billing'"
        mark = "?" if self._books.dialect.name == "sqlite" else "%s"
        cursor: Any = self._books.connection.cursor()
        cursor.execute(
            f"SELECT {columns} FROM {table} WHERE period = {mark}{kind} ORDER BY line",
            (period.period,),
        )
        kinds = np.dtype([(name, _kind_read(name)) for name in columns.split(", ")])
        while len(rows := np.fromiter(islice(cursor, AT_ONCE), kinds)):
            yield rows
        cursor.close()

    def _code_new(self, name: str, words: npt.NDArray[Any]) -> Codes:
        known = self.services if name == "service" else self.meters
        for word in dict.fromkeys(words.tolist()):
            known.setdefault(word, len(known))
        return _places(words, known)

    def _code_known(self, name: str, words: npt.NDArray[Any]) -> Codes:
        """Number what recent periods have; other services are of no line that is compared."""
        if name == "service":
            return _places(words, self.services)
        return np.maximum(_places(words, self.meters), 0)

    def tell_meters_apart(self, details: Sequence[dict[str, Any]]) -> None:
        """
        Find who has several meters of one service in one period: each is a row of its own.

        Elsewhere a row keeps its history when its meter is changed.
        """
        several = []
        for lines in details:
            metered = lines["meter"] > 0
            both = np.unique(np.c_[self._pairs(lines)[metered], lines["meter"][metered]], axis=0)
            pairs, times = np.unique(both[:, 0], return_counts=True)
            several.append(pairs[times > 1])
        self._several = np.unique(np.concatenate(several)).astype("i8")

    def _pairs(self, lines: dict[str, Any]) -> Codes:
        pairs: Codes = lines["account_key"].astype("i8") * SERVICES + lines["service"]
        return pairs

    def ids(self, lines: dict[str, Any]) -> Codes:
        """Return for each line the number of its row: account, service, and meter if several."""
        pairs = self._pairs(lines)
        own = np.isin(pairs, self._several)
        numbers: Codes = pairs * METERS + np.where(own, lines["meter"], 0)
        return numbers

    def account_codes(self, ids: Codes) -> Codes:
        codes: Codes = ids // METERS // SERVICES
        return codes

    def service_codes(self, ids: Codes) -> Codes:
        codes: Codes = ids // METERS % SERVICES
        return codes

    def names(self, ids: Codes) -> tuple[Any, Any]:
        """Return the account key and the service of each row."""
        services = np.array(list(self.services), object)
        return self.accounts.to_numpy()[self.account_codes(ids)], services[self.service_codes(ids)]


def _kind(name: str) -> str:
    if name in ("account_key", "service", "meter"):
        return "i8"
    return "object" if name in ("read_type", "rate_code") else "f8"


def _kind_read(name: str) -> str:
    kind = _kind(name)
    return "object" if kind == "i8" else kind  # words that are numbered afterwards


def _places(words: npt.NDArray[Any], known: dict[str, int]) -> Codes:
    """Return the number of each word, and -1 of what is not known."""
    return np.fromiter(map(known.get, words.tolist(), repeat(-1)), "i8", len(words))


def _none(name: str) -> npt.NDArray[Any]:
    return np.empty(0, _kind(name))


class _Filled:
    """The matrices, as months are added to them."""

    def __init__(self, ids: Codes) -> None:
        shape = (len(ids), HISTORY + 1)
        self._ids = ids
        self.usage = np.full(shape, np.nan, "f4")
        self.amount = np.full(shape, np.nan, "f4")
        self._days = np.full(shape, np.nan, "f4")

    def add(self, period: ComparedPeriod, ids: Codes, lines: dict[str, Any]) -> None:
        """Add up a period's lines; two periods in one month count together."""
        place = np.searchsorted(self._ids, ids)
        place = np.minimum(place, len(self._ids) - 1)
        known = self._ids[place] == ids if len(self._ids) else np.zeros(len(ids), bool)
        row, column = place[known], HISTORY - period.back
        days = np.where(np.isnan(lines["days"][known]), period.days, lines["days"][known])
        longest = np.full(len(self._ids), np.nan, "f4")
        np.fmax.at(longest, row, days.astype("f4"))
        for matrix, values in (
            (self.amount, lines["amount"][known]),
            (self.usage, lines["usage"][known]),
        ):
            told = ~np.isnan(values)
            count = np.bincount(row[told], minlength=len(self._ids))
            total = np.bincount(row[told], values[told], minlength=len(self._ids))
            there = count > 0
            matrix[there, column] = np.nansum([matrix[there, column], total[there]], axis=0)
        there = ~np.isnan(longest)
        self._days[there, column] = np.nansum([self._days[there, column], longest[there]], axis=0)

    def days_of(self, period: ComparedPeriod) -> Matrix:
        """Return the days that each line was for; this period's where it is not billed now."""
        now = self._days[:, -1]
        self._days[:, -1] = np.where(np.isnan(now), period.days, now)
        return self._days


def _frame(
    reader: _Reader, ids: Codes, details: Sequence[tuple[ComparedPeriod, dict[str, Any]]]
) -> pd.DataFrame:
    """Make the frame of what is compared one by one: this month and the account's two before."""
    accounts, services = reader.names(ids)
    frame = pd.DataFrame(
        {
            "account_key": accounts,
            "service": services,
            # the same as numbers, because lines are grouped forty times, and words take longer
            "account_place": reader.account_codes(ids),
            "service_place": reader.service_codes(ids),
            "pair": ids // METERS,
        }
    )
    meters = np.array(list(reader.meters), object)
    seen = np.zeros(len(reader.accounts), "i8")
    for place, (_, lines) in enumerate(details):
        own = pd.DataFrame({name: lines[name] for name in ("amount", "usage", "days", *TOLD)})
        own["row"] = np.searchsorted(ids, reader.ids(lines))
        own["meter"] = meters[lines["meter"]]
        own["turn"] = 0 if place == 0 else seen[lines["account_key"]] + 1
        for turn, ending in ((0, ""), (1, "_before"), (2, "_earlier")):
            chosen = own[own["turn"] == turn]
            if len(chosen) or f"amount{ending}" not in frame:
                _put(frame, chosen, ending)
        if place:
            seen[np.unique(lines["account_key"])] += 1
    return frame


def _put(frame: pd.DataFrame, lines: pd.DataFrame, ending: str) -> None:
    """Put one turn's lines into the frame; a row of several lines shows their sum and the first."""
    size = len(frame)
    rows = lines["row"].to_numpy()
    count = np.bincount(rows, minlength=size)
    there = count > 0
    first = ~lines["row"].duplicated()
    firsts = lines[first].set_index("row")
    for name in ("amount", "usage"):
        told = lines[name].notna().to_numpy()
        total = np.bincount(rows[told], lines[name].to_numpy()[told], minlength=size)
        some = np.bincount(rows[told], minlength=size) > 0
        _set(frame, f"{name}{ending}", np.where(some, total, np.nan), there, np.nan)
    _set(frame, f"lines{ending}", count, there, 0)
    for name in ("days", *TOLD):
        empty: Any = "" if name in ("meter", "read_type", "rate_code") else np.nan
        values = firsts[name].reindex(range(size)).to_numpy()
        _set(frame, f"{name}{ending}", values, there, empty)
    if not ending:
        many = lines[np.isin(rows, np.nonzero(count > 1)[0])]
        frame["amounts"] = many.groupby("row")["amount"].nunique().reindex(range(size)).fillna(1)


def _set(frame: pd.DataFrame, name: str, values: Any, there: Any, empty: Any) -> None:
    """Fill rows of a column where a line is there; what another cycle's period told stays."""
    if name not in frame:
        kind = object if empty == "" else "f8"
        frame[name] = np.full(len(frame), empty, dtype=kind)
    column = frame[name].to_numpy(copy=True)
    column[there] = values[there]
    frame[name] = column
