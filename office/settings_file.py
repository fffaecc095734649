"""The commented settings file that `billclose init` writes."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, SecretStr

from office.settings import Settings


def commented_file() -> str:
    """Write every setting with its default and meaning, commented out, for `billclose init`."""
    lines = [
        "# Settings of this office. A line that begins with # stands at its default.",
        "# Each can also be given in the environment as BILLCLOSE_<SECTION>__<KEY>.",
    ]
    for section, field in Settings.model_fields.items():
        lines += ["", f"[{section}]"]
        model: type[BaseModel] = field.annotation  # type: ignore[assignment]
        for key, setting in model.model_fields.items():
            if setting.description:
                lines.append(f"# {setting.description}")
            lines.append(f"#{key} = {_as_toml(setting.default)}")
    return "\n".join(lines) + "\n"


def _as_toml(value: Any) -> str:
    if isinstance(value, SecretStr):
        return '""'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[]"
    return json.dumps(value) if isinstance(value, str) else str(value)
