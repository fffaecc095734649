"""How the office has its paper printed and put into envelopes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class EnvelopeSharing(StrEnum):
    """Whose bills share an envelope."""

    NONE = "none"
    PERSON = "person"  # of one name at one mailing address
    ADDRESS = "address"  # of one mailing address, whoever lives there


@dataclass(frozen=True, slots=True)
class PrintTerms:
    """
    What a mail house is told, and how its machines want the pages.

    `duplex`: two pages a sheet, and each bill begins on a front. Weights are in ounces: of one
    sheet, and of an envelope with what is always in it. An envelope with more than `flats_beyond`
    sheets is a flat; 0: none is. `mark_at` is where an envelope's number is drawn on the front of
    each sheet, left and top in points as displayed; None: nowhere. `stocks` is the paper by form.
    """

    duplex: bool = False
    sheet_ounces: Decimal = Decimal("0.16")
    envelope_ounces: Decimal = Decimal("0.20")
    flats_beyond: int = 0
    household: EnvelopeSharing = EnvelopeSharing.NONE
    mark_at: tuple[float, float] | None = None
    proof: bool = False
    stocks: Mapping[str, str] = field(default_factory=dict)

    def sheets_of(self, pages: int) -> int:
        """Count the sheets on which so many pages of one bill stand."""
        return (pages + 1) // 2 if self.duplex else pages

    def blanks_of(self, pages: int) -> int:
        """Count the empty backs behind so many pages, so that the next bill has a front."""
        return pages % 2 if self.duplex else 0


USUAL_TERMS = PrintTerms()
