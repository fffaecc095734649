"""The sections about what the office does by itself at night."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from domain.money import Money
from office.settings_section import Section


class LadderStepSettings(Section):
    name: str = Field(pattern=r"^past-due-[a-z0-9-]{1,30}$")
    days_after_due: int = Field(ge=1, le=365)
    smallest_balance: str = "0.01"

    @field_validator("smallest_balance")
    @classmethod
    def check_balance(cls, value: str) -> str:
        """Amounts are written as text, because no float touches money."""
        if Money.parse(value) <= Money(0):
            raise ValueError("write an amount of 0.01 or more")
        return value


class RemindersSettings(Section):
    days_before_due: int = Field(3, ge=0, le=60, description="Payment-due mails: days before.")
    days_after_due: int = Field(1, ge=1, le=60, description="Past-due mails: days after.")
    time: str = Field(
        "06:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="Local time of both."
    )
    spare_autopay: bool = Field(False, description="No payment-due mail for autopay customers.")
    cut_off_days: int = Field(
        14, ge=0, le=365, description="A past-due mail is not sent later than so many days late."
    )
    ladder: tuple[LadderStepSettings, ...] = Field(
        (),
        description="Further past-due mails: name (past-due-2), days_after_due, smallest_balance.",
    )
    shield: bool = Field(
        True, description="No past-due mail to customers whom a failure of the office hurt."
    )
    shield_days: int = Field(
        10, ge=1, le=90, description="So long after that failure is mended it keeps them back."
    )

    @field_validator("ladder")
    @classmethod
    def check_ladder(
        cls, value: tuple[LadderStepSettings, ...], field: ValidationInfo
    ) -> tuple[LadderStepSettings, ...]:
        """Each step comes on a day of its own, after the first past-due mail."""
        days = [step.days_after_due for step in value]
        if len({step.name for step in value}) < len(value) or len(set(days)) < len(days):
            raise ValueError("each step needs a name and a day of its own")
        if days and min(days) <= field.data.get("days_after_due", 0):
            raise ValueError("its steps come after reminders.days_after_due")
        return value


class NoticesSettings(Section):
    receipts: bool = Field(True, description="A receipt for each payment drawn by autopay.")
    autopay_scheduled: Literal["varying", "all", "none"] = Field(
        "varying",
        description="Who hears of a draw where no e-bill tells it: varying (bank drafts of a "
        "changed amount), all, none.",
    )
