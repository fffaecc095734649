"""What every section of the settings is."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict

LONGEST_URL = 600  # characters: headers that hold it must stay on one line


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def is_web_address(text: str) -> bool:
    """Tell what can stand in a header: https, ASCII, without blanks, commas and brackets."""
    return (
        len(text) <= LONGEST_URL
        and bool(re.fullmatch(r"https://[!-~]+", text))
        and not (set(text) & set("<>,\"'"))
    )
