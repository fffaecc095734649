"""A bank's BAI2 file, read strictly: a record that does not fit is refused with its row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

from domain.money import Money
from payments.bank.lines import BankLine, refuse

FILE, GROUP, ACCOUNT, DETAIL = "01", "02", "03", "16"
ACCOUNT_END, GROUP_END, FILE_END, MORE = "49", "98", "99", "88"
CODES = (FILE, GROUP, ACCOUNT, DETAIL, ACCOUNT_END, GROUP_END, FILE_END, MORE)
_AMOUNT = re.compile(r"[+-]?[0-9]{1,15}")
_COUNT = re.compile(r"[0-9]{1,9}")
# Of a detail's type code: what comes in, what goes out; the bank's own codes begin with 9.
_CREDITS = (range(100, 400), range(920, 960))
_DEBITS = (range(400, 700), range(960, 1000))


@dataclass(frozen=True, slots=True)
class _Record:
    row: int
    code: str
    fields: list[str]
    rows: int  # of the file, continuations included


@dataclass(slots=True)
class _Totals:
    """What a section adds up to, to be held against its trailer."""

    amount: int = 0
    sections: int = 0
    rows: int = 0


@dataclass(slots=True)
class _Place:
    """Where the reading of a file is."""

    day: date | None = None
    currency: str = "USD"
    account: str = ""
    inside: list[str] = field(default_factory=list)  # the sections that are open
    totals: list[_Totals] = field(default_factory=list)


def is_bai2(text: str) -> bool:
    """Tell whether a text begins as a BAI2 file does."""
    return text.lstrip("\ufeff \r\n\t").startswith("01,")


def read_bai2(text: str) -> Iterator[BankLine]:
    """
    Yield what came in and went out, with the day of its group.

    Counts and control totals of every section must agree: half a file is refused. Raises Misuse,
    naming the row.
    """
    place = _Place()
    row = 0
    for record in _records(text):
        row = record.row
        if place.inside == ["done"]:
            raise refuse(row, "stands behind the end of the file (record 99)")
        _READ[record.code](place, record)
        if record.code == DETAIL and (line := _line(place, record)) is not None:
            yield line
    if place.inside != ["done"]:
        raise refuse(row or 1, "is the last one, and the end of the file (record 99) is missing")


def _records(text: str) -> Iterator[_Record]:
    """Yield the records, each with the continuations (88) that belong to it."""
    begun: tuple[int, str] | None = None
    parts: list[str] = []
    for row, written in enumerate(text.splitlines(), start=1):
        line = written.strip("\ufeff \t\r\x1a")
        if not line:
            continue
        code, comma, rest = line[:2], line[2:3], line[3:]
        if code not in CODES or comma not in (",", "/", ""):
            raise refuse(row, f"begins with {code!r} and not with a record of BAI2 (01 to 99)")
        if code != MORE:
            if begun is not None:
                yield _joined(*begun, parts)
            begun, parts = (row, code), [rest]
        elif begun is None:
            raise refuse(row, "goes on with a record (88) that was not begun")
        else:
            parts.append(rest)
    if begun is not None:
        yield _joined(*begun, parts)


def _joined(row: int, code: str, parts: list[str]) -> _Record:
    """Put the parts of a record together: one that ends with `/` ended its last field."""
    text = ""
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1
        ended = part.endswith("/")
        text += part.removesuffix("/") if ended else part
        if not is_last:
            text += "," if ended else " "
    return _Record(row, code, text.split(","), len(parts))


def _begin(place: _Place, record: _Record, within: list[str]) -> None:
    if place.inside != within:
        raise refuse(record.row, f"(record {record.code}) does not belong there")
    place.inside.append(record.code)
    place.totals.append(_Totals(rows=record.rows))


def _file(place: _Place, record: _Record) -> None:
    _begin(place, record, [])
    if len(record.fields) < 8 or record.fields[7].strip() != "2":
        raise refuse(record.row, "is not the header of a BAI file of version 2")


def _group(place: _Place, record: _Record) -> None:
    _begin(place, record, [FILE])
    fields = [*record.fields, *[""] * 7]
    status = fields[2].strip()
    if status != "1":
        what = {"2": "a deletion", "3": "a correction", "4": "a test"}.get(status, "unknown")
        raise refuse(
            record.row,
            f"begins a group that is {what} (status {status or 'empty'}); only updates (1) are "
            "taken in: ask the bank for the day's whole file",
        )
    written = fields[3].strip()
    try:
        if not re.fullmatch("[0-9]{6}", written):
            raise ValueError
        place.day = date(2000 + int(written[:2]), int(written[2:4]), int(written[4:]))
    except ValueError:
        raise refuse(record.row, f"has no day as YYMMDD but {fields[3][:12]!r}") from None
    place.currency = fields[5].strip() or "USD"


def _account(place: _Place, record: _Record) -> None:
    _begin(place, record, [FILE, GROUP])
    number = record.fields[0].strip()
    if not number:
        raise refuse(record.row, "names no account")
    currency = record.fields[1].strip() if len(record.fields) > 1 else ""
    if (currency or place.currency) != "USD":
        raise refuse(record.row, f"is of an account in {currency or place.currency}, not in USD")
    place.account = re.sub(r"[^0-9A-Za-z]", "", number)[-4:]
    rest = record.fields[2:]
    while rest and any(rest):
        amount = rest[1] if len(rest) > 1 else ""
        place.totals[-1].amount += _amount(record, amount) if amount.strip() else 0
        kind, rest = (rest[3] if len(rest) > 3 else ""), rest[4:]
        rest = _after_availability(record, kind, rest)


def _detail(place: _Place, record: _Record) -> None:
    if place.inside != [FILE, GROUP, ACCOUNT]:
        raise refuse(record.row, "(record 16) belongs to no account")
    fields = record.fields
    if len(fields) < 2 or not re.fullmatch(r"[0-9]{3}", fields[0].strip()):
        raise refuse(record.row, f"has no type code of three digits but {fields[0][:12]!r}")
    place.totals[-1].rows += record.rows
    if fields[1].strip():
        place.totals[-1].amount += _amount(record, fields[1])


def _line(place: _Place, record: _Record) -> BankLine | None:
    """Return what a detail says; None of one that moves no money."""
    fields = record.fields
    code = int(fields[0])
    is_credit = any(code in codes for codes in _CREDITS)
    if not fields[1].strip() or not (is_credit or any(code in codes for codes in _DEBITS)):
        return None
    cents = _amount(record, fields[1])
    rest = _after_availability(record, fields[2] if len(fields) > 2 else "", fields[3:])
    rest = [*rest, "", ""]
    reference = " ".join(filter(None, (one.strip() for one in rest[:2])))
    text = ",".join(rest[2:]).strip(", ")
    assert place.day is not None
    amount = Money(cents if is_credit else -cents)
    return BankLine(record.row, place.account, place.day, amount, reference, text)


def _after_availability(record: _Record, kind: str, rest: list[str]) -> list[str]:
    """Return the fields behind those that say when the money can be had."""
    kind = kind.strip().upper()
    if kind in ("", "0", "1", "2", "Z"):
        return rest
    if kind == "S":
        return rest[3:]
    if kind == "V":
        return rest[2:]
    if kind == "D" and rest and _COUNT.fullmatch(rest[0].strip()):
        return rest[1 + 2 * int(rest[0]) :]
    raise refuse(record.row, f"has a funds type {kind[:12]!r}, which BAI2 does not know")


def _ends(code: str) -> Callable[[_Place, _Record], None]:
    """Return what reads the trailer of the section that a record begins."""

    def read(place: _Place, record: _Record) -> None:
        if not place.inside or place.inside[-1] != code:
            raise refuse(record.row, f"(record {record.code}) ends what was not begun")
        place.inside.pop()
        own = place.totals.pop()
        own.rows += record.rows
        _hold(record, own, has_sections=code != ACCOUNT)
        if place.totals:
            above = place.totals[-1]
            above.amount += own.amount
            above.rows += own.rows
            above.sections += 1
        else:
            place.inside = ["done"]

    return read


def _hold(record: _Record, own: _Totals, *, has_sections: bool) -> None:
    """Hold a trailer against what was read; raises Misuse."""
    said = [one.strip() for one in record.fields]
    wanted = 3 if has_sections else 2
    if len(said) < wanted or not all(_COUNT.fullmatch(one) for one in said[1:wanted]):
        raise refuse(record.row, "is a trailer without its counts")
    total = _amount(record, said[0])
    if total != own.amount:
        told, found = Money(total).dollars(), Money(own.amount).dollars()
        raise refuse(record.row, f"says a control total of {told}, and the records have {found}")
    if has_sections and int(said[1]) != own.sections:
        raise refuse(record.row, f"counts {said[1]} sections, and there are {own.sections}")
    if int(said[wanted - 1]) != own.rows:
        raise refuse(record.row, f"counts {said[wanted - 1]} records, and there are {own.rows}")


def _amount(record: _Record, text: str) -> int:
    """Return whole cents; BAI2 writes them without a point."""
    written = text.strip()
    if not _AMOUNT.fullmatch(written):
        raise refuse(record.row, f"has an amount {written[:20]!r}, not whole cents without a point")
    return int(written)


_READ: dict[str, Callable[[_Place, _Record], None]] = {
    FILE: _file,
    GROUP: _group,
    ACCOUNT: _account,
    DETAIL: _detail,
    ACCOUNT_END: _ends(ACCOUNT),
    GROUP_END: _ends(GROUP),
    FILE_END: _ends(FILE),
}
