"""The sections about a person's yes to a close: who says it, and what must be so before it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode

from domain.approvals import LONGEST_NAME
from domain.checklist import ChecklistItem
from office.settings.section import SettingsSection, split_list
from rules.approving import identity

RequiredItems = Annotated[tuple[ChecklistItem, ...], NoDecode, BeforeValidator(split_list)]


class ApprovalSettings(SettingsSection):
    people: int = Field(
        1,
        ge=1,
        le=2,
        description="How many people say yes to a close: 1, who may be the one who began it, or 2 "
        "(four eyes).",
    )
    approvers: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list)] = Field(
        (), description="Who may, by login name; empty: anybody. The Prefect UI offers these names."
    )
    wait_days: int = Field(
        14, ge=1, le=90, description="So long a run in Prefect waits for an answer, then it fails."
    )

    @field_validator("approvers")
    @classmethod
    def check_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Names are told apart without regard to case."""
        if len({identity(name) for name in value}) < len(value):
            raise ValueError("the same name stands in it twice")
        if any(not 0 < len(name.strip()) <= LONGEST_NAME for name in value):
            raise ValueError(f"a name has 1 to {LONGEST_NAME} characters")
        return value


class ChecklistSettings(SettingsSection):
    backup_hours: int = Field(
        24,
        ge=0,
        le=744,
        description="So old may the last `billclose backup` be at a close; 0: the office makes its "
        "own backups, and whoever says yes is asked.",
    )
    must_be_done: RequiredItems = Field(
        (),
        description="Lines of the checklist that stop a close while they are open: payments-in, "
        "feed-current, backup-made, nobody-at-work. Empty: they are only said.",
    )
    also_ask: tuple[str, ...] = Field(
        (),
        description="The office's own lines, as sentences: who says yes to a close says that they "
        "are so.",
    )

    @field_validator("must_be_done")
    @classmethod
    def check_items(cls, value: tuple[ChecklistItem, ...]) -> tuple[ChecklistItem, ...]:
        """What only a person can know is never open."""
        if ChecklistItem.OWN in value:
            raise ValueError("the office's own lines are asked, and cannot be looked up")
        return value

    @field_validator("also_ask")
    @classmethod
    def check_sentences(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Each is a sentence that fits a line of the report."""
        if any(not 0 < len(sentence.strip()) <= 300 for sentence in value):
            raise ValueError("a sentence has 1 to 300 characters")
        return value
