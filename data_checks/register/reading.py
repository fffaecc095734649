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

from data_checks.memory import forget_pages, give_back_memory
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
WORDS = ("service", "meter", "read_type", "rate_code")  # that are kept as their numbers
OF_EARLIER = ("amount", "usage", "read_type")  # all that is asked of the month before last

Matrix = npt.NDArray[np.float32]
Column = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.signedinteger[Any]]
Lines = dict[str, Any]  # a period's lines, an array a column


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


class Months:
    """
    A number of each row for each of thirteen months, this month the last; a column a month.

    Months that nothing is known of are one column together: a young office has eleven of them.
    """

    def __init__(self, size: int) -> None:
        self._nothing = np.full(size, np.nan, "f4")
        self._columns = [self._nothing] * (HISTORY + 1)

    def __getitem__(self, month: int) -> Column:
        return self._columns[month]

    def of(self, rows: Any) -> Matrix:
        """Return some rows as a matrix of their own."""
        return np.stack([column[rows] for column in self._columns], axis=1)

    def add(self, month: int, there: Any, values: Any) -> None:
        """Add values to what rows have in a month."""
        if self._columns[month] is self._nothing:
            self._columns[month] = self._nothing.copy()
        column = self._columns[month]
        column[there] = np.nansum([column[there], values], axis=0)

    def fill(self, month: int, value: float) -> None:
        """Put a value where a month has none."""
        self._columns[month] = np.where(np.isnan(self[month]), value, self[month]).astype("f4")

    def forget(self) -> None:
        """Let go what nobody will ask for."""
        self._columns.clear()


@dataclass(frozen=True)
class Register:
    """
    One row of `frame` for each account, service and meter, with this month in the last column.

    Use, amounts in cents and days are statistics, rows as the frame's. They are float, because
    they are compared and never booked.

    A city has a million lines, so words are numbers in the frame: services, rate codes and the
    like are categories, and a meter is its place among `meters` (0: none is told).
    """

    period: ComparedPeriod
    before: tuple[ComparedPeriod, ...]
    frame: pd.DataFrame
    accounts: pd.DataFrame  # of this period, by account_key
    usage: Months
    amount: Months
    days: Months
    meters: npt.NDArray[Any]
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
    details = [reader.read_recent(one) for one in recent]
    reader.tell_meters_apart(details)
    ids = np.unique(np.concatenate([np.unique(reader.ids(lines)) for lines in details]))
    filled, framed = _Filled(ids), _Framed(reader, ids)
    for place, one in enumerate(recent):
        lines, details[place] = details[place], {}  # each is let go as soon as it is taken in
        numbers = reader.ids(lines)
        filled.add(one, numbers, lines)
        framed.add(place, numbers, lines)
        del lines, numbers
    for one in before[len(details) - 1 :]:
        lines = reader.read_old(one)
        filled.add(one, reader.ids(lines), lines)
        del lines
    forget_pages(books)
    give_back_memory()
    return Register(
        period,
        before,
        framed.frame(accounts["status"]),
        accounts,
        filled.usage,
        filled.amount,
        filled.days_of(period),
        np.array(list(reader.known["meter"]), object),
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


_ACCOUNT = np.dtype(
    [
        *((name, "object") for name in ("account_key", "account", "status")),
        *(("closing_balance", "i8"), ("equal_pay_amount", "f8")),
        *(("amount_due", "i8"), ("deposit_held", "f8")),
    ]
)


def _accounts(books: Connection, period: str) -> pd.DataFrame:
    """Return the accounts of a period by their key; a status is one of few words."""
    names = _ACCOUNT.names or ()
    statuses: dict[str, int] = {}
    parts: dict[str, list[Any]] = {name: [] for name in names}
    query = f"SELECT {', '.join(names)} FROM account WHERE period = {_mark(books)}"
    for rows in _blocks(books, query, period, _ACCOUNT):
        for name in names:
            found = rows[name]
            parts[name].append(_numbered(found, statuses, "i1") if name == "status" else found)
    columns: dict[str, Any] = {
        name: np.concatenate(found) if found else np.empty(0, _ACCOUNT[name])
        for name, found in parts.items()
    }
    columns["status"] = _worded(columns["status"].astype("i1"), statuses)
    keys = pd.Index(columns.pop("account_key"), dtype=object, name="account_key")
    return pd.DataFrame(columns, index=keys)


def _mark(books: Connection) -> str:
    return "?" if books.dialect.name == "sqlite" else "%s"


def _blocks(
    books: Connection, query: str, period: str, kinds: np.dtype[Any]
) -> Iterator[npt.NDArray[Any]]:
    """Yield rows as columns, filled as the driver reads them: lists take twice the time."""
    cursor: Any = books.connection.cursor()
    cursor.execute(query, (period,))
    while len(rows := np.fromiter(islice(cursor, AT_ONCE), kinds)):
        yield rows
    cursor.close()


class _Reader:
    """Reads lines as numbers: accounts and words by their place."""

    def __init__(self, books: Connection, accounts: pd.Index[Any]) -> None:
        self._books = books
        self.accounts = accounts
        self._places = {key: place for place, key in enumerate(accounts)}
        self.known: dict[str, dict[str, int]] = {name: {"": 0} for name in WORDS}
        self.known["service"] = {}
        self._several: Codes = np.empty(0, "i8")  # account and service with more than one meter

    def read_recent(self, period: ComparedPeriod) -> Lines:
        """Return all that is told of the lines of a period, by the accounts of this one."""
        return self._read(period, DETAIL, self._code_new)

    def read_old(self, period: ComparedPeriod) -> Lines:
        """Return use and amounts of a period of long ago; meters where there are several."""
        columns = LIGHT if len(self._several) else LIGHT.replace("meter, ", "")
        lines = self._read(period, columns, self._code_known)
        return {"meter": np.zeros(len(lines["amount"]), "i4"), **lines}

    def _read(
        self, period: ComparedPeriod, columns: str, code: Callable[[str, npt.NDArray[Any]], Numbers]
    ) -> Lines:
        names = columns.split(", ")
        parts: dict[str, list[Any]] = {name: [] for name in names}
        for rows in self._rows(period, names):
            found = {name: rows[name] for name in names}
            found["account_key"] = _places(found["account_key"], self._places, "i4")
            for name in WORDS:
                if name in found:
                    found[name] = code(name, found[name])
            known = (found["account_key"] >= 0) & (found["service"] >= 0)
            for name in names:
                parts[name].append(found[name][known])
        return {name: _joined(parts.pop(name), _kind(name)) for name in names}

    def _rows(self, period: ComparedPeriod, names: Sequence[str]) -> Iterator[npt.NDArray[Any]]:
        table = "history_line" if period.is_history else "movement"
        kind = "" if period.is_history else " AND kind = 'billing'"
        query = (
            f"SELECT {', '.join(names)} FROM {table} "
            f"WHERE period = {_mark(self._books)}{kind} ORDER BY line"
        )
        words = ("account_key", *WORDS)
        kinds = np.dtype([(name, "object" if name in words else _kind(name)) for name in names])
        return _blocks(self._books, query, period.period, kinds)

    def _code_new(self, name: str, words: npt.NDArray[Any]) -> Numbers:
        return _numbered(words, self.known[name], _kind(name))

    def _code_known(self, name: str, words: npt.NDArray[Any]) -> Numbers:
        """Number what recent periods have; other services are of no line that is compared."""
        numbers = _places(words, self.known[name], _kind(name))
        return numbers if name == "service" else np.maximum(numbers, 0)

    def tell_meters_apart(self, details: Sequence[Lines]) -> None:
        """
        Find who has several meters of one service in one period: each is a row of its own.

        Elsewhere a row keeps its history when its meter is changed.
        """
        several = []
        for lines in details:
            metered = lines["meter"] > 0
            both = np.unique(self._pairs(lines)[metered] * METERS + lines["meter"][metered])
            pairs, times = np.unique(both // METERS, return_counts=True)
            several.append(pairs[times > 1])
        self._several = np.unique(np.concatenate(several)).astype("i8")

    def _pairs(self, lines: Lines) -> Codes:
        pairs: Codes = lines["account_key"].astype("i8") * SERVICES + lines["service"]
        return pairs

    def ids(self, lines: Lines) -> Codes:
        """Return for each line the number of its row: account, service, and meter if several."""
        numbers = self._pairs(lines)
        own = np.isin(numbers, self._several) if len(self._several) else None
        numbers *= METERS
        if own is not None:
            numbers += np.where(own, lines["meter"], 0)
        return numbers


_KINDS = {"account_key": "i4", "service": "i2", "meter": "i4", "read_type": "i2", "rate_code": "i4"}


def _kind(name: str) -> str:
    """Return what a column is kept in; a word as its number."""
    return _KINDS.get(name, "f8")


def _numbered(words: npt.NDArray[Any], known: dict[str, int], kind: str) -> Numbers:
    """Return the number of each word, and number those that are new."""
    for word in dict.fromkeys(words.tolist()):
        known.setdefault(word, len(known))
    return _places(words, known, kind)


def _places(words: npt.NDArray[Any], known: dict[str, int], kind: str) -> Numbers:
    """Return the number of each word, and -1 of what is not known."""
    return np.fromiter(map(known.get, words.tolist(), repeat(-1)), kind, len(words))


def _worded(numbers: Numbers, known: dict[str, int]) -> pd.Categorical:
    """Return numbers as the words that they stand for, of which each is kept once."""
    return pd.Categorical.from_codes(numbers, dtype=_words(known))


def _words(known: dict[str, int]) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(pd.Index(list(known), dtype=object))


def _joined(parts: list[Any], kind: str) -> npt.NDArray[Any]:
    """Put the parts of a column together, and let each go as soon as it is taken."""
    joined = np.empty(sum(map(len, parts)), kind)
    start = 0
    for place, part in enumerate(parts):
        joined[start : start + len(part)] = part
        start += len(part)
        parts[place] = None
    return joined


class _Filled:
    """What rows have of each month, as months are added."""

    def __init__(self, ids: Codes) -> None:
        self._ids = ids
        self.usage, self.amount, self._days = (Months(len(ids)) for _ in range(3))

    def add(self, period: ComparedPeriod, ids: Codes, lines: Lines) -> None:
        """Add up a period's lines; two periods in one month count together."""
        place = np.searchsorted(self._ids, ids)
        place = np.minimum(place, len(self._ids) - 1)
        known = self._ids[place] == ids if len(self._ids) else np.zeros(len(ids), bool)
        row, column = place[known], HISTORY - period.back
        days = np.where(np.isnan(lines["days"][known]), period.days, lines["days"][known])
        longest = np.full(len(self._ids), np.nan, "f4")
        np.fmax.at(longest, row, days.astype("f4"))
        for months, values in (
            (self.amount, lines["amount"][known]),
            (self.usage, lines["usage"][known]),
        ):
            told = ~np.isnan(values)
            count = np.bincount(row[told], minlength=len(self._ids))
            total = np.bincount(row[told], values[told], minlength=len(self._ids))
            there = count > 0
            months.add(column, there, total[there])
        there = ~np.isnan(longest)
        self._days.add(column, there, longest[there])

    def days_of(self, period: ComparedPeriod) -> Months:
        """Return the days that each line was for; this period's where it is not billed now."""
        self._days.fill(-1, period.days)
        return self._days


class _Framed:
    """The columns of what is compared one by one: this month and the account's two before."""

    def __init__(self, reader: _Reader, ids: Codes) -> None:
        self._reader = reader
        self._ids = ids
        self._seen = np.zeros(len(reader.accounts), "i2")
        self._columns: dict[str, npt.NDArray[Any]] = {}
        for ending in ("", "_before", "_earlier"):
            self._put({name: np.empty(0, _kind(name)) for name in _KEPT}, np.empty(0, "i8"), ending)

    def add(self, place: int, ids: Codes, lines: Lines) -> None:
        """Put a recent period's lines where they belong: `place` 0 is the one that is reviewed."""
        rows = np.searchsorted(self._ids, ids)
        if place == 0:
            self._put(lines, rows, "")
            return
        turn = self._seen[lines["account_key"]]
        for number, ending in enumerate(("_before", "_earlier")):
            chosen = turn == number
            if chosen.all():
                self._put(lines, rows, ending)
            elif chosen.any():
                self._put({name: lines[name][chosen] for name in _KEPT}, rows[chosen], ending)
        self._seen[np.unique(lines["account_key"])] += 1

    def frame(self, statuses: pd.Series[Any]) -> pd.DataFrame:
        """Make the frame; `statuses` are the accounts', in their order."""
        known, columns = self._reader.known, self._columns
        pairs = self._ids // METERS
        place, service = (pairs // SERVICES).astype("i4"), (pairs % SERVICES).astype("i2")
        keys = pd.Categorical.from_codes(place, dtype=pd.CategoricalDtype(self._reader.accounts))
        frame = pd.DataFrame({"account_key": keys, "service": _worded(service, known["service"])})
        # the same as numbers, because lines are grouped forty times, and words take longer
        frame["account_place"], frame["service_place"], frame["pair"] = place, service, pairs
        words = {name: _words(known[name]) for name in ("read_type", "rate_code")}
        for name in list(columns):
            values = columns.pop(name)
            word = words.get(name.removesuffix("_before").removesuffix("_earlier"))
            frame[name] = values if word is None else pd.Categorical.from_codes(values, dtype=word)
        status = pd.Categorical(statuses)
        frame["status"] = pd.Categorical.from_codes(status.codes[place], dtype=status.dtype)
        return frame

    def _put(self, lines: Lines, rows: Codes, ending: str) -> None:
        """Put one turn's lines in; a row of several lines shows their sum and the first."""
        size = len(self._ids)
        count = np.bincount(rows, minlength=size)
        there = count > 0
        first = np.zeros(size, "i8")
        first[rows[::-1]] = np.arange(len(rows))[::-1]  # of lines of one row the first stays
        firsts = first[there]
        for name in ("amount", "usage"):
            told = ~np.isnan(lines[name])
            total = np.bincount(rows[told], lines[name][told], minlength=size)
            some = np.bincount(rows[told], minlength=size) > 0
            self._set(f"{name}{ending}", np.where(some, total, np.nan)[there], there, np.nan)
        if ending != "_earlier":
            self._set(f"lines{ending}", count[there].astype("i4"), there, 0)
        for name in ("days", "meter", "read_type", "previous_read", "current_read", "rate_code"):
            if ending != "_earlier" or name in OF_EARLIER:
                empty = 0 if name in WORDS else np.nan
                self._set(f"{name}{ending}", lines[name][firsts], there, empty)
        if not ending:
            self._columns["amounts"] = _different(rows, lines["amount"], count)

    def _set(self, name: str, values: npt.NDArray[Any], there: Any, empty: float) -> None:
        """Fill rows of a column where a line is there; what another cycle's period told stays."""
        if name not in self._columns:
            self._columns[name] = np.full(len(self._ids), empty, values.dtype)
        self._columns[name][there] = values


_KEPT = (
    *("amount", "usage", "days", "meter"),
    *("read_type", "previous_read", "current_read", "rate_code"),
)


def _different(rows: Codes, amounts: npt.NDArray[Any], count: Codes) -> npt.NDArray[Any]:
    """Count the different amounts of each row's lines; 1 where there is one line or none."""
    found = np.ones(len(count), "i4")
    many = count[rows] > 1
    each = pd.DataFrame({"row": rows[many], "amount": amounts[many]}).groupby("row")["amount"]
    different = each.nunique()
    found[different.index.to_numpy("i8")] = different.to_numpy()
    return found
