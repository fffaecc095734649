"""Codes of lists in words, as staff read them: on the office's pages and in their Excel files."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from domain.words import say_code
from reporting.wording import REASONS

# Columns that hold codes where the database knows no enumeration for them.
CODED = frozenset(
    {
        *("action", "check", "code", "field", "figure", "form", "kind", "method", "provider"),
        *("relation", "severity", "source", "stage", "state", "status", "suspended_because"),
        "type",
    }
)
# Where a code with spaces for its hyphens says too little.
WORDS = REASONS | {
    "ach": "bank account",
    "csr": "customer service",
    "method-expiring": "payment method expiring",
    "service-fee-back": "service fee given back",
}
_CODE = re.compile(r"[a-z]+([-_][a-z]+)*")


def is_coded(column: sa.ColumnElement[Any], name: str) -> bool:
    """Tell whether a column's values are said in words."""
    return isinstance(column.type, sa.Enum) or name in CODED


def in_words(value: Any) -> Any:
    """Say a code in words; what is none, such as a name that somebody typed, stays as it is."""
    if isinstance(value, StrEnum):
        value = value.value
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        return value
    return WORDS.get(value) or say_code(value)


def said_of(name: str, value: Any) -> Any:
    """Say a value of a list's column."""
    return in_words(value) if name in CODED or isinstance(value, StrEnum) else value


def words_contain(column: sa.ColumnElement[Any], typed: str) -> sa.ColumnElement[bool]:
    """Claim that a code, or what is said for it, has a part as somebody typed it."""
    text: Any = sa.func.lower(sa.cast(column, sa.String))
    plain = sa.func.replace(sa.func.replace(text, "-", " "), "_", " ")
    wanted = say_code(typed.lower())
    codes = [code for code, words in WORDS.items() if wanted in words.lower()]
    return sa.or_(plain.contains(wanted, autoescape=True), text.in_(codes))
