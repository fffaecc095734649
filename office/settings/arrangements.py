"""The section about payment arrangements: for the office, and for customers by themselves."""

from __future__ import annotations

from pydantic import Field, field_validator

from domain.money import Money
from office.settings.section import SettingsSection


class ArrangementsSettings(SettingsSection):
    people: int = Field(
        1,
        ge=1,
        le=2,
        description="How many people of the office a plan needs: 1, or 2 (four eyes).",
    )
    grace_days: int = Field(
        3,
        ge=0,
        le=30,
        description="So many days after its day an installment is still in time; of plans that are "
        "made from now on.",
    )
    days_before: int = Field(
        3, ge=0, le=30, description="The reminder of an installment: days before it."
    )
    by_customers: bool = Field(
        False, description="Customers may make a plan for all that they owe, within these limits."
    )
    most_installments: int = Field(
        4, ge=2, le=12, description="Of a customer's own plan: so many installments at most."
    )
    most_days: int = Field(
        90, ge=7, le=366, description="The last of them comes so many days from now at most."
    )
    smallest_installment: str = Field(
        "25.00", description="None of them is smaller than this amount."
    )
    most_open: str = Field("500.00", description="Who owes more than this amount calls the office.")
    rest_days: int = Field(
        180,
        ge=0,
        le=730,
        description="So many days after an account's last plan was made customers make no other.",
    )

    @field_validator("smallest_installment", "most_open")
    @classmethod
    def check_amount(cls, value: str) -> str:
        """Amounts are written as text, because no float touches money."""
        if Money.parse(value) <= Money(0):
            raise ValueError("write an amount of 0.01 or more")
        return value
