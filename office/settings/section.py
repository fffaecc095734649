"""What every section of the settings is."""

from __future__ import annotations

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

from office.secrets.sources import PREFIX, PrefectSecret


def split_list(value: Any) -> Any:
    """Take a list, or from the environment JSON or words with commas between them."""
    if not isinstance(value, str):
        return value
    if value.strip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('write a list, such as ["one", "two"]') from None
    return [part.strip() for part in value.split(",") if part.strip()]


class SettingsSection(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def leave_with_prefect(self) -> Self:
        """Let a secret that Prefect keeps be looked up when it is needed, and not before."""
        for name, value in self.__dict__.items():
            if isinstance(value, SecretStr) and value.get_secret_value().startswith(PREFIX):
                self.__dict__[name] = PrefectSecret(value.get_secret_value())
        return self
