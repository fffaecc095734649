"""The sandbox gateway's payouts: batches, banking days and fees."""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterator
from datetime import date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from domain.money import Money
from domain.payments import MethodKind
from payments.port import SettledDraw, Settlement
from rules.calendars import ONE_DAY, next_working_day

ZONE = ZoneInfo("America/New_York")  # where the banks keep their days
CUT_OFF = time(17, 0)  # local: what comes later belongs to the next banking day's batch
PAYS_OUT_AFTER = {MethodKind.CARD: 2, MethodKind.ACH: 4}  # banking days after the batch
CARD_FEE_TENTHS, CARD_FEE_FIXED = 29, 30  # 2.9 % and 30 cents
ACH_FEE_TENTHS, ACH_FEE_MOST = 8, 500  # 0.8 %, at most 5 dollars


def fee_of(kind: MethodKind, cents: int) -> int:
    """Return the gateway's fee of a draw in cents; half a cent is rounded up."""
    if kind is MethodKind.ACH:
        return min((cents * ACH_FEE_TENTHS + 500) // 1000, ACH_FEE_MOST)
    return (cents * CARD_FEE_TENTHS + 500) // 1000 + CARD_FEE_FIXED


def banking_day(moment: datetime, closed: Container[date]) -> date:
    """Return the banking day whose batch a moment belongs to; weekends go with the next one."""
    local = moment.astimezone(ZONE)
    day = local.date() + (ONE_DAY if local.time() >= CUT_OFF else timedelta())
    return next_working_day(day, closed)


def pay_out_day(kind: MethodKind, batch_on: date, closed: Container[date]) -> date:
    """Return the day on which a batch reaches the office's bank: T+2 for cards, T+4 for ACH."""
    day = batch_on
    for _ in range(PAYS_OUT_AFTER[kind]):
        day = next_working_day(day + ONE_DAY, closed)
    return day


def record_movement(
    books: sqlite3.Connection,
    draw: sqlite3.Row,
    cents: int,
    fee: int,
    moment: datetime,
    closed: Container[date],
) -> int:
    """Put money into the batch of a moment, below zero where it goes back; return its number."""
    batch_on = banking_day(moment, closed)
    pays_out_on = pay_out_day(MethodKind(draw["kind"]), batch_on, closed)
    number = books.execute(
        "INSERT INTO movement (draw, cents, fee, batch_on, pays_out_on) VALUES (?, ?, ?, ?, ?)",
        (draw["id"], cents, fee, batch_on.isoformat(), pays_out_on.isoformat()),
    ).lastrowid
    return number or 0


def read_settlements(books: sqlite3.Connection, since: date, now: datetime) -> Iterator[Settlement]:
    """
    Yield what was paid out from a day until now, one payout a banking day.

    Returns, charge-backs and refunds are taken out of the payout of their own batch, so that a
    payout may be below zero; the fee of a draw is not given back with it.
    """
    rows = books.execute(
        "SELECT movement.*, draw.key AS draw_key FROM movement JOIN draw ON draw.id = movement.draw"
        " WHERE pays_out_on BETWEEN ? AND ? ORDER BY pays_out_on, movement.id",
        (since.isoformat(), now.astimezone(ZONE).date().isoformat()),
    )
    for day, lines in groupby(rows, key=lambda row: str(row["pays_out_on"])):
        items = tuple(_to_item(line) for line in lines)
        gross = Money.total(item.amount for item in items)
        fees = Money.total(item.fee for item in items)
        yield Settlement(f"SBS-{day}", date.fromisoformat(day), gross, fees, gross - fees, items)


def _to_item(line: sqlite3.Row) -> SettledDraw:
    return SettledDraw(
        to_reference(line["draw"]), line["draw_key"], Money(line["cents"]), Money(line["fee"])
    )


def to_number(reference: str) -> int:
    """Read the gateway's number of a draw; 0, which none has, for what is no number of ours."""
    digits = reference.removeprefix("SB")
    is_ours = reference.startswith("SB") and digits.isascii() and digits.isdigit()
    return int(digits) if is_ours and len(digits) < 19 else 0


def to_reference(number: int) -> str:
    """Write the gateway's number of a draw, which is the confirmation number (rule 78)."""
    return f"SB{number:08d}"
