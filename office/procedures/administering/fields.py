"""A setting as a field of a form: how it is asked for, and what was typed as TOML has it."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from office.secrets.redaction import SECRET
from office.settings.administration import keys_of

MOST_ROWS = 40  # of a table of rows


class Shape(StrEnum):
    """How a form asks for a setting."""

    LINE = "line"
    LINES = "lines"  # a list, one a line
    CHOICE = "choice"
    ROWS = "rows"  # of a table
    NONE = "none"  # only the file can say it


@dataclass(frozen=True, slots=True)
class SettingField:
    """
    One field: `choices` are the values of a choice with their words, `columns` those of rows.

    `number` is the type that is written, where it is one; `default` is what a new row begins with.
    """

    shape: Shape
    choices: tuple[tuple[str, str], ...] = ()
    number: type[int] | type[float] | None = None
    is_flag: bool = False
    columns: tuple[tuple[str, SettingField], ...] = ()
    default: str = ""


def field_of(section: str, key: str) -> SettingField:
    """Return how a form asks for a setting."""
    return _field(keys_of(section)[key])


def text_of(value: Any) -> str:
    """Write a value as a field shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, list | tuple):
        return "\n".join(text_of(one) for one in value)
    if isinstance(value, SecretStr):
        return SECRET if value.get_secret_value() else ""
    return "" if value is None else str(value)


def shown_text(value: Any) -> str:
    """Write a value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, BaseModel):
        told = ((name, text_of(getattr(value, name))) for name in type(value).model_fields)
        return ", ".join(f"{name} {text}" for name, text in told if text)
    if isinstance(value, list | tuple):
        return "; ".join(shown_text(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(sorted(map(str, value)))
    return text_of(value)


def rows_of(field: SettingField, value: Any) -> list[dict[str, str]]:
    """Return the rows of a table as a form shows them, with two new ones behind."""
    rows = [{name: text_of(getattr(one, name)) for name, _ in field.columns} for one in value]
    new = {name: one.default for name, one in field.columns}
    return [*rows, dict(new), dict(new)]


def read_field(field: SettingField, text: str) -> Any:
    """Return what was typed as TOML has it; what is no number stays text, and is refused later."""
    if field.shape is Shape.LINES:
        return [line.strip() for line in text.splitlines() if line.strip()]
    if field.is_flag:
        return text == "true"
    if field.number is None:
        return text.strip()
    try:
        return field.number(text.strip())
    except ValueError:
        return text.strip()


def read_rows(field: SettingField, typed: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    """Return the rows that were typed, `name.ROW.column`; one that is all empty is none."""
    rows = []
    for number in range(MOST_ROWS):
        cells = {key: typed.get(f"{name}.{number}.{key}", "").strip() for key, _ in field.columns}
        written = {
            key
            for key, one in field.columns
            if not one.choices and cells[key] not in ("", one.default)
        }
        if written:
            rows.append(
                {key: read_field(one, cells[key]) for key, one in field.columns if cells[key]}
            )
    return rows


def _field(setting: FieldInfo) -> SettingField:
    kind: Any = setting.annotation
    if kind is bool:
        return SettingField(Shape.CHOICE, (("true", "yes"), ("false", "no")), is_flag=True)
    if kind in (int, float):
        return SettingField(Shape.LINE, number=kind)
    if get_origin(kind) is Literal:
        return SettingField(Shape.CHOICE, tuple((str(one), str(one)) for one in get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return SettingField(Shape.CHOICE, tuple((one.value, one.value or "–") for one in kind))
    if get_origin(kind) is tuple:
        return _of_list(get_args(kind)[0])
    is_text = kind is str or get_origin(kind) in (Union, types.UnionType)
    return SettingField(Shape.LINE if is_text and str in (kind, *get_args(kind)) else Shape.NONE)


def _column(setting: FieldInfo) -> SettingField:
    default = "" if setting.is_required() else text_of(setting.default)
    return replace(_field(setting), default=default)


def _of_list(kind: Any) -> SettingField:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        columns = tuple((name, _column(one)) for name, one in kind.model_fields.items())
        return SettingField(Shape.ROWS, columns=columns)
    return SettingField(Shape.LINES)
