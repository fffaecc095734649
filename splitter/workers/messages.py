"""What this process and its children say to each other: one line of JSON at a time."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import Any

from domain.bills import BillRange, PageFacts
from domain.money import Money
from domain.periods import BulkFile

IS_SEPARATOR, HAS_TEXT, BY_OCR = 1, 2, 4


def to_line(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def facts_to_message(facts: PageFacts) -> list[Any]:
    """Write a page's facts as a list without names: there are as many as there are pages."""
    return [
        facts.page,
        facts.accounts,
        [amount.cents for amount in facts.amounts],
        [day.isoformat() for day in facts.due_dates],
        IS_SEPARATOR * facts.is_separator + HAS_TEXT * facts.has_text + BY_OCR * facts.by_ocr,
        facts.number,
        facts.text_checksum,
    ]


def facts_from_message(message: list[Any]) -> PageFacts:
    page, accounts, amounts, due_dates, flags, number, text_checksum = message
    return PageFacts(
        page=page,
        accounts=tuple(accounts),
        amounts=tuple(Money(cents) for cents in amounts),
        due_dates=tuple(date.fromisoformat(day) for day in due_dates),
        is_separator=bool(flags & IS_SEPARATOR),
        has_text=bool(flags & HAS_TEXT),
        number=(number[0], number[1]) if number else None,
        by_ocr=bool(flags & BY_OCR),
        text_checksum=text_checksum,
    )


def bill_to_message(bill: BillRange) -> list[Any]:
    amount, due_on = bill.amount_due, bill.due_on
    return [
        bill.account,
        bill.pages,
        None if amount is None else amount.cents,
        None if due_on is None else due_on.isoformat(),
        bill.text_checksums,
    ]


def bill_from_message(message: list[Any]) -> BillRange:
    account, pages, amount, due_on, text_checksums = message
    return BillRange(
        account,
        tuple(pages),
        None if amount is None else Money(amount),
        None if due_on is None else date.fromisoformat(due_on),
        tuple(text_checksums),
    )


def bulk_to_message(bulk: BulkFile) -> dict[str, Any]:
    return asdict(bulk)


def bulk_from_message(message: dict[str, Any]) -> BulkFile:
    region = message["region"]
    return BulkFile(**(message | {"region": tuple(region) if region else None}))
