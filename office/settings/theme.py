"""The section about how the pages look (rule 201)."""

from __future__ import annotations

from pydantic import Field, field_validator

from domain.colors import LEAST, Color, Palette, nearest_readable
from office.settings.section import SettingsSection


class ThemeSettings(SettingsSection):
    """The office's own color and pictures on every page; empty: ours."""

    color: str = Field(
        "",
        description="Of headers, buttons and links, as #14506f; one in which words cannot be read "
        "is refused with the nearest in which they can.",
    )
    logo: str = Field(
        "",
        description="A PNG, JPEG or WebP in the home, beside the office's name in the header.",
    )
    photo: str = Field(
        "", description="A PNG, JPEG or WebP in the home, above the sign-in: your town, your river."
    )

    @field_validator("color")
    @classmethod
    def check_color(cls, value: str) -> str:
        """Refuse a color that fails contrast, and name the nearest that passes."""
        if not value:
            return value
        color = Color.parse(value)
        found = Palette(color)
        if not found.can_be_read:
            raise ValueError(
                f"words could not be read in {color}: their contrast would be "
                f"{found.lowest_contrast:.1f}, and {LEAST} is needed; the nearest color that "
                f"passes is {nearest_readable(color)}"
            )
        return str(color)
