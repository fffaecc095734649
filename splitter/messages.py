"""What this process and its reading children say to each other: one JSON line at a time."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import IO, Any

from domain.bills import PageFacts
from domain.money import Money
from domain.periods import BulkFile


def send(stream: IO[bytes], message: dict[str, Any]) -> None:
    stream.write(json.dumps(message).encode() + b"\n")
    stream.flush()


def facts_to_message(facts: PageFacts) -> dict[str, Any]:
    return {
        "page": facts.page,
        "accounts": facts.accounts,
        "amounts": [amount.cents for amount in facts.amounts],
        "due_dates": [day.isoformat() for day in facts.due_dates],
        "is_separator": facts.is_separator,
        "has_text": facts.has_text,
        "number": facts.number,
    }


def facts_from_message(message: dict[str, Any]) -> PageFacts:
    number = message["number"]
    return PageFacts(
        page=message["page"],
        accounts=tuple(message["accounts"]),
        amounts=tuple(Money(cents) for cents in message["amounts"]),
        due_dates=tuple(date.fromisoformat(day) for day in message["due_dates"]),
        is_separator=message["is_separator"],
        has_text=message["has_text"],
        number=(number[0], number[1]) if number else None,
    )


def bulk_to_message(bulk: BulkFile) -> dict[str, Any]:
    return asdict(bulk)


def bulk_from_message(message: dict[str, Any]) -> BulkFile:
    region = message["region"]
    return BulkFile(**(message | {"region": tuple(region) if region else None}))
