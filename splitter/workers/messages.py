"""What this process and its children say to each other: one line of JSON at a time."""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from dataclasses import asdict
from datetime import date
from functools import lru_cache
from typing import Any

from domain.bills import BillRange, PageFacts
from domain.money import Money
from domain.periods import BulkFile
from splitter.association.clues import Clues
from splitter.association.numbering import PrintedNumber

IS_SEPARATOR, HAS_TEXT, BY_OCR = 1, 2, 4


def to_line(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def facts_to_message(facts: PageFacts, text_checksum: int) -> list[Any]:
    """Write a page's facts as a list without names: there are as many as there are pages."""
    return [
        facts.page,
        facts.accounts,
        [amount.cents for amount in facts.amounts],
        [day.isoformat() for day in facts.due_dates],
        IS_SEPARATOR * facts.is_separator + HAS_TEXT * facts.has_text + BY_OCR * facts.by_ocr,
        facts.number,
        text_checksum,
        *([facts.doubt, facts.elsewhere, facts.unseen] if _has_more(facts) else []),
    ]


def _has_more(facts: PageFacts) -> bool:
    return bool(facts.doubt or facts.elsewhere or facts.unseen)


def clues_to_message(clues: Clues) -> list[Any]:
    """Write a page's clues; those of a page that names its account are short."""
    told: list[Any] = [_packed(clues.folded), _packed(clues.exact), clues.numbers]
    if clues.vocabulary or clues.words or clues.is_blank:
        told += [_packed(clues.vocabulary), clues.written, _packed(clues.labels), clues.names]
        told += [clues.words, clues.common, clues.letters, clues.is_blank]
    return told


def clues_from_message(message: list[Any]) -> Clues:
    folded, exact, numbers = message[:3]
    numbers = _shared(tuple([(how, x, y) for how, x, y in numbers]))
    if len(message) == 3:
        return Clues(_unpacked(folded), _unpacked(exact), numbers)
    vocabulary, written, labels, names, words, common, letters, is_blank = message[3:]
    return Clues(
        _unpacked(folded),
        _unpacked(exact),
        numbers,
        written,
        _unpacked(labels),
        tuple(names),
        words,
        common,
        letters,
        _unpacked(vocabulary),
        is_blank,
    )


@lru_cache(maxsize=4096)
def _shared(numbers: tuple[PrintedNumber, ...]) -> tuple[PrintedNumber, ...]:
    """Return one object for the page numbers that many pages have."""
    return numbers


def _packed(raw: bytes) -> str:
    return b2a_base64(raw, newline=False).decode() if raw else ""


def _unpacked(text: str) -> bytes:
    return a2b_base64(text) if text else b""


def facts_from_message(message: list[Any]) -> PageFacts:
    page, accounts, amounts, due_dates, flags, number, text_checksum, *more = message
    doubt, elsewhere, unseen = more or ("", (), ())
    return PageFacts(
        page=page,
        accounts=tuple(accounts),
        amounts=tuple(Money(cents) for cents in amounts),
        due_dates=tuple(_day(day) for day in due_dates),
        is_separator=bool(flags & IS_SEPARATOR),
        has_text=bool(flags & HAS_TEXT),
        number=(number[0], number[1]) if number else None,
        by_ocr=bool(flags & BY_OCR),
        text_checksum=text_checksum,
        doubt=doubt,
        elsewhere=tuple(elsewhere),
        unseen=tuple(unseen),
    )


@lru_cache(maxsize=512)
def _day(written: str) -> date:
    return date.fromisoformat(written)


def bill_to_message(bill: BillRange) -> list[Any]:
    amount, due_on = bill.amount_due, bill.due_on
    return [
        bill.account,
        bill.pages,
        None if amount is None else amount.cents,
        None if due_on is None else due_on.isoformat(),
        bill.text_checksums,
        bill.lacks,
        bill.kin,
        bill.is_ruled,
    ]


def bill_from_message(message: list[Any]) -> BillRange:
    account, pages, amount, due_on, text_checksums, lacks, kin, is_ruled = message
    return BillRange(
        account,
        tuple(pages),
        None if amount is None else Money(amount),
        None if due_on is None else date.fromisoformat(due_on),
        tuple(text_checksums),
        lacks,
        tuple(kin),
        is_ruled,
    )


def bulk_to_message(bulk: BulkFile) -> dict[str, Any]:
    return asdict(bulk)


def bulk_from_message(message: dict[str, Any]) -> BulkFile:
    region = message["region"]
    told = message | {"region": tuple(region) if region else None}
    return BulkFile(**(told | {"ignore": tuple(message["ignore"])}))
