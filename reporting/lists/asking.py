"""What is asked of a list: its conditions, its order, its columns, as people type them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from typing import Any

import sqlalchemy as sa

from database.types import Cents, Counted, Moment
from domain.accounts import account_key
from domain.dates import parse_date
from domain.failures import Misuse
from domain.money import Money
from reporting.codes import is_coded, words_contain

Claim = sa.ColumnElement[bool]
CONDITION = re.compile(r"\s*(?P<name>[\w-]+)\s*(?P<operator><=|>=|!=|=|<|>|~)(?P<value>.*)", re.S)
_PART = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[ T](\d\d)(?::(\d\d))?)?)?)?", re.ASCII)
DAY = timedelta(days=1)
_LARGEST = 2**63 - 1  # that a column of numbers holds
HOW = "write COLUMN=VALUE, or with !=, <, <=, >, >= or ~ (contains)"


class UnfitValue(ValueError):
    """What a column cannot be asked for, in words; who asked it quotes what was typed."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """
    Which rows of a list are wanted, and how: all conditions hold together.

    `sort` are columns, the first one first, a leading `-` for descending; `zone` is the utility's
    own, by whose days moments are compared.
    """

    where: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    limit: int | None = None
    zone: tzinfo = UTC


def column_names(shown: sa.FromClause) -> list[str]:
    """Return the columns that people see; those that begin with _ only sort."""
    return [column.name for column in shown.c if not column.name.startswith("_")]


def amount_names(shown: sa.FromClause) -> frozenset[str]:
    """Return the columns that are money, whatever they are called."""
    return frozenset(column.name for column in shown.c if isinstance(column.type, Cents))


def narrowed(
    listed: sa.Select[Any], order: Sequence[str], request: ListRequest, *further: Claim
) -> sa.Select[Any]:
    """
    Put what is asked for around a list, so that it holds of the columns as they are shown.

    `order` is the list's own, which decides where the request leaves rows alike. Raises Misuse
    for a condition that cannot be read and for a column that the list has not.
    """
    shown = listed.subquery()
    claims = [claim_of(shown, text, request.zone) for text in request.where]
    query = sa.select(shown).where(*claims, *further)
    query = query.order_by(*_order(shown, request.sort), *(shown.c[name] for name in order))
    return query.limit(request.limit)


def claim_of(shown: sa.Subquery, text: str, zone: tzinfo) -> Claim:
    """Read a condition such as `amount_due>100`; raises Misuse where it cannot be read."""
    parts = CONDITION.fullmatch(text)
    if parts is None:
        names = ", ".join(column_names(shown))
        raise Misuse(f"--where {text}: {HOW}; the columns are {names}.")
    name = known_column(column_names(shown), parts["name"], f"--where {text}")
    try:
        return _claim(shown, name, parts["operator"], parts["value"].strip(), zone)
    except UnfitValue as unfit:
        raise Misuse(f"--where {text}: {unfit}.") from None


def known_column(names: Sequence[str], name: str, asked: str) -> str:
    """Return a column by its name, whatever its case; raises Misuse with the nearest one."""
    plain = name.strip().lower().replace("-", "_")
    if plain in names:
        return plain
    near = get_close_matches(plain, names, n=1, cutoff=0.5)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise Misuse(f"{asked}: there is no column {name}{hint}; the columns are {', '.join(names)}.")


def chosen_columns(names: Sequence[str], asked: Iterable[str]) -> list[str]:
    """Return the columns that are asked for, in that order; without any, all of them."""
    words = [word for text in asked for word in text.split(",") if word.strip()]
    found = [known_column(names, word, f"--columns {word.strip()}") for word in words]
    return list(dict.fromkeys(found)) or list(names)


def contains(shown: sa.Subquery, name: str, value: str, zone: tzinfo) -> Claim:
    """
    Compare as a person who looks for something means it: text by a part of it (rule 76).

    Money, days, counts and flags by value; a code by its words as well; a moment by the year,
    month, day, hour or minute of the zone's clocks. Raises Misuse for a value that is none of a
    column's.
    """
    if is_coded(shown.c[name], name):
        return words_contain(shown.c[name], value)
    kind = shown.c[name].type
    is_text = not isinstance(kind, Cents | sa.Boolean | sa.Date | sa.Integer)
    try:
        return _claim(shown, name, "~" if is_text else "=", value, zone)
    except UnfitValue as unfit:
        raise Misuse(f"{name}, {value}: {unfit}.") from None


def _order(shown: sa.Subquery, sort: Sequence[str]) -> list[Any]:
    """Sort as asked; what is empty stands at the end, both ways and in every database."""
    names = column_names(shown)
    order: list[Any] = []
    for text in sort:
        name = known_column(names, text.strip().removeprefix("-"), f"--sort {text}")
        column = shown.c[name]
        is_backwards = text.strip().startswith("-")
        order.append((column.desc() if is_backwards else column.asc()).nulls_last())
    return order


def _claim(shown: sa.Subquery, name: str, operator: str, value: str, zone: tzinfo) -> Claim:
    column: Any = shown.c[name]
    if value == "" and operator in ("=", "!="):
        return _is_empty(column) if operator == "=" else ~_is_empty(column)
    key = account_key(value) if name == "account" and "_account_key" in shown.c else ""
    if key and operator in ("=", "!=", "~"):  # without a letter or digit it is a text like others
        return _of_text(shown.c._account_key, operator, key)
    if isinstance(column.type, Moment) and operator == "~":
        return _in_part(column, value, zone)
    if operator == "~":
        return _part_of(column, name, value)
    if isinstance(column.type, Moment):
        return _of_moment(column, operator, value, zone)
    if isinstance(column.type, sa.Boolean) and operator not in ("=", "!="):
        raise UnfitValue(f"{name} is compared with =, !=")
    typed = _to_typed(column.type, value)
    if typed is None:
        return _of_text(sa.func.lower(sa.cast(column, sa.String)), operator, value.lower())
    return _compared(column, operator, typed)


def _is_empty(column: Any) -> Claim:
    return sa.or_(column.is_(None), sa.cast(column, sa.String) == "")


def _of_text(text: Any, operator: str, value: str) -> Claim:
    """Compare text; what is empty is not the same as any value."""
    if operator == "~":
        found: Claim = text.contains(value, autoescape=True)
        return found
    return _compared(text, operator, value)


def _part_of(column: Any, name: str, value: str) -> Claim:
    """Look for a part of a text or a day; amounts and counts have no parts."""
    if isinstance(column.type, Cents | sa.Boolean | sa.Float):
        by = "=, !=" if isinstance(column.type, sa.Boolean) else "=, !=, <, >"
        raise UnfitValue(f"{name} is compared with {by}")
    read = column.type.spoken(column) if isinstance(column.type, Counted) else column
    text = sa.func.lower(sa.cast(read, sa.String))
    return _of_text(text, "~", value.lower())


def _compared(column: Any, operator: str, value: Any) -> Claim:
    match operator:
        case "=":
            claim = column == value
        case "!=":
            claim = column.is_distinct_from(value)
        case "<":
            claim = column < value
        case "<=":
            claim = column <= value
        case ">":
            claim = column > value
        case _:
            claim = column >= value
    result: Claim = claim
    return result


def _to_typed(kind: Any, value: str) -> Any:
    """Read money, flags, days and counts by value; None for a column of text."""
    try:
        if isinstance(kind, Cents):
            amount = Money.parse(value)
            return sa.literal(Money(_held(amount.cents)), Cents())
        if isinstance(kind, sa.Boolean):
            return _to_flag(value)
        if isinstance(kind, sa.Date):
            return parse_date(value)
        if isinstance(kind, sa.Integer):
            return sa.literal(_held(int(value)), sa.BigInteger())
        if isinstance(kind, sa.Numeric):
            return float(value)
    except ValueError:
        raise UnfitValue(f"{value!r} is no {_kind_of(kind)}") from None
    return None


def _held(number: int) -> int:
    """Return a number that the books can hold; raises ValueError for another one."""
    if abs(number) > _LARGEST:
        raise ValueError
    return number


def _kind_of(kind: Any) -> str:
    if isinstance(kind, Cents):
        return "amount such as 27.35"
    if isinstance(kind, sa.Boolean):
        return "yes or no"
    return "day such as 2026-11-20" if isinstance(kind, sa.Date) else "number"


def _of_moment(column: Any, operator: str, value: str, zone: tzinfo) -> Claim:
    """
    Compare a moment with a local day as a whole, or with a local time of one.

    `>2026-11-02` begins when that day is over, `=2026-11-02` is any time of it.
    """
    try:
        day = _to_day(value)
        if day is None:
            return _compared(column, operator, _to_moment(value, zone))
        start, end = (_local(one, zone) for one in (day, day + DAY))
    except (ValueError, OverflowError):  # too far off for a clock, too
        raise _no_moment(value) from None
    match operator:
        case "=":
            claim = sa.and_(column >= start, column < end)
        case "!=":
            claim = sa.or_(column.is_(None), column < start, column >= end)
        case "<":
            claim = column < start
        case "<=":
            claim = column < end
        case ">":
            claim = column >= end
        case _:
            claim = column >= start
    result: Claim = claim
    return result


def _in_part(column: Any, value: str, zone: tzinfo) -> Claim:
    """
    Look for the moments of a part of the time as people are shown it: `2026-11-02 09:05`,
    `2026-11`. An hour that the clocks show twice is both of them.
    """
    part = _PART.fullmatch(value.strip())
    if part is None:
        return _of_moment(column, "=", value, zone)
    year, month, day, hour, minute = (int(one) if one else None for one in part.groups())
    try:
        start = datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0, tzinfo=zone)
        if hour is None:
            end = start + DAY
            if day is None:
                end = (
                    (start + 31 * DAY).replace(day=1)
                    if month
                    else start.replace(year=start.year + 1)
                )
            return sa.and_(column >= start.astimezone(UTC), column < end.astimezone(UTC))
        lasts = timedelta(hours=1) if minute is None else timedelta(minutes=1)
        both = {start.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
        return sa.or_(*(sa.and_(column >= one, column < one + lasts) for one in sorted(both)))
    except (ValueError, OverflowError):
        raise _no_moment(value) from None


def _no_moment(value: str) -> UnfitValue:
    return UnfitValue(f"{value!r} is no day or time such as 2026-11-20 or 2026-11-20T09:00")


def _to_day(value: str) -> date | None:
    try:
        return parse_date(value)
    except ValueError:
        return None


def _to_moment(value: str, zone: tzinfo) -> datetime:
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _local(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _to_flag(value: str) -> bool:
    if value.lower() in ("true", "yes", "y", "1"):
        return True
    if value.lower() in ("false", "no", "n", "0"):
        return False
    raise ValueError(value)
