"""The settings in force, as they may be shown to somebody else."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, SecretStr

from office.redaction import SECRET, without_secrets
from office.settings import Settings

COMMANDS = ("token_command",)  # what stands behind the program may be a secret


def settings_in_force(settings: Settings) -> dict[str, Any]:
    """Return every setting by section and key; of a secret only whether it is set."""
    return {name: _shown(name, getattr(settings, name)) for name in Settings.model_fields}


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {key: _shown(key, getattr(value, key)) for key in type(value).model_fields}
    if isinstance(value, SecretStr):
        return SECRET if value.get_secret_value() else ""
    if name in COMMANDS and isinstance(value, list | tuple):
        return [*value[:1], *(SECRET for _ in value[1:])]
    if isinstance(value, list | tuple):
        return [_shown(name, one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return without_secrets(str(value))
