"""The sections about the office itself and the close of a period."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from domain.money import Money
from office.settings_section import Section


class UtilitySettings(Section):
    holidays: Annotated[str | tuple[date, ...], NoDecode] = Field(
        "US",
        description="Holiday calendar of the office: US, a state such as US-CO, none, "
        "or a list of dates.",
    )
    closed_days: Annotated[tuple[date, ...], NoDecode] = Field(
        (), description="The office's own closed days, as dates."
    )

    @field_validator("closed_days", "holidays", mode="before")
    @classmethod
    def split(cls, value: Any, field: ValidationInfo) -> Any:
        """Take a list, or from the environment JSON or dates with commas between them."""
        is_calendar = field.field_name == "holidays"
        if isinstance(value, str) and value.strip().startswith("["):
            value = json.loads(value)
        elif isinstance(value, str):
            if is_calendar and not value.strip()[:4].isdigit():
                return value
            value = [part.strip() for part in value.split(",") if part.strip()]
        if is_calendar and isinstance(value, list):  # else a wrong date would be called no text
            return tuple(date.fromisoformat(str(day)) for day in value)
        return value


class DatabaseSettings(Section):
    url: str = Field(
        "", repr=False, description="Empty: SQLite in the home. Or postgresql+psycopg://…"
    )
    pool_size: int = Field(
        5, ge=1, le=100, description="PostgreSQL: connections that a process keeps open."
    )
    pool_overflow: int = Field(
        10, ge=0, le=100, description="PostgreSQL: how many more it may open for a moment."
    )
    pool_timeout: int = Field(
        30, ge=1, le=600, description="PostgreSQL: seconds that a thread waits for a connection."
    )


class BillsSettings(Section):
    store: str = Field("bills", description="A folder below the home, or any fsspec URL.")


class ChecksSettings(Section):
    usage_factor: float = Field(
        2.0, gt=1, description="Usage above this many times what is usual is an outlier."
    )
    amount_factor: float = Field(2.0, gt=1, description="The same for the amount due.")
    large_bill: str = Field("2500.00", description="A bill above this gets a second look.")
    adjustment_limit: str = Field("500.00", description="The same for an adjustment.")
    notice_days: int = Field(10, ge=0, description="Days between notice and a changed ACH draw.")

    @field_validator("large_bill", "adjustment_limit")
    @classmethod
    def check_amount(cls, value: str) -> str:
        """Amounts are written as text, because no float touches money."""
        Money.parse(value)
        return value


class SplitterSettings(Section):
    processes: int = Field(0, ge=0, description="0: one a core.")
    ocr: bool = Field(
        False, description="Read pages that are only a picture; needs the program tesseract."
    )
    read_back_every: int = Field(
        1, ge=1, description="1: every copy is read back before it is filed; 10: each tenth."
    )
    audit_every: int = Field(
        64, ge=1, description="64: each 64th copy has the full audit, at least; 1: every copy."
    )

    @field_validator("ocr")
    @classmethod
    def check_program(cls, value: bool) -> bool:
        """Say before anything is done that pages cannot be read: raises Misuse."""
        if value:
            from splitter.ocr_program import require_tesseract

            require_tesseract()
        return value
