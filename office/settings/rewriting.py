"""The settings file with one setting changed: its comments, its order and its other lines stay."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import tomlkit
from tomlkit.items import Array

from domain.failures import Misuse

_MARK = "billclose-takes-this-line"


def value_in_file(text: str, section: str, key: str) -> Any:
    """Return what a settings file says of one setting; None where it says nothing."""
    return tomllib.loads(text).get(section, {}).get(key)


def with_value(text: str, section: str, key: str, value: Any, default: str) -> str:
    """
    Return a settings file's text in which one setting has a value; None: it is at its default.

    Where the file has the line that `init` wrote, `#key = …`, the value takes its place; `default`
    is what stands in such a line, as TOML. Raises Misuse where the file is written so that it
    cannot be changed by a program.
    """
    if value_in_file(text, section, key) == value:
        return text
    changed = _without(text, section, key, default)
    if value is not None:
        changed = _uncommented(changed, section, key, value) or _added(changed, section, key, value)
    if _all_but(changed, section, key) != _all_but(text, section, key) or (
        value_in_file(changed, section, key) != value
    ):
        raise Misuse(
            f"billclose.toml is written in a way in which {section}.{key} cannot be changed from "
            "here; change it in the file."
        )
    return changed


def _without(text: str, section: str, key: str, default: str) -> str:
    """Put a setting's line back to the commented one."""
    document = tomlkit.parse(text)
    table: Any = document.get(section)
    if table is None or key not in table:
        return text
    table[key] = _MARK
    marked = tomlkit.dumps(document)
    line = re.compile(rf'^{re.escape(key)}[ \t]*=[ \t]*"{_MARK}"(.*)$', re.MULTILINE)
    told, found = line.subn(lambda rest: f"#{key} = {default}{rest[1]}", marked, count=1)
    if found:
        return told
    del table[key]  # of a table written in one line
    return tomlkit.dumps(document)


def _uncommented(text: str, section: str, key: str, value: Any) -> str:
    """Write a value into the line `#key = …` of its section; empty where there is none."""
    lines, inside = text.splitlines(keepends=True), False
    for place, line in enumerate(lines):
        if line.startswith("["):
            inside = line.split("#")[0].strip() == f"[{section}]"
        if inside and (found := re.match(rf"#{re.escape(key)}[ \t]*=[^#\n]*(#.*)?$", line)):
            comment = f"  {found[1]}" if found[1] else ""
            lines[place] = f"{key} = {_as_toml(value)}{comment}\n"
            return "".join(lines)
    return ""


def _added(text: str, section: str, key: str, value: Any) -> str:
    document = tomlkit.parse(text)
    if section not in document:
        document[section] = tomlkit.table()
    table: Any = document[section]
    table[key] = _item(value)
    return tomlkit.dumps(document)


def _as_toml(value: Any) -> str:
    return str(_item(value).as_string())


def _item(value: Any) -> Any:
    if not isinstance(value, list):
        return tomlkit.item(value)
    array: Array = tomlkit.array()
    for one in value:
        if isinstance(one, dict):
            inline = tomlkit.inline_table()
            inline.update(one)
            array.append(inline)
        else:
            array.append(one)
    return array.multiline(bool(value) and isinstance(value[0], dict))


def _all_but(text: str, section: str, key: str) -> str:
    """Return all that a file says beside one setting, so that nothing else is changed."""
    found = tomllib.loads(text)
    found.get(section, {}).pop(key, None)
    told = {name: table for name, table in found.items() if table != {}}
    return json.dumps(told, sort_keys=True, default=str)
