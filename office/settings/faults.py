"""What is wrong with a setting: which, where it stands, and what may be written there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from domain.words import say_meant
from domain.wrong_values import say_instead, say_place

BOUNDS = ("ge", "gt", "le", "lt")


def say_first_fault(model: type[BaseModel], prefix: str, file: Path, wrong: ValidationError) -> str:
    """Say what is wrong and where it stands: in the file, or in the environment, which wins."""
    faults = wrong.errors(include_url=False, include_input=False)
    fault = faults[0]
    location = fault["loc"]
    key = say_place(location)
    variable = prefix + "__".join(str(part) for part in location[:2]).upper()
    named = next((name for name in os.environ if name.upper() == variable), None)
    place = f"the environment variable {named}" if named else str(file)
    if fault["type"] == "extra_forbidden":
        meant = _say_meant(model, location)
        see = "see the commented file that `billclose init` writes."
        return f"{place}: there is no setting {key}{meant}; {see}"
    field = _field(model, location)
    ways = [_say_instead(field, one) for one in faults if say_place(one["loc"]) == key]
    message = ", or ".join(dict.fromkeys(ways))  # of a choice of kinds each has its own
    if named:  # its name last: whoever redacts secrets takes what follows PASSWORD for one
        return f"the setting {key} is wrong: {message} ({place})."
    return f"{place}: the setting {key} is wrong: {message}."


def say_unreadable(model: type[BaseModel], prefix: str) -> str:
    """Say which variable of the environment should be a section or a list, and is no JSON."""
    for name in sorted(os.environ):
        section, _, key = name.upper().removeprefix(prefix).lower().partition("__")
        if not name.upper().startswith(prefix) or section not in model.model_fields:
            continue
        if not key:
            return f"{name} is the whole section {section}: give each key as {name}__<KEY>."
        if not _is_json(os.environ[name]) and _is_list_or_table(_field(model, (section, key))):
            what = f'write JSON, as ["one"] (the environment variable {name})'
            return f"the setting {section}.{key} is wrong: {what}."
    return f"A variable of the environment that begins with {prefix} is no JSON and should be."


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _is_list_or_table(field: FieldInfo | None) -> bool:
    return field is not None and get_origin(field.annotation) in (tuple, list, dict)


def _say_instead(field: FieldInfo | None, fault: Any) -> str:
    context = fault.get("ctx", {})
    if field is None:
        return say_instead(fault["type"], fault["msg"], context)
    bounds = {
        name: getattr(one, name) for one in field.metadata for name in BOUNDS if hasattr(one, name)
    }
    return say_instead(
        fault["type"],
        fault["msg"],
        context,
        bounds=bounds,
        examples=field.examples or (),
        is_whole=field.annotation is int,
    )


def _say_meant(model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    """Ask whether the nearest key of the same section was meant."""
    section = _section(model, location[:-1])
    return say_meant(str(location[-1]), section.model_fields, closeness=0.6) if section else ""


def _field(model: type[BaseModel], location: tuple[str | int, ...]) -> FieldInfo | None:
    if len(location) < 2:
        return None
    section = _section(model, location[:1])
    return section.model_fields.get(str(location[1])) if section else None


def _section(model: type[BaseModel], location: tuple[str | int, ...]) -> type[BaseModel] | None:
    found: Any = model
    for part in location:
        field = getattr(found, "model_fields", {}).get(str(part))
        found = field.annotation if field else None
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None
