"""Guesses at the patterns of a bulk file: label words, and values that stand behind them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from domain.accounts import account_key


@dataclass(frozen=True, slots=True)
class Words:
    """Words that speak for a label, that speak for it the more, and that speak against it."""

    good: frozenset[str]
    better: frozenset[str]
    bad: frozenset[str]

    @property
    def known(self) -> frozenset[str]:
        return self.good | self.bad


def _words(good: str, better: str, bad: str) -> Words:
    return Words(frozenset(good.split()), frozenset(better.split()), frozenset(bad.split()))


WORDS = {
    "account": _words(
        "account acct customer cust member cuenta cliente compte client abonné",
        "no number nbr # id núm número numero nº numéro",
        "phone fax tel meter serial zip box page route ut invoice bank routing medidor teléfono"
        " factura página compteur facture",
    ),
    "amount_due": _words(
        "amount total balance pay due importe monto saldo pagar montant payer",
        "due pay pagar payer",
        "previous last past after penalty payment payments tax anterior después recargo pagos"
        " précédent",
    ),
    "due_date": _words(
        "due pay by before vence vencimiento antes échéance avant",
        "date due fecha vencimiento échéance",
        "bill billing read from to service period last lectura periodo período servicio desde"
        " hasta",
    ),
}
SEPARATORS = _words(
    "separator separators batch end start begin divider slipsheet banner trailer bundle tray"
    " separador lote fin séparateur lot",
    "",
    "",
).good


ACCOUNT_VALUE = r"[0-9A-Z]*[0-9][0-9.\-]{3,}[0-9]"
AMOUNT_VALUE = r"\(?-?\$?[\d,]+\.\d\d\)?"
DATE_VALUES = (
    r"\d{1,2}/\d{1,2}/\d{4}",
    r"\d{4}-\d{2}-\d{2}",
    r"[A-Z][a-z]+ \d{1,2}, \d{4}",
)
SURE, LIKELY, DOUBTFUL = "sure", "likely", "doubtful"
FEWEST_SHARE = 0.1  # of the pages: a label that stands on fewer is chance
_WORD = r"[^\W\d_][^\W\d_.#'º°]*[.#'º°]*"
_LABEL = rf"(?P<label>(?:(?:{_WORD}|[/&])[ ]){{0,5}}{_WORD}[ ]?[:#]{{0,2}})\s*"
_MOST_WITHOUT_LABEL = 1.5  # the score of values whose label has no word that speaks for it


@dataclass(frozen=True, slots=True)
class Candidate:
    """A label with values behind it; the higher the score the likelier it is what is sought."""

    label: str
    pattern: str
    pages: int
    values: tuple[str, ...]
    score: float
    confidence: str

    @property
    def is_told(self) -> bool:
        """Whether it is likely enough to be put in unasked."""
        return self.confidence != DOUBTFUL


def guess(kind: str, texts: Sequence[str]) -> list[Candidate]:
    """
    Return candidates for `account`, `amount_due` or `due_date`, the likeliest first.

    An account has another value on almost every page that names one, and its label says so; an
    amount or a date is told by its label, too, because a bill prints many of them.
    """
    values = {"account": (ACCOUNT_VALUE,), "amount_due": (AMOUNT_VALUE,)}.get(kind, DATE_VALUES)
    found = [candidate for value in values for candidate in _with_value(kind, value, texts)]
    return sorted(found, key=lambda candidate: (-candidate.score, candidate.label))


def pages_with_several(pattern: str, texts: Sequence[str]) -> int:
    """Return on how many pages a pattern finds more than one account."""
    search = re.compile(pattern)
    found = [{account_key(match[1]) for match in search.finditer(text)} for text in texts]
    return sum(len(accounts) > 1 for accounts in found)


def _with_value(kind: str, value: str, texts: Sequence[str]) -> list[Candidate]:
    seen: defaultdict[str, dict[int, str]] = defaultdict(dict)
    over_line: Counter[str] = Counter()
    search = re.compile(rf"{_LABEL}(?<![0-9A-Za-z.,/$\-])(?P<value>{value})(?![0-9A-Za-z/])")
    for page, text in enumerate(texts):
        for match in search.finditer(text):
            label = _trimmed(kind, match["label"])
            if kind != "account" or not _is_other(match["value"]):
                seen[label].setdefault(page, match["value"])
                over_line[label] += "\n" in text[match.end("label") : match.start("value")]
    return [
        _candidate(
            kind,
            label,
            value,
            list(pages.values()),
            len(texts),
            is_below=2 * over_line[label] > len(pages),
        )
        for label, pages in seen.items()
        if len(pages) >= max(1, FEWEST_SHARE * len(texts))
    ]


def _candidate(
    kind: str, label: str, value: str, values: list[str], pages: int, *, is_below: bool
) -> Candidate:
    """Make a candidate; with `is_below` the values stand on the line after their label."""
    words = set(re.findall(r"[^\W\d_]+º?|#", label.lower()))
    known = WORDS[kind]
    share = len(values) / pages
    score = share + 2 * bool(words & known.good) + bool(words & known.better)
    score -= 3 * bool(words & known.bad)
    differing = len(set(values)) / len(values)
    if kind == "account":
        score += 2 * differing - 1
    is_plain = kind == "account" and not re.search("[A-Z]", "".join(values))
    printed = r"[0-9.\-]+" if is_plain else value
    common = tuple(name for name, _ in Counter(values).most_common(3))
    gap = r"\s*" if is_below else r"[ \t]*"  # else an empty value would take the next line's number
    pattern = f"{_escaped(label)}{gap}({printed})"
    return Candidate(
        label, pattern, len(values), common, score, _confidence(kind, score, differing, len(values))
    )


def _confidence(kind: str, score: float, differing: float, pages: int) -> str:
    """Say how much a candidate is to be trusted, in a word."""
    if score <= _MOST_WITHOUT_LABEL or (kind == "account" and pages > 1 and differing == 1 / pages):
        return DOUBTFUL
    return SURE if score >= _MOST_WITHOUT_LABEL + 1 and pages > 1 else LIKELY


def _trimmed(kind: str, label: str) -> str:
    """Leave out what stands before the words that make a label: a town, a name."""
    words = label.split()
    known = WORDS[kind].known
    for place, word in enumerate(words):
        if re.sub(r"[\W\d_]", "", word.lower()) in known:
            return " ".join(words[place:])
    return " ".join(words[-2:])


def _escaped(label: str) -> str:
    return r"\s+".join(re.escape(word) for word in label.split())


def _is_other(value: str) -> bool:
    """Say whether a value is a date, an amount or a telephone number rather than an account."""
    return bool(
        re.fullmatch(r"\d{4}-\d\d-\d\d|\d{1,3}(?:,\d{3})*\.\d\d|\d{3}[.\-]\d{3}[.\-]\d{4}", value)
    )
