"""The section about paper: how bills are printed and put into envelopes."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode

from office.settings.section import SettingsSection, split_list

_STOCK = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")
_MOST_OUNCES = 16
_LARGEST_PAGE = 2000  # points


class PaperSettings(SettingsSection):
    duplex: bool = Field(
        False,
        description="Two pages a sheet: an empty back is put behind a bill with an odd number of "
        "pages, so that each begins on a front.",
    )
    sheet_ounces: str = Field("0.16", description="What one sheet weighs, for the weight class.")
    envelope_ounces: str = Field(
        "0.20", description="What an envelope weighs with all that is always in it, such as a "
        "return envelope."
    )  # fmt: skip
    flats_beyond: int = Field(
        0, ge=0, le=999, description="More sheets than that go into a flat; 0: all are letters."
    )
    household: Literal["none", "person", "address"] = Field(
        "none",
        description="Whose bills share an envelope: nobody's, those of one name at one mailing "
        "address, or all of one mailing address, whoever lives there.",
    )
    mark_at: Annotated[tuple[float, ...], NoDecode, BeforeValidator(split_list)] = Field(
        (),
        description="Where an envelope's number (`12 of 756 1/2`) is drawn on each sheet's front: "
        "left and top in points, 168 by 8 of them; empty: nowhere. Never over anything.",
    )
    proof: bool = Field(
        False, description="Write pictures of the first and the last bill beside each print file."
    )
    stocks: dict[str, str] = Field(
        {}, description="The paper or tray by form, such as `delinquent-notice = \"pink\"`."
    )  # fmt: skip

    @field_validator("sheet_ounces", "envelope_ounces", mode="before")
    @classmethod
    def check_ounces(cls, value: Any) -> str:
        """Take ounces as text or a number."""
        try:
            ounces = Decimal(str(value))
        except InvalidOperation:
            raise ValueError('write ounces, such as "0.16"') from None
        if not ounces.is_finite() or not 0 <= ounces <= _MOST_OUNCES:
            raise ValueError(f"write 0 to {_MOST_OUNCES} ounces")
        return str(value)

    @field_validator("mark_at")
    @classmethod
    def check_place(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        """Take a place on the page, or none."""
        if value and (len(value) != 2 or not all(0 <= side <= _LARGEST_PAGE for side in value)):
            raise ValueError("write left and top in points, such as [20, 20], or [] for none")
        return value

    @field_validator("stocks")
    @classmethod
    def check_stocks(cls, value: dict[str, str]) -> dict[str, str]:
        """Take plain names, which a mail house's list can hold."""
        for form, stock in value.items():
            if not _STOCK.fullmatch(stock):
                raise ValueError(f"the paper of {form} is {stock!r}; write up to 40 plain letters")
        return value
