"""The section about a person's yes to a close."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from domain.approvals import LONGEST_NAME
from office.settings_section import Section
from rules.approving import identity


class ApprovalSettings(Section):
    people: int = Field(
        1, ge=1, le=2, description="How many people say yes to a close: 1, or 2 (four eyes)."
    )
    approvers: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Who may, by login name; empty: anybody. The Prefect UI offers these names."
    )
    wait_days: int = Field(
        14, ge=1, le=90, description="So long a run in Prefect waits for an answer, then it fails."
    )

    @field_validator("approvers", mode="before")
    @classmethod
    def split(cls, value: Any) -> Any:
        """Take a list, or from the environment JSON or names with commas between them."""
        if isinstance(value, str) and value.strip().startswith("["):
            return json.loads(value)
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("approvers")
    @classmethod
    def check_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Names are told apart without regard to case."""
        if len({identity(name) for name in value}) < len(value):
            raise ValueError("the same name stands in it twice")
        if any(not 0 < len(name.strip()) <= LONGEST_NAME for name in value):
            raise ValueError(f"a name has 1 to {LONGEST_NAME} characters")
        return value
