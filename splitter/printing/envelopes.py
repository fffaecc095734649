"""Which bills lie in one envelope, in the order of the post, and what it weighs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from domain.accounts import account_key
from splitter.bulk_file.filing import FiledBill
from splitter.printing.terms import EnvelopeSharing, PrintTerms

_WORDS = re.compile(r"[^\W_]+|#")
_SHORT = {
    "STREET": "ST", "AVENUE": "AVE", "ROAD": "RD", "DRIVE": "DR", "LANE": "LN", "COURT": "CT",
    "BOULEVARD": "BLVD", "PLACE": "PL", "CIRCLE": "CIR", "HIGHWAY": "HWY", "PARKWAY": "PKWY",
    "TERRACE": "TER", "TRAIL": "TRL", "APARTMENT": "APT", "SUITE": "STE", "BUILDING": "BLDG",
    "NORTH": "N", "SOUTH": "S", "EAST": "E", "WEST": "W", "NORTHEAST": "NE", "NORTHWEST": "NW",
    "SOUTHEAST": "SE", "SOUTHWEST": "SW",
}  # fmt: skip
_ZIP = re.compile(r"([0-9]{5})(?:-?([0-9]{4}))?")


@dataclass(frozen=True, slots=True)
class PaperBill:
    """A bill that goes by post, to whom and where; `address` has its lines and city and state."""

    bill: FiledBill
    zip: str
    edition: int = 0  # how often another bill took its place
    name: str = ""
    address: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Envelope:
    """What one envelope holds; `number` counts from 1 in its print batch."""

    number: int
    bills: tuple[PaperBill, ...]
    sheets: int

    def ounces(self, terms: PrintTerms) -> int:
        """Return its weight as postage counts it: in whole ounces, rounded up."""
        return max(1, math.ceil(terms.envelope_ounces + self.sheets * terms.sheet_ounces))

    def kind(self, terms: PrintTerms) -> str:
        """Say what the post calls it: a letter, or a flat where it has too many sheets to fold."""
        return "flat" if 0 < terms.flats_beyond < self.sheets else "letter"


def post_order(paper: PaperBill) -> tuple[str, str, int]:
    """Return what bills are sorted by for the post: ZIP code, then account, then place."""
    return "".join(paper.zip.split()), account_key(paper.bill.account), paper.bill.first_page


def envelopes_of(papers: Iterable[PaperBill], terms: PrintTerms) -> list[Envelope]:
    """
    Put bills into envelopes, in the order of the post; of each household its first bill decides.

    Only what is written the same is the same address, but for letters' case, marks and the usual
    short words: in doubt there are two envelopes, for one would show a customer another's bill.
    """
    found: dict[object, list[PaperBill]] = {}
    for place, paper in enumerate(sorted(papers, key=post_order)):
        found.setdefault(household_of(paper, terms.household) or place, []).append(paper)
    numbers = count(1)
    return [
        Envelope(next(numbers), tuple(bills), sum(terms.sheets_of(one.bill.pages) for one in bills))
        for bills in found.values()
    ]


def household_of(paper: PaperBill, household: EnvelopeSharing) -> tuple[str, ...] | None:
    """Return what bills in one envelope have in common; None: this one lies in its own."""
    lines = tuple(_plain(line) for line in paper.address)
    zip5, plus4 = zip_parts(paper.zip)
    name = _plain(paper.name)
    if household is EnvelopeSharing.NONE or not lines or not lines[0] or not zip5:
        return None
    if household is EnvelopeSharing.PERSON and not name:
        return None
    return (*lines, zip5, plus4, name if household is EnvelopeSharing.PERSON else "")


def zip_parts(written: str) -> tuple[str, str]:
    """Return a ZIP code's five digits and the four behind them; empty where it has none."""
    match = _ZIP.fullmatch("".join(written.split()))
    return (match[1], match[2] or "") if match else ("", "")


def _plain(line: str) -> str:
    words = _WORDS.findall(line.upper())
    return " ".join(_SHORT.get(word, word) for word in words)
