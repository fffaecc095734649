"""Guesses at the patterns of a bulk file: label words, and values that stand behind them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

ACCOUNT_VALUE = r"[0-9A-Z]*[0-9][0-9.\-]{3,}[0-9]"
AMOUNT_VALUE = r"\(?-?\$?[\d,]+\.\d\d\)?"
DATE_VALUES = (
    r"\d{1,2}/\d{1,2}/\d{4}",
    r"\d{4}-\d{2}-\d{2}",
    r"[A-Z][a-z]+ \d{1,2}, \d{4}",
)
_LABEL = r"(?P<label>(?:[A-Za-z][A-Za-z.#']*[ ]){0,3}[A-Za-z][A-Za-z.#']*[ ]?[:#]?)\s*"
_GOOD = {
    "account": ("account", "acct", "customer", "cust", "member"),
    "amount_due": ("amount", "total", "balance", "pay", "due"),
    "due_date": ("due", "pay", "by", "before"),
}
_BETTER = {
    "account": ("no", "number", "#", "id"),
    "amount_due": ("due", "pay"),
    "due_date": ("date", "due"),
}
_BAD = {
    "account": ("phone", "fax", "tel", "meter", "serial", "zip", "box", "page", "route", "ut"),
    "amount_due": ("previous", "last", "past", "after", "penalty", "payment", "payments", "tax"),
    "due_date": ("bill", "billing", "read", "from", "to", "service", "period", "last"),
}
FEWEST_SHARE = 0.2  # of the pages: a label that stands on fewer is chance


@dataclass(frozen=True, slots=True)
class Candidate:
    """A label with values behind it; the higher the score the likelier it is what is sought."""

    label: str
    pattern: str
    pages: int
    values: tuple[str, ...]
    score: float


def guess(kind: str, texts: Sequence[str]) -> list[Candidate]:
    """
    Return candidates for `account`, `amount_due` or `due_date`, the likeliest first.

    An account has another value on almost every page that names one, and its label says so; an
    amount or a date is told by its label, too, because a bill prints many of them.
    """
    values = {"account": (ACCOUNT_VALUE,), "amount_due": (AMOUNT_VALUE,)}.get(kind, DATE_VALUES)
    found = [
        candidate for value in values for candidate in _with_value(kind, value, texts) if candidate
    ]
    return sorted(found, key=lambda candidate: (-candidate.score, candidate.label))


def _with_value(kind: str, value: str, texts: Sequence[str]) -> list[Candidate]:
    seen: defaultdict[str, dict[int, str]] = defaultdict(dict)
    search = re.compile(rf"{_LABEL}(?<![0-9A-Za-z.,/$\-])(?P<value>{value})(?![0-9A-Za-z/])")
    for page, text in enumerate(texts):
        for match in search.finditer(text):
            label = _trimmed(kind, match["label"])
            if kind != "account" or not _is_other(match["value"]):
                seen[label].setdefault(page, match["value"])
    return [
        _candidate(kind, label, value, list(pages.values()), len(texts))
        for label, pages in seen.items()
        if len(pages) >= max(1, FEWEST_SHARE * len(texts))
    ]


def _candidate(kind: str, label: str, value: str, values: list[str], pages: int) -> Candidate:
    words = set(re.findall(r"[a-z]+|#", label.lower()))
    share = len(values) / pages
    score = share + 2 * any(word in words for word in _GOOD[kind])
    score += any(word in words for word in _BETTER[kind])
    score -= 3 * any(word in words for word in _BAD[kind])
    if kind == "account":
        score += 2 * (len(set(values)) / len(values)) - 1
    printed = (
        r"[0-9.\-]+" if kind == "account" and not re.search("[A-Z]", "".join(values)) else value
    )
    common = tuple(name for name, _ in Counter(values).most_common(3))
    return Candidate(label, f"{_escaped(label)}\\s*({printed})", len(values), common, score)


def _trimmed(kind: str, label: str) -> str:
    """Leave out what stands before the words that make a label: a town, a name."""
    words = label.split()
    known = (*_GOOD[kind], *_BAD[kind])
    for place, word in enumerate(words):
        if re.sub("[^a-z]", "", word.lower()) in known:
            return " ".join(words[place:])
    return " ".join(words[-2:])


def _escaped(label: str) -> str:
    return r"\s+".join(re.escape(word) for word in label.split())


def _is_other(value: str) -> bool:
    """Say whether a value is a date, an amount or a telephone number rather than an account."""
    return bool(
        re.fullmatch(r"\d{4}-\d\d-\d\d|\d{1,3}(?:,\d{3})*\.\d\d|\d{3}[.\-]\d{3}[.\-]\d{4}", value)
    )
