"""What `billclose pattern` says of its guesses: what was found, how sure it is, what is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from domain.words import say_count

if TYPE_CHECKING:
    from splitter.guessing_all import Guesses

KIND_NAMES = {"account": "account", "amount_due": "amount due", "due_date": "due date"}
NOTHING = {
    "account": "No account number was found; put in the words that stand before it on the page.",
    "amount_due": "No amount due was found; without it the check bill-amount cannot compare it.",
    "due_date": "No due date was found; without it the check bill-due-date cannot compare it.",
}


def sentences(guesses: Guesses, texts: Mapping[int, str]) -> list[str]:
    """Return one sentence for each guess, the missing ones included."""
    looked_at = say_count(len(texts), "page")
    told = [_of_kind(kind, guesses, looked_at) for kind in KIND_NAMES]
    told += _of_several(guesses)
    told.append(_of_separator(guesses, looked_at))
    without = [page + 1 for page, text in texts.items() if not text.strip()]
    if without:
        told.append(
            f"{say_count(len(without), 'page')} of {looked_at} looked at have no text"
            f" (page {without[0]} is one): a blank page goes to the bill before it, a picture to a"
            " person."
        )
    return told


def _of_kind(kind: str, guesses: Guesses, looked_at: str) -> str:
    candidates = guesses.candidates[kind]
    if not candidates:
        return NOTHING[kind]
    found, name = candidates[0], KIND_NAMES[kind]
    left_out = "" if found.is_told or kind == "account" else " and left out"
    return (
        f"The {name} is {found.confidence}{left_out}: {found.label!r} on {found.pages} of"
        f" {looked_at}."
    )


def _of_several(guesses: Guesses) -> list[str]:
    if not guesses.several:
        return []
    pages = say_count(guesses.several, "page")
    if guesses.region is None:
        return [
            f"{pages} name more than one account and no place was found that tells them apart;"
            " give a region around the right one, left, top, right, bottom in points."
        ]
    left, top, right, bottom = guesses.region.region
    return [
        f"{pages} name more than one account; the region {left:g}, {top:g}, {right:g}, {bottom:g}"
        f" is {guesses.region.confidence} and holds the right one, such as {guesses.region.value}."
    ]


def _of_separator(guesses: Guesses, looked_at: str) -> str:
    separator = guesses.separator
    if separator is None:
        return "No separator pages were seen; if there are some, give a text that stands on them."
    said = f"{separator.text!r} on {separator.pages} of {looked_at}"
    if separator.is_told:
        return f"The separator is {separator.confidence}: {said}."
    return (
        f"The separator is {separator.confidence} and left out: {said}, alone on its page; put it"
        f" in as separator = {re.sub(chr(39), '', separator.text)!r} if such a page belongs to"
        " nobody."
    )
